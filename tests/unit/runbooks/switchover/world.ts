import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { ArgusError } from '../../../../domain/errors.ts';
import { partitionKey } from '../../../../domain/offsets.ts';
import type { FlinkJobs, StartJob } from '../../../../regions/flink/flink-jobs.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import type { StoredSavepoint, SwitchoverContext, Writers } from '../../../../runbooks/switchover/context.ts';
import { readEarlier } from '../../../../runbooks/switchover/earlier.ts';
import { prepareSwitchover, runSwitchover } from '../../../../runbooks/switchover/run-switchover.ts';
import { encodeDocument } from '../../../../state/document.ts';
import { writeRoles } from '../../../../state/roles.ts';
import { confirming } from '../failover/fail-over.ts';
import { config, manifest, newWorld, noteRole, roles, type World, type WorldOptions } from '../failover/world.ts';

/** Two regions in memory, with a job on the primary that can be stopped with a savepoint. */
export interface SwitchoverWorld extends World {
  /** Whose writes are kept off the primary. */
  readonly kept: Set<Writers>;
  readonly primaryJobs: { id: string; name: string; state: string; startedAtMs: number }[];
  readonly savepoints: StoredSavepoint[];
  readonly copied: Map<string, CheckpointManifest>;
  /** How far the mirror is behind, in records of the first partition. */
  behind: bigint;
  /** The mirror may write to the old primary. */
  mirrorOpen: boolean;
  /** As its command has it; `n` names the run. */
  context2(n: number): Omit<SwitchoverContext, 'epoch'>;
}

export interface SwitchoverWorldOptions extends WorldOptions {
  /** Nobody can be kept from writing to the primary. */
  readonly noFence?: boolean;
  readonly producersStopped?: boolean;
  /** Why the job can't be stopped with a savepoint. */
  readonly savepointFails?: string;
  /** No daemon has looked at the primary for so long. */
  readonly daemonAgeMs?: number;
  /** The job has committed so far. */
  readonly committed?: readonly bigint[];
  readonly silentMirror?: boolean;
  /** A second job, by its name. */
  readonly secondJob?: string;
}

export const switchoverRun = (n: number) => `20261121T10300${n}Z-switchover-000${n}`;

export function newSwitchoverWorld(options: SwitchoverWorldOptions = {}): SwitchoverWorld {
  const base = newWorld({ ...options, primary: 'up', acceptUnfenced: false });
  const { clock, effects } = base;
  const kept = new Set<Writers>();
  const { secondJob } = options;
  const names = ['counts', ...(secondJob === undefined ? [] : [secondJob])];
  const primaryJobs = names.map((name, i) => {
    return { id: `${i + 1}`.repeat(32), name, state: 'RUNNING', startedAtMs: 1 };
  });
  const jobs = names.map((name) => ({ config: { ...config.jobs[0]!, name }, jarPath: '/jars/counts.jar' }));
  const savepoints: StoredSavepoint[] = [];
  const copied = new Map<string, CheckpointManifest>();
  const triggers = new Map<string, 'done' | 'failed'>();
  const primaryFlink: FlinkJobs = {
    ...base.context.primary.flink,
    list: async () => primaryJobs.map((j) => ({ ...j })),
    settings: async () => ({ cluster: new Map(), operators: [] }),
    async stopWithSavepoint({ jobId, triggerId }) {
      if (triggers.has(triggerId)) return;
      const job = primaryJobs.find((j) => j.id === jobId && j.state === 'RUNNING');
      if (job === undefined) throw new ArgusError('JobMissing', 'no such job');
      effects.push(`stop ${jobId.slice(0, 4)}`);
      if (options.savepointFails !== undefined) return void triggers.set(triggerId, 'failed');
      triggers.set(triggerId, 'done');
      if (kept.has('jobs')) throw new Error('its last transaction could not be committed');
      job.state = 'FINISHED';
      const checkpointId = 8 + savepoints.length;
      const directory = `argus/savepoints/switchover-1/${job.name}/${jobId}/savepoint-${checkpointId}`;
      savepoints.unshift({ job: job.name, flinkJobId: jobId, checkpointId, directory, completedAtMs: clock.now() });
    },
    savepointStop: async (_id, triggerId) => {
      const stands = triggers.get(triggerId);
      if (stands === undefined) return { kind: 'unknown' };
      return stands === 'done' ? { kind: 'done', path: 'p' } : { kind: 'failed', reason: options.savepointFails ?? '' };
    },
    async start(start: StartJob) {
      if (primaryJobs.some((j) => j.id === start.jobId)) throw new ArgusError('FlinkRefused', 'duplicate job id');
      if (kept.has('jobs')) throw new Error('the job would be refused by the brokers');
      effects.push(`start again ${start.savepointPath}`);
      primaryJobs.push({ id: start.jobId!, name: start.name ?? 'counts', state: 'RUNNING', startedAtMs: clock.now() });
      await noteRole(base.store, 'mumbai', effects);
      return { jobId: start.jobId! };
    },
  };
  const world: SwitchoverWorld = {
    ...base,
    kept,
    primaryJobs,
    savepoints,
    copied,
    behind: 0n,
    mirrorOpen: true,
    context2: (n) => {
      const source = options.silentMirror ? base.context : confirming(base);
      const state: ObjectStore = {
        ...source.state,
        put: (key, body, call) => source.state.put(key, body, call),
        list: (prefix, call) => source.state.list(prefix, call),
        async get(key, call) {
          const found = await source.state.get(key, call);
          if (key !== 'sightings/mumbai') return found;
          const atMs = clock.now() - (options.daemonAgeMs ?? 500);
          const body = encodeDocument({ region: 'mumbai', atMs, checkedAtMs: atMs, topics: {} });
          return { body, info: { key, etag: 'e', sizeBytes: body.length, modifiedAtMs: atMs } };
        },
      };
      const { standby, primary } = source;
      return {
        ...source,
        state,
        config: { ...config, jobs: jobs.map((j) => j.config) },
        jobs,
        run: switchoverRun(n),
        drainMs: 1_000,
        catchUpMs: 5_000,
        producersStopped: options.producersStopped ?? false,
        primary: {
          ...primary,
          flink: primaryFlink,
          kafka: {
            ...primary.kafka,
            groupOffsets: async () =>
              (options.committed ?? [100n, 50n]).map((offset, partition) => ({ topic: 'events', partition, offset })),
            logRanges: (partitions) =>
              Promise.resolve(
                partitions.map((p) => {
                  const end = base.ends.get(partitionKey(p))! + (p.partition === 0 ? world.behind : 0n);
                  return { ...p, logStartOffset: 0n, logEndOffset: end };
                }),
              ),
          },
        },
        standby,
        async lookAtWriters(who) {
          if (options.noFence === true) return { kind: 'no-means', why: 'no authorizer' };
          if (kept.has(who)) return { kind: 'denied', proven: true, evidence: null };
          return { kind: 'open', where: 'User:ingest' };
        },
        async denyWriters(who) {
          effects.push(`deny ${who}`);
          kept.add(who);
        },
        async allowWriters(who) {
          effects.push(`allow ${who}`);
          kept.delete(who);
        },
        listSavepoints: async (name) => savepoints.filter(({ job }) => job === name),
        findCopy: async ({ directory }) => copied.get(directory),
        async copySavepoint(_job, savepoint) {
          effects.push(`copy ${savepoint.checkpointId}`);
          const copy = { ...manifest, ...savepoint, droppedTransactions: [], sourceOffsets: offsets(100n, 50n) };
          const stored = { ...copy, replicaUri: `s3://checkpoints-singapore/${savepoint.checkpointId}` };
          copied.set(savepoint.directory, stored);
          return stored;
        },
        heldAtPrimary: async () => [],
        lookForRecords: async (ranges) =>
          ranges.map(({ topic, partition, logStartOffset, logEndOffset }) => {
            return { topic, partition, records: Number(logEndOffset - logStartOffset) };
          }),
        async allowMirror() {
          effects.push('allow mirror');
          world.mirrorOpen = true;
        },
        lookAtMirror: async () =>
          world.mirrorOpen ? { kind: 'open', where: 'User:argus' } : { kind: 'denied', proven: false, evidence: null },
        chooseRecoveryPoints: async () => new Map([['counts', { kind: 'none', rejected: [] }]]),
      };
    },
  };
  return world;
}

const offsets = (...list: readonly bigint[]) =>
  list.map((offset, partition) => ({ topic: 'events', partition, offset: offset.toString() }));

export async function startedSwitchover(options: SwitchoverWorldOptions = {}): Promise<SwitchoverWorld> {
  const world = newSwitchoverWorld(options);
  await writeRoles(world.store, roles);
  return world;
}

/** Plans a switchover and carries it out; `over` replaces parts of its context. */
export async function switchOver(
  world: SwitchoverWorld,
  n = 1,
  over: Partial<SwitchoverContext> = {},
  resumes?: string,
) {
  const made = world.context2(n);
  const context = { ...made, ...(await readEarlier(made.state, 1)), ...over };
  const plan = await prepareSwitchover(context, resumes === undefined ? {} : { resumes });
  return runSwitchover({ context, plan, holder: switchoverRun(n) });
}
