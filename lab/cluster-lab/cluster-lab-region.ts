import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { type ClusterRegion, clusterRegion } from '../cluster/cluster-region.ts';
import { namespaceHolder } from '../cluster/region-processes.ts';
import { answers, portOpen } from '../components/probes.ts';
import { killProcesses, type LabProcess, labProcesses, signalGroups } from '../components/process-table.ts';
import type { LabInfo, RegionName } from '../lab-info.ts';
import { type ComponentStatus, type LabRegion, startRegionComponent } from '../region.ts';
import { clusterPlaceOf } from './places.ts';

/** The processes of a region with pods, those in pods apart. `control` is API server, etcd and controllers. */
export const clusterComponents = [
  'kafka',
  'objects',
  'ingest',
  'operator',
  'control',
  'containerd',
  'kubelet',
  'proxy',
] as const;
export type ClusterComponent = (typeof clusterComponents)[number];

/** Those that can be started again: a Kubernetes that was killed can't. */
const startable = ['kafka', 'objects', 'ingest', 'operator'] as const;
type Startable = (typeof startable)[number];

/** The controls of a region of the flavour cluster. */
export function clusterLabRegion(
  info: LabInfo,
  name: RegionName,
  started?: (component: string, pid: number) => void,
): LabRegion {
  const { record, node } = clusterPlaceOf(info, name);
  const region = clusterRegion(record, node);
  const start = async (component: Startable, signal: AbortSignal | undefined): Promise<void> => {
    const pid =
      component === 'operator'
        ? await startOperator(info, region, signal)
        : await startRegionComponent(info, name, component, { timeoutMs: 90_000, signal });
    started?.(`${name}/${component}`, pid);
  };
  const alive = () => labProcesses(info.id).filter((p) => p.component.startsWith(`${name}/`));
  const control: LabRegion = {
    name,
    info: info.regions[name],
    cluster: region,
    async kill(choice) {
      if (choice === undefined) return region.kill();
      await killProcesses(info.id, isOf(name, clusterComponentsOf(choice)));
    },
    async freeze(choice) {
      if (choice === undefined) return region.freeze();
      await signalAll(info.id, isOf(name, clusterComponentsOf(choice)), 'SIGSTOP');
    },
    async thaw(choice) {
      if (choice === undefined) return region.thaw();
      await signalAll(info.id, isOf(name, clusterComponentsOf(choice)), 'SIGCONT');
    },
    async start(choice, signal) {
      const wanted = startableOf(name, choice, alive());
      await Promise.all(wanted.map((component) => start(component, signal)));
    },
    async restart(choice, signal) {
      // Refused before anything is killed.
      const thawed = alive().map(({ component }) => ({ component, frozen: false }));
      if (choice === undefined) throw notStartable(name);
      startableOf(name, choice, thawed);
      await control.kill(choice);
      await control.start(choice, signal);
    },
    cut: () => region.cut(),
    restore: () => region.restore(),
    async status() {
      const processes = labProcesses(info.id);
      return Promise.all(
        clusterComponents.map(async (component): Promise<ComponentStatus> => {
          const process = processes.find((p) => p.component === `${name}/${component}`);
          if (!process) return { component, state: 'stopped', answers: false };
          return {
            component,
            state: process.frozen ? 'frozen' : 'running',
            answers: !process.frozen && (await serves(info, region, component)),
            pid: process.pid,
            residentMiB: Math.round(process.residentBytes / 2 ** 20),
          };
        }),
      );
    },
  };
  return control;
}

/** The processes that a choice means. `NoSuchComponent` (exit code 2) for what a region with pods has not. */
export function clusterComponentsOf(choice: string): readonly ClusterComponent[] {
  const one = clusterComponents.find((c) => c === choice);
  if (one) return [one];
  throw new ArgusError('NoSuchComponent', `a region with pods has no component "${choice}"`, {
    exitCode: 2,
    hint: `there are: ${clusterComponents.join(', ')}; pods are looked at with kubectl`,
  });
}

/**
 * What is to be started: of the choice, or of all, what does not run. `ComponentFrozen`, `RegionEnded` and `NotStartable`
 * (exit code 3) where that is not possible.
 */
export function startableOf(
  name: RegionName,
  choice: string | undefined,
  alive: readonly Pick<LabProcess, 'component' | 'frozen'>[],
): readonly Startable[] {
  const chosen: readonly string[] = choice === undefined ? startable : clusterComponentsOf(choice);
  const wanted = startable.filter((component) => chosen.includes(component));
  const runs = (component: string): boolean => alive.some((p) => p.component === `${name}/${component}`);
  if (wanted.length === 0 || (choice === undefined && !runs('control'))) throw notStartable(name);
  if (!runs(namespaceHolder)) throw new ArgusError('RegionEnded', `region ${name} was ended`, { exitCode: 3 });
  if (alive.some((p) => p.frozen && wanted.some((component) => p.component === `${name}/${component}`))) {
    const hint = `npm run lab -- region ${name} thaw`;
    throw new ArgusError('ComponentFrozen', `${name} is frozen`, { exitCode: 3, hint });
  }
  return wanted.filter((component) => !runs(component));
}

function notStartable(name: RegionName): ArgusError {
  return new ArgusError('NotStartable', `the Kubernetes of ${name} can't be started again`, {
    exitCode: 3,
    hint: `of a region that was killed, ${startable.join(', ')} can be started, each by its name`,
  });
}

function isOf(name: RegionName, chosen: readonly ClusterComponent[]): (p: LabProcess) => boolean {
  return (p) => chosen.some((component) => p.component === `${name}/${component}`);
}

async function signalAll(labId: string, of: (p: LabProcess) => boolean, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  const frozen = signal === 'SIGSTOP';
  signalGroups(labProcesses(labId).filter(of), signal);
  // The signal is sent, its effect is seen.
  for (let i = 0; i < 100 && labProcesses(labId).some((p) => of(p) && p.frozen !== frozen); i++) await sleep(10);
}

async function startOperator(info: LabInfo, region: ClusterRegion, signal: AbortSignal | undefined): Promise<number> {
  // What only a start needs is loaded by it alone.
  const { startOperatorOf } = await import('../cluster-job/install-flink.ts');
  const { java } = info.artifacts;
  const { namespace } = clusterPlaceOf(info, region.name as RegionName).drill ?? {};
  const namespaces = namespace === undefined ? [] : [namespace];
  return (await startOperatorOf(region, { labId: info.id, java, namespaces, ...(signal && { signal }) })).pid;
}

/** Whether it answers where it listens; what listens nowhere serves while it runs. */
async function serves(info: LabInfo, region: ClusterRegion, component: ClusterComponent): Promise<boolean> {
  const signal = AbortSignal.timeout(1_000);
  switch (component) {
    case 'kafka':
    case 'objects':
    case 'ingest':
      return answers(info, region.name as RegionName, component, signal);
    case 'control':
      return portOpen(`${region.addresses.node}:${region.node.apiPort}`, signal);
    case 'kubelet':
      return portOpen(`${region.addresses.node}:10250`, signal);
    case 'operator':
    case 'containerd':
    case 'proxy':
      return true;
  }
}
