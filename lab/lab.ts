import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ArgusError } from '../domain/errors.ts';
import { startCloudflare } from './components/cloudflare.ts';
import { submitJob, untilJobRuns } from './components/flink-job.ts';
import type { ComponentName } from './components/probes.ts';
import { componentMark, labMark } from './components/process-table.ts';
import { startToxiproxy } from './components/toxiproxy.ts';
import { renderConfig, renderEnv } from './lab-config.ts';
import { claimFolder, defaultLabDir, readClaim } from './lab-folder.ts';
import {
  type LabInfo,
  names,
  type Place,
  type RegionName,
  readLabInfo,
  regionNames,
  writeLabInfo,
} from './lab-info.ts';
import { type Link, linkBetween, openLinks } from './links.ts';
import { planLab } from './plan.ts';
import { claimPorts, type PortBlock } from './ports.ts';
import { type Reaper, startReaper } from './reaper.ts';
import { type LabRegion, regionControl, startRegionComponent } from './region.ts';
import { removeLab } from './remove-lab.ts';
import type { Artifacts } from './setup/artifacts.ts';
import type { FlinkChoice } from './setup/flink-releases.ts';
import type { SetupEvent } from './setup/part.ts';

/** What happens while a lab starts. `part` is a component (`mumbai/kafka`), `lab` or `job`; `ms` since the start. */
export type LabEvent =
  | { readonly kind: 'setup'; readonly event: SetupEvent }
  | { readonly kind: 'lab'; readonly part: string; readonly state: 'starting' | 'ready'; readonly ms: number };

export interface LabOptions {
  /** The lab's folder; default: one for each user below the system's temporary folder. */
  readonly dir?: string;
  /** Where everything lies that is started; default: the set-up's own, installed when it is missing. */
  readonly artifacts?: Artifacts;
  /** Which Flink both regions run, and with which settings; default: 2.2 with the lab's own. */
  readonly flink?: Partial<FlinkChoice>;
  /** Ends the start; nothing is left of it. */
  readonly signal?: AbortSignal;
  readonly progress?: (event: LabEvent) => void;
}

/** A lab that is up. */
export interface Lab {
  readonly info: LabInfo;
  readonly dir: string;
  /** The path of `argus.yaml`, for an Argus at the standby. */
  readonly configPath: string;
  /** The secrets that it refers to. */
  readonly env: Readonly<Record<string, string>>;
  readonly regions: Readonly<Record<RegionName, LabRegion>>;
  link(from: Place, to: RegionName): Link;
  /** Waits until the job and its tasks run; default: the primary's, 60 s. */
  waitUntilJobRunning(options?: {
    region?: RegionName;
    jobId?: string;
    timeoutMs?: number;
    signal?: AbortSignal;
  }): Promise<void>;
  /** An environment for a process that shall end with the lab, with the secrets: `name` is what `lab status` calls it. */
  processEnv(name: string): Readonly<Record<string, string>>;
  /** Lets the lab live when this process ends. */
  detach(): Promise<void>;
  /** Kills every process of the lab and removes its folder. Idempotent. */
  down(): Promise<void>;
}

/**
 * Starts a lab: both regions, the network between them, DNS, and the job on the primary, which runs when this is done.
 * It ends with this process, however that ends, unless it is detached. `LabRunning` (exit code 3) when the folder has
 * one; a start that fails leaves nothing.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { signal } = options;
  const progress = options.progress ?? (() => undefined);
  const id = randomUUID();
  const dir = claimFolder(options.dir ?? defaultLabDir(), id, Date.now());
  let reaper: Reaper | undefined;
  let ports: PortBlock | undefined;
  try {
    chmodSync(dir, 0o700);
    reaper = startReaper(dir, id);
    const flink: FlinkChoice = { version: '2.2', settings: {}, ...options.flink };
    const artifacts = options.artifacts ?? (await installed(flink, progress, signal));
    signal?.throwIfAborted();
    ports = await claimPorts();
    const info = planLab({
      id,
      dir,
      nowMs: Date.now(),
      artifacts,
      flink,
      anchorPort: ports.anchor,
      takePort: ports.take,
      secret: () => randomBytes(16).toString('hex'),
    });
    writeFileSync(info.configPath, renderConfig(info));
    writeFileSync(join(dir, 'argus.env'), renderEnv(info), { mode: 0o600 });
    const started = await startAll(info, ports, progress, signal);
    writeLabInfo(started);
    return labOf(started, reaper);
  } catch (error) {
    await ports?.release().catch(() => undefined);
    await removeLab(dir, id);
    await reaper?.end();
    signal?.throwIfAborted();
    throw error;
  }
}

/** The lab that is up in a folder. It is not ended by this process's end. `LabMissing` (exit code 3). */
export function attachLab(dir: string = defaultLabDir()): Lab {
  return labOf(readLabInfo(resolve(dir)), undefined);
}

/** Ends whatever lab uses the folder, also one that is starting or whose description is gone. False when there is none. */
export async function endLab(dir: string = defaultLabDir()): Promise<boolean> {
  const claim = readClaim(resolve(dir));
  if (!claim) return false;
  await removeLab(resolve(dir), claim.id);
  return true;
}

function labOf(info: LabInfo, reaper: Reaper | undefined): Lab {
  const started = (component: string, pid: number): void => {
    const now = readLabInfo(info.dir);
    writeLabInfo({ ...now, pids: { ...now.pids, [component]: pid } });
  };
  const regions = Object.fromEntries(regionNames.map((name) => [name, regionControl(info, name, started)]));
  return {
    info,
    dir: info.dir,
    configPath: info.configPath,
    env: info.env,
    regions: regions as Record<RegionName, LabRegion>,
    link: (from, to) => linkBetween(info, from, to),
    waitUntilJobRunning({ region = names.primary, jobId = info.flinkJobId, timeoutMs = 60_000, signal } = {}) {
      return untilJobRuns(info.regions[region].flink.rest, jobId, { timeoutMs, signal });
    },
    processEnv: (name) => ({ ...info.env, [labMark]: info.id, [componentMark]: name }),
    async detach() {
      await reaper?.letLive();
    },
    async down() {
      await removeLab(info.dir, info.id);
      await reaper?.end();
    },
  };
}

async function installed(
  flink: FlinkChoice,
  progress: (event: LabEvent) => void,
  signal: AbortSignal | undefined,
): Promise<Artifacts> {
  // What only a start needs is loaded by it alone: the controls answer at once.
  const { ensureArtifacts } = await import('./setup/artifacts.ts');
  const { withFlink } = await import('./setup/flink-releases.ts');
  const setup = (event: SetupEvent): void => progress({ kind: 'setup', event });
  return withFlink(await ensureArtifacts({ progress: setup, ...(signal && { signal }) }), flink, signal, setup);
}

/** Starts everything, as much at once as possible; gives the description with process ids and the job's id. */
async function startAll(
  info: LabInfo,
  ports: PortBlock,
  progress: (event: LabEvent) => void,
  outer: AbortSignal | undefined,
): Promise<LabInfo> {
  const startedAt = performance.now();
  // The first failure stops the others' waiting.
  const failed = new AbortController();
  const signal = outer ? AbortSignal.any([outer, failed.signal]) : failed.signal;
  const options = { timeoutMs: 90_000, signal };
  const pids: Record<string, number> = {};
  const step = async <T>(part: string, work: () => Promise<T>): Promise<T> => {
    const tell = (state: 'starting' | 'ready'): void =>
      progress({ kind: 'lab', part, state, ms: Math.round(performance.now() - startedAt) });
    tell('starting');
    const result = await work();
    tell('ready');
    return result;
  };
  const component = (region: RegionName, name: ComponentName): Promise<void> =>
    step(`${region}/${name}`, async () => {
      pids[`${region}/${name}`] = await startRegionComponent(info, region, name, options);
    });
  const network = async (): Promise<void> => {
    await ports.release();
    pids['outside/toxiproxy'] = (await startToxiproxy(info, options)).pid;
    await openLinks(info);
  };
  const kafka = async (region: RegionName): Promise<void> => {
    const { createTopics } = await import('./components/kafka-topics.ts');
    await component(region, 'kafka');
    await step(`${region}/topics`, () => createTopics(info, region));
  };
  const flink = async (region: RegionName): Promise<void> => {
    await Promise.all([component(region, 'jobmanager'), component(region, 'taskmanager')]);
  };
  const serving = async (name: RegionName): Promise<string> => {
    await Promise.all([kafka(name), component(name, 'objects'), flink(name)]);
    return name === names.primary ? step('job', () => runJob(info, signal)) : '';
  };
  const region = async (name: RegionName): Promise<string> => {
    const [jobId] = await Promise.all([serving(name), component(name, 'ingest')]);
    return jobId;
  };
  const work = [
    step('outside/toxiproxy', network),
    step('outside/cloudflare', async () => {
      pids['outside/cloudflare'] = (await startCloudflare(info, options)).pid;
    }),
    region(names.primary),
    region(names.standby),
  ] as const;
  for (const each of work) each.catch((error: unknown) => failed.abort(error));
  const results = await Promise.allSettled(work);
  outer?.throwIfAborted();
  // The failure that came first, not one that it caused.
  if (failed.signal.aborted) throw failed.signal.reason;
  const flinkJobId = results[2].status === 'fulfilled' ? results[2].value : '';
  if (flinkJobId === '') throw new ArgusError('JobFailed', 'the job was not started');
  return { ...info, pids, flinkJobId };
}

async function runJob(info: LabInfo, signal: AbortSignal): Promise<string> {
  const jobId = await submitJob(info, names.primary, signal);
  await untilJobRuns(info.regions[names.primary].flink.rest, jobId, { timeoutMs: 60_000, signal });
  return jobId;
}
