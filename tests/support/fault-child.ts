// A fault drill in a process of its own, to be killed: `node fault-child.ts <argus.yaml> <fault>`. Tells when something is broken.
import { faultNames } from '../../domain/fault-config.ts';
import { brokerFaults } from './broker-faults.ts';

const [configPath = '', name = ''] = process.argv.slice(2);
const fault = faultNames.find((n) => n === name);
if (fault === undefined) throw new Error(`no fault ${name}`);
const faults = await brokerFaults(configPath, process.env);
await faults.drill(
  fault,
  'child',
  (event) => {
    if (event.kind === 'step-started' && event.step === 'expect') process.stdout.write('broken\n');
  },
  50_000,
);
