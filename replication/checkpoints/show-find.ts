import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { parsePointFolder, pointsFolder } from './locations.ts';

/** Which checkpoint is meant. */
export interface CheckpointWanted {
  readonly checkpointId: number;
  /** Only of this run of the job; else of any. */
  readonly flinkJobId?: string | undefined;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The replicated checkpoints of this number, as directories in the replica's bucket, newest copy first. */
export async function findOnReplica(
  store: ObjectStore,
  job: string,
  wanted: CheckpointWanted,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const { prefixes } = await store.list(pointsFolder(job), { ...options, delimiter: '/' });
  const directories = prefixes.map((prefix) => prefix.slice(0, -1));
  const fitting = directories.filter((directory) => {
    const name = parsePointFolder(job, directory);
    return name !== undefined && fits(name, wanted);
  });
  return newestFirst(store, fitting, options);
}

/** The checkpoints of this number under a job's prefix in the primary's bucket, newest first. `shared/` is not listed. */
export async function findOnPrimary(
  store: ObjectStore,
  prefix: string,
  wanted: CheckpointWanted,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const { prefixes } = await store.list(`${prefix}/`, { ...options, delimiter: '/' });
  const runs = prefixes.map((folder) => folder.slice(prefix.length + 1, -1)).filter((id) => /^[0-9a-f]{32}$/.test(id));
  const fitting = runs.filter((flinkJobId) => wanted.flinkJobId === undefined || wanted.flinkJobId === flinkJobId);
  const directories = fitting.map((flinkJobId) => `${prefix}/${flinkJobId}/chk-${wanted.checkpointId}`);
  return newestFirst(store, directories, options);
}

function fits(name: { readonly flinkJobId: string; readonly checkpointId: number }, wanted: CheckpointWanted): boolean {
  return (
    name.checkpointId === wanted.checkpointId &&
    (wanted.flinkJobId === undefined || name.flinkJobId === wanted.flinkJobId)
  );
}

/** Those with a `_metadata`, by when it was written. */
async function newestFirst(
  store: ObjectStore,
  directories: readonly string[],
  options: CallOptions,
): Promise<readonly string[]> {
  const found: { readonly directory: string; readonly atMs: number }[] = [];
  for (const directory of directories) {
    const info = await store.head(`${directory}/_metadata`, options);
    if (info !== undefined) found.push({ directory, atMs: info.modifiedAtMs });
  }
  return found.sort((a, b) => b.atMs - a.atMs).map(({ directory }) => directory);
}
