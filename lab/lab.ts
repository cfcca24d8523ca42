import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ArgusError } from '../domain/errors.ts';
import { clusterLabRegion } from './cluster-lab/cluster-lab-region.ts';
import { type AskFlink, jobState, untilJobRuns } from './components/flink-job.ts';
import { componentMark, labMark } from './components/process-table.ts';
import { withFlinkOf } from './job-rest.ts';
import { renderAddresses } from './lab-addresses.ts';
import { renderConfig, renderEnv } from './lab-config.ts';
import { claimFolder, defaultLabDir, readClaim } from './lab-folder.ts';
import {
  type Flavour,
  type LabInfo,
  names,
  type Place,
  type RegionName,
  readLabInfo,
  regionNames,
  type Warmth,
  writeLabInfo,
} from './lab-info.ts';
import { type Link, linkBetween } from './links.ts';
import { brokerRegionParts, localRegionParts } from './local-region-parts.ts';
import { planLab } from './plan.ts';
import { claimPorts, type PortBlock } from './ports.ts';
import { type Reaper, startReaper } from './reaper.ts';
import { type LabRegion, regionControl } from './region.ts';
import { removeLab } from './remove-lab.ts';
import type { Artifacts } from './setup/artifacts.ts';
import type { FlinkChoice } from './setup/flink-releases.ts';
import type { SetupEvent } from './setup/part.ts';
import { type LabEvent, startParts, stepper } from './start-parts.ts';

export interface LabOptions {
  /** What its regions are; default: local. A cluster needs Linux and root: `ClusterMachine` (exit code 2) elsewhere. */
  readonly flavour?: Flavour;
  /** The lab's folder; default: one for each user below the system's temporary folder. */
  readonly dir?: string;
  /** Where everything lies that is started; default: the set-up's own, installed when it is missing. */
  readonly artifacts?: Artifacts;
  /** Which Flink both regions run, and with which settings; default: 2.2 with the lab's own. A cluster has its own. */
  readonly flink?: Partial<FlinkChoice>;
  /** `brokers`: the regions of the flavour local have a broker and an object store each, and nothing else; no job runs. */
  readonly parts?: 'whole' | 'brokers';
  /** What the standby of a cluster keeps ready; default: cold. */
  readonly standby?: Warmth;
  /** Three observers watch, and the state lies outside both regions; default: neither. Not in a cluster. */
  readonly observers?: boolean;
  /** The standby has a place for drills, and the job's output is mirrored; default: neither. */
  readonly drills?: boolean;
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
  link(from: Place, to: Place): Link;
  /** Waits until the job and its tasks run; default: the primary's, 60 s. */
  waitUntilJobRunning(options?: {
    region?: RegionName;
    jobId?: string;
    timeoutMs?: number;
    signal?: AbortSignal;
  }): Promise<void>;
  /** The state, in Flink's words, of the job that was started with the lab; rejects when Flink doesn't tell in time. */
  jobState(timeoutMs: number): Promise<string>;
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
  if (options.observers && options.flavour === 'cluster') {
    throw new ArgusError('NoObservers', 'a lab with pods has no observers', { exitCode: 2 });
  }
  const progress = options.progress ?? (() => undefined);
  const clusterFlavour = options.flavour === 'cluster' ? await import('./cluster-lab/start-cluster.ts') : undefined;
  // Before anything is made or fetched.
  const wanted = options.dir ?? defaultLabDir();
  await clusterFlavour?.requireMachine(wanted, signal);
  const id = randomUUID();
  const dir = claimFolder(wanted, id, Date.now());
  let reaper: Reaper | undefined;
  let ports: PortBlock | undefined;
  try {
    chmodSync(dir, 0o700);
    reaper = startReaper(dir, id);
    const flink: FlinkChoice = { version: '2.2', settings: {}, ...options.flink };
    const artifacts = options.artifacts ?? (await installed(flink, progress, signal));
    signal?.throwIfAborted();
    const step = stepper(progress);
    const cluster = await clusterFlavour?.startClusters({ id, dir }, options.standby ?? 'cold', step, signal, (event) =>
      progress({ kind: 'setup', event }),
    );
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
      ...(options.observers && { observers: true }),
      ...(options.drills && { drills: true }),
      ...(cluster && { cluster }),
    });
    clusterFlavour?.writeClusterFiles(info);
    writeFileSync(info.configPath, renderConfig(info));
    for (const { place, configPath } of info.observers?.list ?? []) {
      if (configPath !== info.configPath) writeFileSync(configPath, renderConfig(info, place));
    }
    writeFileSync(join(dir, 'argus.env'), renderEnv(info), { mode: 0o600 });
    writeFileSync(join(dir, 'addresses.env'), renderAddresses(info));
    const localParts = options.parts === 'brokers' ? brokerRegionParts : localRegionParts;
    const regionParts = clusterFlavour?.clusterRegionParts ?? localParts;
    const started = await startParts(info, ports, step, regionParts, signal);
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
  const control = info.cluster ? clusterLabRegion : regionControl;
  const regions = Object.fromEntries(regionNames.map((name) => [name, control(info, name, started)]));
  return {
    info,
    dir: info.dir,
    configPath: info.configPath,
    env: info.env,
    regions: regions as Record<RegionName, LabRegion>,
    link: (from, to) => linkBetween(info, from, to),
    waitUntilJobRunning({ region = names.primary, jobId = info.flinkJobId, timeoutMs = 60_000, signal } = {}) {
      return withFlinkOf(info, region, (ask) => untilJobRuns(ask, jobId, { timeoutMs, signal }));
    },
    async jobState(timeoutMs) {
      const look = (ask: AskFlink) => jobState(ask, info.flinkJobId, AbortSignal.timeout(timeoutMs));
      return (await withFlinkOf(info, names.primary, look)).state;
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
