import type { CheckpointManifest, ResolvedMarkers, SinkEnds } from '../../domain/checkpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type CheckpointDirectory, checkpointDirectories, isNewerComplete, newestFlinkJobId } from './catalogue.ts';
import type { CopyProgress, KnownFiles } from './copy-files.ts';
import type { CopyPace } from './copy-pace.ts';
import type { KafkaStates } from './kafka-states.ts';
import type { DamagedPoint } from './light-verify.ts';
import { type CheckpointName, filesFolder, parsePointFolder, pointFolder, pointsFolder } from './locations.ts';
import { type LookAtMarkers, markersOf, resolveMarkers } from './markers.ts';
import { type Mended, mendFiles } from './mend.ts';
import { listReplica, newestFirst } from './replica.ts';
import { replicateCheckpoint } from './replicate.ts';
import type { SeenSinkEnds } from './sink-ends.ts';
import { type CopyAttempt, judgePace, PACE_ATTEMPTS, type SlowCopy } from './sync-pace.ts';
import type { SavepointDirectory } from './told-savepoints.ts';

export interface CheckpointSyncOptions {
  readonly job: string;
  /** The job's checkpoint prefix in the primary's bucket. */
  readonly prefix: string;
  readonly source: ObjectStore;
  readonly target: ObjectStore;
  readonly clock: Clock;
  /**
   * The id of the run that counts, as Flink's REST tells it; `undefined` or an error when it can't. Then the last
   * known id is used, or else the run with the newest checkpoint in the bucket.
   */
  readonly flinkJobId?: (signal?: AbortSignal) => Promise<string | undefined>;
  /** Savepoints of a run that are replicated like its checkpoints; an error: not now. Absent: none are. */
  readonly savepoints?: (flinkJobId: string, signal?: AbortSignal) => Promise<readonly SavepointDirectory[]>;
  readonly parallelism?: number;
  /** How fast bytes may be copied; default as fast as they come. */
  readonly pace?: CopyPace | undefined;
  /** Looks at the topics that the job writes, once for each checkpoint that is copied. Absent: nobody knows them. */
  readonly lookAtSinks?: (signal?: AbortSignal) => Promise<SeenSinkEnds>;
  /** Looks at what the sources' markers stand for, in checkpoints that hold some. Absent: they stay markers. */
  readonly lookAtMarkers?: LookAtMarkers;
  /** So many points of a run retention keeps: one that has as many newer ones on the replica isn't copied. Default all. */
  readonly keep?: number;
  /** How often the replica is listed anew, so that a file that somebody removed is copied again; default 5 min. */
  readonly relistMs?: number;
}

export interface SyncStep {
  /** The checkpoint that this step made complete on the replica. */
  readonly replicated?: CheckpointManifest;
  /** Why its manifest does not tell where the job's sinks ended. */
  readonly sinksUnseen?: string;
  readonly refused: readonly { readonly checkpointId: number; readonly code: string; readonly message: string }[];
  /** The checkpoint that Flink removed during its copy; the files that were copied stay. */
  readonly superseded?: number;
  /** There is or may be another checkpoint to be copied: step again at once, after a look for newer ones. */
  readonly more: boolean;
}

/** The copy that is under way. */
export interface SyncProgress extends CopyProgress {
  readonly checkpointId: number;
}

export interface CheckpointSyncStatus {
  /** When a step last ended well. */
  readonly lastSyncAtMs?: number;
  readonly newest?: {
    readonly flinkJobId: string;
    readonly checkpointId: number;
    readonly completedAtMs: number;
    readonly committedAtMs: number;
  };
  /** Since this process began. */
  readonly checkpointsReplicated: number;
  readonly filesCopied: number;
  readonly bytesCopied: number;
  readonly refused: number;
  readonly superseded: number;
  /** The copies don't keep up with the job's checkpoints. */
  readonly slow?: SlowCopy;
}

export interface CheckpointSync {
  /**
   * Replicates at most one checkpoint: the newest completed one that the replica lacks. Without news it costs one
   * listing of the run's directories and a read for each checkpoint in progress. Errors of the stores are thrown;
   * the next step goes on where this one was. Not to be called while a step is under way.
   */
  step(options?: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (now: SyncProgress) => void;
  }): Promise<SyncStep>;
  /**
   * To be told before anything is deleted on the replica: the next step lists it anew and counts on no file that it
   * remembers. Points of these folders are not copied again. Not to be called while a step is under way.
   */
  forget(removed: readonly string[]): void;
  /**
   * Copies damaged files again, as far as the primary's bucket has them; a point with a damaged `_metadata` is
   * replicated again by the next steps, while Flink keeps the checkpoint. Not to be called while a step is under way.
   */
  mend(damaged: readonly DamagedPoint[], options?: { readonly signal?: AbortSignal }): Promise<Mended>;
  status(): CheckpointSyncStatus;
}

const RELIST_MS = 300_000;
/** How long the answer of the bucket, which run is the newest, is believed. */
const GUESS_MS = 30_000;

/** Keeps one job's replica up to date, step by step. Remembers what is on the replica; a new one finds out by listing. */
export function createCheckpointSync(options: CheckpointSyncOptions): CheckpointSync {
  const { job, prefix, source, target, clock } = options;
  const known: KnownFiles = new Map();
  const done = new Set<string>();
  const givenUp = new Set<string>();
  const pruned = new Set<string>();
  let listedAtMs: number | undefined;
  let run: { readonly id: string; readonly byFlink: boolean; readonly atMs: number } | undefined;
  let newest: CheckpointManifest | undefined;
  let lastSyncAtMs: number | undefined;
  const totals = { checkpointsReplicated: 0, filesCopied: 0, bytesCopied: 0, refused: 0, superseded: 0 };
  let attempts: readonly CopyAttempt[] = [];

  async function relist(call: { readonly signal?: AbortSignal }): Promise<void> {
    if (listedAtMs !== undefined && clock.monotonic() - listedAtMs < (options.relistMs ?? RELIST_MS)) return;
    const replica = await listReplica(target, job, { ...call, limit: 1 });
    const newer = replica.problems.find((problem) => problem.code === 'ManifestNewer');
    if (newer) {
      throw new ArgusError('ManifestNewer', newer.message, {
        exitCode: 3,
        hint: 'update this Argus: what a newer one writes is left alone',
      });
    }
    const before = new Map(known);
    known.clear();
    done.clear();
    givenUp.clear();
    const named = new Map(replica.points[0]?.manifest.files.map((file) => [file.key, file]));
    const files = filesFolder(job);
    const points = pointsFolder(job);
    for (const { key, sizeBytes, etag } of replica.objects.values()) {
      // A listing knows no checksums: those of this process and of the newest manifest hold while the ETag does.
      const kept = [before.get(key), named.get(key)].filter((k) => k?.etag === etag);
      const checksum = kept.find((k) => k?.checksum !== undefined)?.checksum;
      const proven = kept.some((k) => k !== undefined && !('unproven' in k));
      if (key.startsWith(files)) known.set(key, { sizeBytes, etag, checksum, ...(proven ? {} : { unproven: true }) });
      else if (key.startsWith(points) && key.endsWith('/manifest.json')) done.add(key.slice(0, key.lastIndexOf('/')));
    }
    for (const { key } of replica.problems) done.delete(key.replace(/\/manifest\.json$/, ''));
    newest = replica.points[0]?.manifest ?? newest;
    listedAtMs = clock.monotonic();
  }

  async function currentRun(call: { readonly signal?: AbortSignal }): Promise<string | undefined> {
    // Flink that can't be asked is no reason to stop: its checkpoints are in the bucket.
    const told = await options.flinkJobId?.(call.signal).catch(() => undefined);
    call.signal?.throwIfAborted();
    if (told !== undefined) run = { id: told, byFlink: true, atMs: clock.monotonic() };
    else if (run === undefined || (!run.byFlink && clock.monotonic() - run.atMs > GUESS_MS)) {
      const found = await newestFlinkJobId(source, prefix, call);
      run = found === undefined ? undefined : { id: found, byFlink: false, atMs: clock.monotonic() };
    }
    return run?.id;
  }

  function isWanted(name: CheckpointName): boolean {
    const point = pointFolder(job, name);
    if (done.has(point) || givenUp.has(point) || pruned.has(point)) return false;
    const newer = [...done].filter((other) => {
      const there = parsePointFolder(job, other);
      return there?.flinkJobId === name.flinkJobId && there.checkpointId > name.checkpointId;
    });
    return newer.length < (options.keep ?? Number.POSITIVE_INFINITY);
  }

  async function savepointsOf(id: string, call: { readonly signal?: AbortSignal }) {
    // Flink that can't be asked is no reason to stop, as above.
    const told = await options.savepoints?.(id, call.signal).catch(() => []);
    call.signal?.throwIfAborted();
    return told ?? [];
  }

  /** Where the sinks ended after a checkpoint was complete, or why that can't be told. */
  async function sinkEndsAfter(
    checkpoint: CheckpointDirectory,
    look: NonNullable<CheckpointSyncOptions['lookAtSinks']>,
    call: { readonly signal?: AbortSignal },
  ): Promise<SinkEnds | string> {
    try {
      const seen = await look(call.signal);
      const atMs = clock.now();
      return { atMs, newerComplete: await isNewerComplete(source, prefix, checkpoint, call), ...seen };
    } catch (error) {
      return describeError(error);
    }
  }

  /** What stands in the place of its markers; undefined when that can't be told of any. */
  async function markersOfCheckpoint(
    checkpoint: CheckpointDirectory,
    states: KafkaStates,
    call: { readonly signal?: AbortSignal },
  ): Promise<ResolvedMarkers | undefined> {
    try {
      const seen = await options.lookAtMarkers?.(markersOf(states), checkpoint.flinkJobId, call.signal);
      if (seen === undefined) return undefined;
      const splits = resolveMarkers(states, seen, await isNewerComplete(source, prefix, checkpoint, call));
      return splits.length === 0 ? undefined : { group: seen.group, atMs: clock.now(), splits };
    } catch {
      // The markers stay, and the checkpoint is refused for them, unless a newer one holds offsets.
      return undefined;
    }
  }

  return {
    async step(stepOptions = {}) {
      const { signal, onProgress } = stepOptions;
      const call = signal === undefined ? {} : { signal };
      await relist(call);
      const id = await currentRun(call);
      const directories = id === undefined ? [] : await checkpointDirectories(source, prefix, id, call);
      const savepoints = id === undefined ? [] : await savepointsOf(id, call);
      const lacking = [...directories, ...savepoints].sort((a, b) => b.checkpointId - a.checkpointId).filter(isWanted);
      const refused: { checkpointId: number; code: string; message: string }[] = [];
      let replicated: CheckpointManifest | undefined;
      let sinksUnseen: string | undefined;
      let superseded: number | undefined;
      let more = false;
      for (const [index, checkpoint] of lacking.entries()) {
        const { parallelism } = options;
        const { checkpointId, flinkJobId } = checkpoint;
        const beganAtMs = clock.monotonic();
        const { lookAtSinks } = options;
        sinksUnseen = undefined;
        const result = await replicateCheckpoint({
          source,
          target,
          job,
          checkpoint,
          known,
          now: () => clock.now(),
          ...(lookAtSinks === undefined
            ? {}
            : {
                sinkEnds: async () => {
                  const ends = await sinkEndsAfter(checkpoint, lookAtSinks, call);
                  if (typeof ends !== 'string') return ends;
                  sinksUnseen = ends;
                  return undefined;
                },
              }),
          resolveMarkers: (states) => markersOfCheckpoint(checkpoint, states, call),
          ...(parallelism === undefined ? {} : { parallelism }),
          pace: options.pace,
          ...(onProgress === undefined ? {} : { onProgress: (now) => onProgress({ checkpointId, ...now }) }),
          ...call,
        });
        if (result.kind === 'incomplete') continue;
        if (result.kind === 'refused') {
          givenUp.add(pointFolder(job, checkpoint));
          totals.refused++;
          refused.push({ checkpointId, code: result.code, message: result.message });
          continue;
        }
        const { completedAtMs } = result.kind === 'replicated' ? result.manifest : result;
        // A gap that is filled with older ones tells nothing of the pace.
        if (attempts.every((a) => a.flinkJobId !== flinkJobId || a.checkpointId < checkpointId)) {
          const tookMs = clock.monotonic() - beganAtMs;
          const attempt = { flinkJobId, checkpointId, completedAtMs, tookMs, outcome: result.kind };
          attempts = [...attempts, attempt].slice(-PACE_ATTEMPTS);
        }
        if (result.kind === 'superseded') {
          // Those that are older are gone as well, or soon will be; a newer one is there.
          superseded = checkpointId;
          totals.superseded++;
          more = true;
          break;
        }
        replicated = result.manifest;
        done.add(pointFolder(job, checkpoint));
        totals.checkpointsReplicated++;
        totals.filesCopied += result.filesCopied;
        totals.bytesCopied += result.bytesCopied;
        if (newest === undefined || newestFirst(replicated, newest) < 0) newest = replicated;
        more = index + 1 < lacking.length;
        break;
      }
      lastSyncAtMs = clock.now();
      return {
        ...(replicated === undefined ? {} : { replicated }),
        ...(replicated === undefined || sinksUnseen === undefined ? {} : { sinksUnseen }),
        ...(superseded === undefined ? {} : { superseded }),
        refused,
        more,
      };
    },

    forget(removed) {
      for (const folder of removed) pruned.add(folder);
      listedAtMs = undefined;
    },

    async mend(damaged, call = {}) {
      for (const { point, problems } of damaged) {
        const anew = problems.some((problem) => problem.key === point.manifest.metadata.key);
        if (anew) done.delete(pointFolder(job, point.manifest));
      }
      return mendFiles({ source, target, job, damaged, known, pace: options.pace, ...call });
    },

    status() {
      const slow = judgePace(attempts);
      return {
        ...(slow === undefined ? {} : { slow }),
        ...(lastSyncAtMs === undefined ? {} : { lastSyncAtMs }),
        ...(newest === undefined
          ? {}
          : {
              newest: {
                flinkJobId: newest.flinkJobId,
                checkpointId: newest.checkpointId,
                completedAtMs: newest.completedAtMs,
                committedAtMs: newest.committedAtMs,
              },
            }),
        ...totals,
      };
    },
  };
}
