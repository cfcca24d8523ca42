import type { Command } from 'commander';
import { ArgusError } from '../../domain/errors.ts';
import { faultNames } from '../../domain/fault-config.ts';
import { attachLab } from '../lab.ts';
import { names, type RegionName, regionNames } from '../lab-info.ts';
import { faultLeft, faultOf, healFault, injectFault } from './lab-faults.ts';

interface Options {
  readonly dir: string;
  readonly json?: true;
  readonly region?: string;
  readonly for?: string;
}

/** What the lab's command line gives to whoever adds to it. */
export interface LabCommandLine {
  command(spec: string, description: string, example: string): Command;
  print(options: Options, value: unknown, text: string): void;
  readonly signal: AbortSignal;
}

/** `lab fault <name> inject|heal|check`: what fault drills call as their hooks. */
export function faultCommand({ command, print, signal }: LabCommandLine): void {
  command(
    'fault <name> <action>',
    `Break one thing of the primary (inject), mend it (heal), or say whether it is mended (check; exit code 1 when not).
Faults: ${faultNames.join(', ')}. Each may be called again at any time.`,
    'npm run lab -- fault broker-down inject --for 60\n  npm run lab -- fault broker-down heal\n  npm run lab -- fault broker-down check',
  )
    .option('--region <name>', 'the primary (default: $ARGUS_FROM, else mumbai)')
    .option('--for <seconds>', 'heal by itself after so long (default: $ARGUS_SECONDS, else never)')
    .action(async (name: string, action: string, options: Options) => {
      const fault = faultOf(name);
      const lab = attachLab(options.dir);
      const primary = regionOf(options.region ?? process.env.ARGUS_FROM ?? names.primary);
      const forS = secondsOf(options.for ?? process.env.ARGUS_SECONDS);
      switch (action) {
        case 'inject':
          await injectFault(lab, fault, primary, forS);
          return print(options, { fault, primary, injected: true }, `${fault} in ${primary}: broken`);
        case 'heal':
          await healFault(lab, fault, primary, signal);
          return print(options, { fault, primary, healed: true }, `${fault} in ${primary}: healed`);
        case 'check': {
          const left = await faultLeft(lab, fault, primary);
          if (left !== undefined) throw new ArgusError('NotHealed', left);
          return print(options, { fault, primary, healed: true }, `${fault} in ${primary}: nothing is broken`);
        }
        default:
          throw usage(`there is no action "${action}" on a fault`, ['inject', 'heal', 'check']);
      }
    });
}

function regionOf(name: string): RegionName {
  const region = regionNames.find((n) => n === name);
  if (region === undefined) throw usage(`the lab has no region "${name}"`, regionNames);
  return region;
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text.replace(/s$/, ''));
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw usage(`"${text}" is no time in seconds`, ['60']);
}

const usage = (message: string, choices: readonly string[]) =>
  new ArgusError('Usage', message, { exitCode: 2, hint: `there are: ${choices.join(', ')}` });
