import type { FlinkJob } from '../../regions/flink/flink-jobs.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { CheckpointName } from './locations.ts';

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** A checkpoint's directory in the primary's bucket: complete only when it holds `_metadata`. */
export interface CheckpointDirectory extends CheckpointName {
  /** Key without a slash at its end. */
  readonly directory: string;
}

export interface CompletedCheckpoint extends CheckpointDirectory {
  /** When `_metadata` was written, by the store's clock. */
  readonly completedAtMs: number;
}

/** States in which Flink is done with a job. Source: org.apache.flink.api.common.JobStatus. */
const ENDED = new Set(['FAILED', 'CANCELED', 'FINISHED']);

/** Whether Flink is done with a job: it reads no file any more. */
export const isEnded = (job: Pick<FlinkJob, 'state'>): boolean => ENDED.has(job.state);

/** The id that a run's folder of checkpoints has. */
export const inFolders = ({ id, flinkId }: Pick<FlinkJob, 'id' | 'flinkId'>): string => flinkId ?? id;

/** The id, as folders have it, of the run that counts for a job's name: the newest that has not ended, else the newest. */
export function flinkJobIdOf(jobs: readonly FlinkJob[], name: string): string | undefined {
  const runs = jobs.filter((job) => job.name === name).sort((a, b) => b.startedAtMs - a.startedAtMs);
  const run = runs.find((job) => !isEnded(job)) ?? runs[0];
  return run && inFolders(run);
}

/** The Flink job ids that have a folder under a prefix: one listing of a level. */
export async function runsUnder(
  store: ObjectStore,
  prefix: string,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const { prefixes } = await store.list(`${prefix}/`, { ...options, delimiter: '/' });
  return prefixes.flatMap((folder) => /^[0-9a-f]{32}$/.exec(folder.slice(prefix.length + 1, -1))?.[0] ?? []);
}

/**
 * The checkpoint directories of one run, newest first. One listing of a level: what they hold, and the files in
 * `shared/`, are not listed.
 */
export async function checkpointDirectories(
  store: ObjectStore,
  prefix: string,
  flinkJobId: string,
  options: CallOptions = {},
): Promise<readonly CheckpointDirectory[]> {
  const root = `${prefix}/${flinkJobId}/`;
  const { prefixes } = await store.list(root, { ...options, delimiter: '/' });
  return prefixes
    .flatMap((folder) => {
      const id = /^chk-(\d{1,15})\/$/.exec(folder.slice(root.length))?.[1];
      return id === undefined ? [] : [{ flinkJobId, checkpointId: Number(id), directory: folder.slice(0, -1) }];
    })
    .sort((a, b) => b.checkpointId - a.checkpointId);
}

/** The completed checkpoints of one run, newest first: those with `_metadata`. */
export async function completedCheckpoints(
  store: ObjectStore,
  prefix: string,
  flinkJobId: string,
  options: CallOptions = {},
): Promise<readonly CompletedCheckpoint[]> {
  const completed: CompletedCheckpoint[] = [];
  for (const each of await checkpointDirectories(store, prefix, flinkJobId, options)) {
    const info = await store.head(`${each.directory}/_metadata`, options);
    if (info !== undefined) completed.push({ ...each, completedAtMs: info.modifiedAtMs });
  }
  return completed;
}

/** Whether a newer checkpoint of the same run is complete. */
export async function isNewerComplete(
  store: ObjectStore,
  prefix: string,
  than: CheckpointName,
  options: CallOptions = {},
): Promise<boolean> {
  for (const each of await checkpointDirectories(store, prefix, than.flinkJobId, options)) {
    if (each.checkpointId <= than.checkpointId) return false;
    if ((await store.head(`${each.directory}/_metadata`, options)) !== undefined) return true;
  }
  return false;
}

/**
 * The run with the newest completed checkpoint under the prefix: for when Flink itself can't be asked.
 * `undefined` when there is none. Only right where one job writes under this prefix.
 */
export async function newestFlinkJobId(
  store: ObjectStore,
  prefix: string,
  options: CallOptions = {},
): Promise<string | undefined> {
  let newest: { readonly id: string; readonly atMs: number } | undefined;
  for (const id of await runsUnder(store, prefix, options)) {
    for (const each of await checkpointDirectories(store, prefix, id, options)) {
      const info = await store.head(`${each.directory}/_metadata`, options);
      if (info === undefined) continue;
      if (newest === undefined || info.modifiedAtMs > newest.atMs) newest = { id, atMs: info.modifiedAtMs };
      break;
    }
  }
  return newest?.id;
}
