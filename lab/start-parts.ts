import { ArgusError } from '../domain/errors.ts';
import { startCloudflare } from './components/cloudflare.ts';
import type { ComponentName } from './components/probes.ts';
import type { ReadyOptions } from './components/process.ts';
import { startToxiproxy } from './components/toxiproxy.ts';
import { type LabInfo, names, type RegionName } from './lab-info.ts';
import { openLinks } from './links.ts';
import type { PortBlock } from './ports.ts';
import { startRegionComponent } from './region.ts';
import type { SetupEvent } from './setup/part.ts';

/** What happens while a lab starts. `part` is a component (`mumbai/kafka`), `lab` or `job`; `ms` since the start. */
export type LabEvent =
  | { readonly kind: 'setup'; readonly event: SetupEvent }
  | { readonly kind: 'lab'; readonly part: string; readonly state: 'starting' | 'ready'; readonly ms: number };

/** Does one part of a start, and tells when it begins and when it is done. */
export type Step = <T>(part: string, work: () => Promise<T>) => Promise<T>;

/** What the start of a region's parts has at hand. */
export interface PartStarter extends Required<ReadyOptions> {
  readonly info: LabInfo;
  /** Aborted by the failure of any part, too. */
  readonly signal: AbortSignal;
  readonly step: Step;
  /** Starts one of the region's own processes, and notes its id. */
  component(region: RegionName, name: ComponentName): Promise<void>;
  /** The region's broker with its topics. */
  kafka(region: RegionName): Promise<void>;
}

/** Starts what one region has; gives the id of the job, which runs, on the primary, and on the standby nothing. */
export type RegionParts = (region: RegionName, starter: PartStarter) => Promise<string>;

/** Tells each part's begin and end, with the time since now. */
export function stepper(progress: (event: LabEvent) => void): Step {
  const startedAt = performance.now();
  return async (part, work) => {
    const tell = (state: 'starting' | 'ready'): void =>
      progress({ kind: 'lab', part, state, ms: Math.round(performance.now() - startedAt) });
    tell('starting');
    const result = await work();
    tell('ready');
    return result;
  };
}

/**
 * Starts a planned lab: the network between the regions, DNS, and both regions' parts, as much at once as possible.
 * Gives the description with process ids and the job's id.
 */
export async function startParts(
  info: LabInfo,
  ports: PortBlock,
  step: Step,
  regionParts: RegionParts,
  outer: AbortSignal | undefined,
): Promise<LabInfo> {
  // The first failure stops the others' waiting.
  const failed = new AbortController();
  const signal = outer ? AbortSignal.any([outer, failed.signal]) : failed.signal;
  const wait = { timeoutMs: 90_000, everyMs: 100, signal };
  const pids: Record<string, number> = {};
  const component = (region: RegionName, name: ComponentName): Promise<void> =>
    step(`${region}/${name}`, async () => {
      pids[`${region}/${name}`] = await startRegionComponent(info, region, name, wait);
    });
  const network = async (): Promise<void> => {
    await ports.release();
    pids['outside/toxiproxy'] = (await startToxiproxy(info, wait)).pid;
    await openLinks(info);
  };
  const kafka = async (region: RegionName): Promise<void> => {
    const { createTopics } = await import('./components/kafka-topics.ts');
    await component(region, 'kafka');
    await step(`${region}/topics`, () => createTopics(info, region));
  };
  const store = async (): Promise<void> => {
    const { startOutsideStore } = await import('./components/observer.ts');
    pids['outside/objects'] = (await startOutsideStore(info, wait))?.pid ?? 0;
  };
  const starter: PartStarter = { ...wait, info, step, component, kafka };
  const work = [
    step('outside/toxiproxy', network),
    step('outside/cloudflare', async () => {
      pids['outside/cloudflare'] = (await startCloudflare(info, wait)).pid;
    }),
    regionParts(names.primary, starter),
    regionParts(names.standby, starter),
    ...(info.observers ? [step('outside/objects', store)] : []),
  ] as const;
  for (const each of work) each.catch((error: unknown) => failed.abort(error));
  const results = await Promise.allSettled(work);
  outer?.throwIfAborted();
  // The failure that came first, not one that it caused.
  if (failed.signal.aborted) throw failed.signal.reason;
  const flinkJobId = results[2].status === 'fulfilled' ? results[2].value : '';
  if (flinkJobId === '') throw new ArgusError('JobFailed', 'the job was not started');
  await Promise.all(
    (info.observers?.list ?? []).map((observer) =>
      step(`${observer.place}/observer`, async () => {
        const { observerComponent, startObserver } = await import('./components/observer.ts');
        pids[observerComponent(observer)] = (await startObserver(info, observer, wait)).pid;
      }),
    ),
  );
  return { ...info, pids, flinkJobId };
}
