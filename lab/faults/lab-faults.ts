import { ArgusError } from '../../domain/errors.ts';
import { type FaultName, faultNames } from '../../domain/fault-config.ts';
import { startComponent } from '../components/process.ts';
import { killProcesses } from '../components/process-table.ts';
import { siblingEntry } from '../entry.ts';
import { attachLab, type Lab } from '../lab.ts';
import { type LabInfo, names, type RegionName, regionNames } from '../lab-info.ts';
import type { ComponentChoice } from '../region.ts';

/** How the lab brings one fault about, and ends it. Each may be called again at any time. */
interface LabFault {
  inject(lab: Lab, primary: RegionName): Promise<void>;
  heal(lab: Lab, primary: RegionName, signal: AbortSignal): Promise<void>;
  /** What of it is there still; undefined when all is mended. */
  left(lab: Lab, primary: RegionName): Promise<string | undefined>;
}

const slowMs = 400;

const faults: Readonly<Record<FaultName, LabFault>> = {
  'broker-down': killed('kafka'),
  'objects-refusing': killed('objects'),
  'taskmanager-lost': killed('taskmanager'),
  'api-server-frozen': {
    inject: (lab, primary) => ofCluster(lab, primary).freeze('control'),
    heal: (lab, primary) => ofCluster(lab, primary).thaw('control'),
    async left(lab, primary) {
      const control = (await ofCluster(lab, primary).status()).find((c) => c.component === 'control');
      return control?.state === 'frozen' ? 'the API server is frozen' : undefined;
    },
  },
  'dns-api-down': {
    inject: (lab) => faultsOfNames(lab, 'PUT', [{ status: 503, count: 1_000_000_000 }]).then(() => undefined),
    heal: (lab) => faultsOfNames(lab, 'DELETE').then(() => undefined),
    async left(lab) {
      const { faults: pending } = (await faultsOfNames(lab, 'GET')) as { readonly faults: readonly unknown[] };
      return pending.length === 0 ? undefined : 'the API of the names has faults';
    },
  },
  'link-slow': {
    inject: (lab, primary) => lab.link(otherThan(primary), primary).delay(slowMs),
    heal: (lab, primary) => lab.link(otherThan(primary), primary).delay(0),
    async left(lab, primary) {
      const { delayMs } = await lab.link(otherThan(primary), primary).state();
      return delayMs === 0 ? undefined : `the link is slowed by ${delayMs} ms`;
    },
  },
  'primary-dark': {
    inject: (lab, primary) => lab.regions[primary].cut(),
    heal: async (lab, primary) => {
      // Ending the connections of a link that is open would be a fault of its own.
      if ((await lab.link(otherThan(primary), primary).state()).state === 'cut') await lab.regions[primary].restore();
    },
    async left(lab, primary) {
      const { state } = await lab.link(otherThan(primary), primary).state();
      return state === 'open' ? undefined : `${primary} is cut off`;
    },
  },
};

/** A process of the primary that is killed, and started again from what is on its disk. */
function killed(component: ComponentChoice): LabFault {
  return {
    inject: (lab, primary) => lab.regions[primary].kill(component),
    async heal(lab, primary, signal) {
      await lab.regions[primary].thaw(component);
      await lab.regions[primary].start(component, signal);
    },
    async left(lab, primary) {
      const found = (await lab.regions[primary].status()).find((c) => c.component === component);
      return found?.answers === true ? undefined : `${component} of ${primary} does not answer`;
    },
  };
}

function ofCluster(lab: Lab, primary: RegionName): Lab['regions'][RegionName] {
  if (lab.info.cluster) return lab.regions[primary];
  throw new ArgusError('NoKubernetes', 'this lab has no Kubernetes: there is no API server', { exitCode: 2 });
}

async function faultsOfNames({ info }: Lab, method: string, body?: unknown): Promise<unknown> {
  const response = await fetch(new URL('/_faults', info.dns.apiUrl), {
    method,
    signal: AbortSignal.timeout(5_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  if (!response.ok) throw new ArgusError('FaultFailed', `the API of the names answers ${response.status}`);
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}

const otherThan = (region: RegionName): RegionName => regionNames.find((n) => n !== region) ?? names.standby;

const deadManOf = (name: FaultName) => `outside/heal-${name}`;

/** A fault by its name. `Usage` (exit code 2). */
export function faultOf(name: string): FaultName {
  const known = faultNames.find((n) => n === name);
  if (known !== undefined) return known;
  throw new ArgusError('Usage', `there is no fault "${name}"`, {
    exitCode: 2,
    hint: `there are: ${faultNames.join(', ')}`,
  });
}

/** Breaks it; after `forS` seconds it is healed by a process of its own, whatever became of whoever broke it. */
export async function injectFault(lab: Lab, name: FaultName, primary: RegionName, forS?: number): Promise<void> {
  if (name === 'api-server-frozen') ofCluster(lab, primary);
  await endDeadMan(lab.info, name);
  if (forS !== undefined) {
    const program = siblingEntry(import.meta.url, './heal-later-process');
    const args = [program, lab.dir, name, primary, String(forS)];
    startComponent(lab.info, { component: deadManOf(name), command: process.execPath, args });
  }
  await faults[name].inject(lab, primary);
}

/** Ends it, also when nothing is broken, and what would have healed it later. */
export async function healFault(lab: Lab, name: FaultName, primary: RegionName, signal: AbortSignal): Promise<void> {
  await faults[name].heal(lab, primary, signal);
  await endDeadMan(lab.info, name);
}

/** What is left of it; undefined when it is mended. */
export function faultLeft(lab: Lab, name: FaultName, primary: RegionName): Promise<string | undefined> {
  return faults[name].left(lab, primary);
}

const endDeadMan = (info: LabInfo, name: FaultName): Promise<void> =>
  killProcesses(info.id, (p) => p.component === deadManOf(name));

/** Waits, and heals. */
export async function healLater(dir: string, name: string, primary: string, forS: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, forS * 1_000));
  const region = regionNames.find((n) => n === primary) ?? names.primary;
  await faults[faultOf(name)].heal(attachLab(dir), region, AbortSignal.timeout(120_000));
}
