import type { FlinkJobs, FlinkSnapshot } from '../../regions/flink/flink-jobs.ts';
import type { CheckpointDirectory } from './catalogue.ts';
import { keyInBucket } from './locations.ts';

/** A savepoint that is replicated like a checkpoint. */
export interface SavepointDirectory extends CheckpointDirectory {
  readonly kind: 'savepoint';
  /** Its job uses the changelog state backend: that refuses NO_CLAIM, whatever the savepoint holds. */
  readonly needsClaim: boolean;
}

/** The completed savepoints of a run that lie under a prefix of the bucket. Pure. */
export function savepointDirectories(
  snapshots: readonly FlinkSnapshot[],
  at: { readonly bucketUri: string; readonly prefix: string; readonly flinkJobId: string },
  changelog: boolean,
): readonly SavepointDirectory[] {
  return snapshots.flatMap(({ kind, id, path }) => {
    const directory = kind === 'savepoint' ? keyInBucket(path.replace(/\/+$/, ''), at.bucketUri) : undefined;
    if (directory === undefined || !directory.startsWith(`${at.prefix}/`)) return [];
    return [{ kind: 'savepoint', flinkJobId: at.flinkJobId, checkpointId: id, directory, needsClaim: changelog }];
  });
}

/**
 * Asks Flink for the savepoints of a run: only it tells whose they are. Within 2 s; an error when it can't be asked.
 * Whether the run uses the changelog is asked once, and only where there are savepoints.
 */
export function toldSavepoints(
  flink: Pick<FlinkJobs, 'snapshots' | 'settings'>,
  bucketUri: string,
  prefix: string,
): (flinkJobId: string, signal?: AbortSignal) => Promise<readonly SavepointDirectory[]> {
  const changelog = new Map<string, boolean>();
  return async (flinkJobId, outer) => {
    const soon = AbortSignal.timeout(2_000);
    const call = { signal: outer === undefined ? soon : AbortSignal.any([outer, soon]) };
    const at = { bucketUri, prefix, flinkJobId };
    const found = savepointDirectories(await flink.snapshots(flinkJobId, call), at, false);
    if (found.length === 0) return [];
    if (!changelog.has(flinkJobId)) {
      const { checkpointing } = await flink.settings(flinkJobId, call);
      changelog.set(flinkJobId, checkpointing?.changelog === true);
    }
    return found.map((each) => ({ ...each, needsClaim: changelog.get(flinkJobId) === true }));
  };
}
