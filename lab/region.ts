import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../domain/errors.ts';
import type { ClusterRegion } from './cluster/cluster-region.ts';
import type { ClusterComponent } from './cluster-lab/cluster-lab-region.ts';
import { startFlink } from './components/flink.ts';
import { startIngest } from './components/ingest.ts';
import { startKafka } from './components/kafka.ts';
import { observerComponent, startObserver } from './components/observer.ts';
import { answers, type ComponentName, components, drillComponents } from './components/probes.ts';
import type { ReadyOptions } from './components/process.ts';
import { killProcesses, type LabProcess, labProcesses, signalGroups } from './components/process-table.ts';
import { startVersitygw } from './components/versitygw.ts';
import { type LabInfo, type RegionInfo, type RegionName, regionNames } from './lab-info.ts';
import { type Link, linkBetween } from './links.ts';

/** What a command may name: one process, `flink` or `drill` for both of a session cluster. In the flavour cluster other ones. */
export type ComponentChoice = ComponentName | 'flink' | 'drill' | ClusterComponent;

export interface ComponentStatus {
  readonly component: ComponentName | ClusterComponent;
  readonly state: 'running' | 'frozen' | 'stopped';
  /** Whether it answered a request of its own protocol within a second. */
  readonly answers: boolean;
  readonly pid?: number;
  readonly residentMiB?: number;
}

/** The controls of one region. Each applies to the whole region, or to the named component. */
export interface LabRegion {
  readonly name: RegionName;
  readonly info: RegionInfo;
  /** Kills (SIGKILL) at once, and waits until the processes are gone. What is on disk stays. */
  kill(component?: ComponentChoice): Promise<void>;
  /** Stops the processes where they are (SIGSTOP): connections stay open, nobody answers. */
  freeze(component?: ComponentChoice): Promise<void>;
  thaw(component?: ComponentChoice): Promise<void>;
  /**
   * Starts what does not run, and waits until it serves. Flink starts without jobs. The ingest of a whole region that comes
   * back asks Argus' state first whether the region may run, and stays quiet until then; one that is named starts at once.
   * A frozen component is refused (exit code 3).
   */
  start(component?: ComponentChoice, signal?: AbortSignal): Promise<void>;
  restart(component?: ComponentChoice, signal?: AbortSignal): Promise<void>;
  /** Takes the network from it: bytes vanish in every direction, connections hang, within the region all goes on. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  status(): Promise<readonly ComponentStatus[]>;
  /** Its Kubernetes with that one's own controls; only in the flavour cluster. */
  readonly cluster?: ClusterRegion;
}

/** The processes that a choice means; all when there is none. `NoSuchComponent` (exit code 2) for anything else. */
export function componentsOf(choice: string | undefined, region?: RegionInfo): readonly ComponentName[] {
  const there = region?.drill?.flink === undefined ? components : [...components, ...drillComponents];
  if (choice === undefined) return there;
  if (choice === 'flink') return ['jobmanager', 'taskmanager'];
  if (choice === 'drill' && region?.drill?.flink !== undefined) return drillComponents;
  const one = there.find((c) => c === choice);
  if (one) return [one];
  throw new ArgusError('NoSuchComponent', `a region has no component "${choice}"`, {
    exitCode: 2,
    hint: `there are: ${[...there, 'flink'].join(', ')}`,
  });
}

/** Starts one process of a region and waits until it serves; of an ingest `behindRole` see `startIngest`. */
export async function startRegionComponent(
  info: LabInfo,
  region: RegionName,
  component: ComponentName,
  options: ReadyOptions & { readonly behindRole?: boolean },
): Promise<number> {
  switch (component) {
    case 'kafka':
      return (await startKafka(info, region, options)).pid;
    case 'objects':
      return (await startVersitygw(info, region, options)).pid;
    case 'jobmanager':
    case 'taskmanager':
      return (await startFlink(info, region, component, options)).pid;
    case 'drill-jobmanager':
      return (await startFlink(info, region, 'jobmanager', { ...options, of: 'drill' })).pid;
    case 'drill-taskmanager':
      return (await startFlink(info, region, 'taskmanager', { ...options, of: 'drill' })).pid;
    case 'ingest':
      return (await startIngest(info, region, options, options.behindRole)).pid;
  }
}

/** The controls of a running lab's region without Kubernetes. `NoSuchRegion` (exit code 2). */
export function regionControl(
  info: LabInfo,
  regionName: string,
  started?: (component: string, pid: number) => void,
): LabRegion {
  const name = regionNames.find((n) => n === regionName);
  if (name === undefined) {
    throw new ArgusError('NoSuchRegion', `the lab has no region "${regionName}"`, {
      exitCode: 2,
      hint: `there are: ${regionNames.join(', ')}`,
    });
  }
  const processesOf = (choice: string | undefined): ((p: LabProcess) => boolean) => {
    if (choice === undefined) return (p) => p.component.startsWith(`${name}/`);
    const wanted = new Set(componentsOf(choice, info.regions[name]).map((c) => `${name}/${c}`));
    return (p) => wanted.has(p.component);
  };
  const signalAll = async (choice: string | undefined, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> => {
    const of = processesOf(choice);
    const frozen = signal === 'SIGSTOP';
    signalGroups(labProcesses(info.id).filter(of), signal);
    // The signal is sent, its effect is seen.
    for (let i = 0; i < 100 && labProcesses(info.id).some((p) => of(p) && p.frozen !== frozen); i++) await sleep(10);
  };
  const links = (): readonly Link[] => [
    linkBetween(info, 'outside', name),
    ...regionNames
      .filter((other) => other !== name)
      .flatMap((other) => [linkBetween(info, other, name), linkBetween(info, name, other)]),
    ...(info.observers ? [linkBetween(info, name, 'outside')] : []),
  ];
  const control: LabRegion = {
    name,
    info: info.regions[name],
    async kill(choice) {
      await killProcesses(info.id, processesOf(choice));
    },
    freeze: (choice) => signalAll(choice, 'SIGSTOP'),
    thaw: (choice) => signalAll(choice, 'SIGCONT'),
    async start(choice, signal) {
      const wanted = componentsOf(choice, info.regions[name]);
      const alive = labProcesses(info.id).filter(processesOf(choice));
      if (alive.some((p) => p.frozen)) {
        throw new ArgusError('ComponentFrozen', `${name} is frozen`, {
          exitCode: 3,
          hint: `npm run lab -- region ${name} thaw`,
        });
      }
      await Promise.all(
        wanted.map(async (component) => {
          if (alive.some((p) => p.component === `${name}/${component}`)) return;
          const options = { timeoutMs: 90_000, signal, behindRole: choice === undefined };
          const pid = await startRegionComponent(info, name, component, options);
          started?.(`${name}/${component}`, pid);
        }),
      );
      const observer = info.observers?.list.find((o) => o.place === name);
      const lost = observer && !alive.some((p) => p.component === observerComponent(observer));
      if (lost && choice === undefined) await startObserver(info, observer, { timeoutMs: 60_000, signal });
    },
    async restart(choice, signal) {
      await control.kill(choice);
      await control.start(choice, signal);
    },
    async cut() {
      await Promise.all(links().map((link) => link.cut()));
    },
    async restore() {
      await Promise.all(links().map((link) => link.restore()));
    },
    async status() {
      const processes = labProcesses(info.id);
      return Promise.all(
        componentsOf(undefined, info.regions[name]).map(async (component): Promise<ComponentStatus> => {
          const process = processes.find((p) => p.component === `${name}/${component}`);
          if (!process) return { component, state: 'stopped', answers: false };
          return {
            component,
            state: process.frozen ? 'frozen' : 'running',
            answers: !process.frozen && (await answers(info, name, component, AbortSignal.timeout(1_000))),
            pid: process.pid,
            residentMiB: Math.round(process.residentBytes / 2 ** 20),
          };
        }),
      );
    },
  };
  return control;
}
