import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import { type LightVerification, lightVerifier } from '../replication/checkpoints/light-verify.ts';
import type { CheckpointSync } from '../replication/checkpoints/sync.ts';
import { type JobReplicaHealth, putReplicaHealth } from '../state/replica-health.ts';
import type { Log } from './log.ts';

export interface WatchReplicaOptions {
  readonly state: ObjectStore;
  /** The region whose bucket holds the replicas. */
  readonly target: Pick<Region, 'name' | 'objects'>;
  readonly clock: Clock;
  readonly log: Log;
  /** From one look at a job's replica to the next; default 5 min. */
  readonly periodMs?: number;
}

/** Tells what is wrong with the replicas and their copies, and mends what can be mended. */
export interface ReplicaWatch {
  /**
   * Judges how the job's copies keep up, and looks at its replica when its time has come. To be called between two
   * steps of its sync, never during one; also while the primary is dark. What goes wrong is logged, never thrown.
   */
  look(job: string, sync: CheckpointSync, signal: AbortSignal): Promise<void>;
  /** By job. */
  health(): ReadonlyMap<string, JobReplicaHealth>;
}

const PERIOD_MS = 300_000;
/** The first look comes sooner. */
const FIRST_MS = 10_000;
/** What is known is written at least this often, and when it changed not more often than that. */
const WRITE = { leastMs: 60_000, mostMs: 5_000 };
/** So many damages are told by name. */
const NAMED = 5;

export function watchReplica(options: WatchReplicaOptions): ReplicaWatch {
  const { state, target, clock, log, periodMs = PERIOD_MS } = options;
  const jobs = new Map<string, JobReplicaHealth>();
  const verifiers = new Map<string, ReturnType<typeof lightVerifier>>();
  const dueAt = new Map<string, number>();
  const told = new Map<string, string>();
  const firstAt = clock.monotonic() + Math.min(FIRST_MS, periodMs);
  let turn: Promise<void> = Promise.resolve();
  let writtenAt: number | undefined;
  let changed = false;
  let unwritten: string | undefined;

  /** Logs a text once; `undefined` once it is no longer so. */
  const say = (job: string, what: string, level: 'warn' | 'error', text: string | undefined, after: string) => {
    const key = `${what} ${job}`;
    if (text === undefined && told.has(key)) log.info({ job }, after);
    else if (text !== undefined && told.get(key) !== text) log[level]({ job }, text);
    if (text === undefined) told.delete(key);
    else told.set(key, text);
  };

  function judgePace(job: string, sync: CheckpointSync): void {
    const { slow } = sync.status();
    const { slow: before, ...rest } = jobs.get(job) ?? {};
    // The figures in it change with every copy: it is told once.
    if ((slow === undefined) === (before === undefined)) return;
    changed = true;
    if (slow === undefined) {
      jobs.set(job, rest);
      log.info({ job }, 'the copies keep up with the checkpoints again');
      return;
    }
    jobs.set(job, { ...rest, slow: { code: slow.code, message: slow.message, sinceMs: clock.now() } });
    log.warn({ job, code: slow.code }, slow.message);
  }

  async function verify(job: string, sync: CheckpointSync, signal: AbortSignal): Promise<void> {
    const verifier = verifiers.get(job) ?? lightVerifier(target.objects, job);
    verifiers.set(job, verifier);
    try {
      const found = await verifier.look({ signal });
      keep(job, found);
      if (found.damaged.length > 0) {
        const { files, lost } = await sync.mend(found.damaged, { signal });
        if (files.length > 0) log.info({ job }, `${files.length} damaged files were copied again to the replica`);
        if (lost.length > 0) log.debug({ job, lost: lost.slice(0, NAMED) }, 'the primary has these files no more');
        keep(job, await verifier.look({ signal }));
      }
      say(job, 'look', 'warn', undefined, 'the replica can be looked at again');
    } catch (error) {
      if (signal.aborted) return;
      say(job, 'look', 'warn', `the replica can't be verified or mended: ${describeError(error)}`, '');
    }
    const verified = jobs.get(job)?.verified;
    const first = verified?.damaged[0];
    const others = verified === undefined || verified.damagedFiles < 2 ? '' : ` and ${verified.damagedFiles - 1} more`;
    const text = first && `checkpoint ${first.checkpointId} on the replica is damaged: ${first.message}${others}`;
    say(job, 'damage', 'error', text, 'every file on the replica is there again');
  }

  function keep(job: string, found: LightVerification): void {
    changed = true;
    const damaged = found.damaged.flatMap(({ point, problems }) =>
      problems.map(({ code, message }) => ({ checkpointId: point.manifest.checkpointId, code, message })),
    );
    const { points: checkpoints, files, damagedFiles } = found;
    const verified = { atMs: clock.now(), checkpoints, files, damagedFiles, damaged: damaged.slice(0, NAMED) };
    jobs.set(job, { ...jobs.get(job), verified });
  }

  async function write(signal: AbortSignal): Promise<void> {
    const sinceMs = writtenAt === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() - writtenAt;
    if (sinceMs < (changed ? WRITE.mostMs : WRITE.leastMs)) return;
    writtenAt = clock.monotonic();
    changed = false;
    const health = { region: target.name, atMs: clock.now(), jobs: Object.fromEntries(jobs) };
    try {
      await putReplicaHealth(state, health, { signal });
      unwritten = undefined;
    } catch (error) {
      if (signal.aborted) return;
      changed = true;
      const why = describeError(error);
      if (why !== unwritten) log.warn({}, `what is known of the replicas can't be written to the state: ${why}`);
      unwritten = why;
    }
  }

  return {
    async look(job, sync, signal) {
      judgePace(job, sync);
      if (clock.monotonic() >= (dueAt.get(job) ?? firstAt)) {
        // One job after the other: never more than one listing at a time.
        const mine = turn.then(() => verify(job, sync, signal));
        turn = mine;
        await mine;
        dueAt.set(job, clock.monotonic() + periodMs);
      }
      await write(signal);
    },
    health: () => jobs,
  };
}
