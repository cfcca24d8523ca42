import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type ByteProgress, verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import type { DrillCause } from '../drill-report.ts';
import { causeOfDifference } from './causes.ts';

/** What the files of the points turned out to be. */
export interface ProvedFiles {
  readonly files: number;
  readonly bytes: number;
  /** Nothing but their sizes could be compared: their manifest has no checksum of them. */
  readonly unprovenFiles: number;
  /** Empty: each byte is what was copied, and nothing outside the manifests is needed. */
  readonly causes: readonly DrillCause[];
}

/** Reads every byte of the points, each file once, and holds it against the manifests. Errors of the store are thrown. */
export async function provePoints(
  store: ObjectStore,
  points: readonly CheckpointManifest[],
  options: { readonly signal: AbortSignal; readonly onProgress?: (now: ByteProgress) => void },
): Promise<ProvedFiles> {
  const { checkpoints, filesRead, bytesRead } = await verifyCheckpoints({ store, manifests: points, ...options });
  return {
    files: filesRead,
    bytes: bytesRead,
    unprovenFiles: checkpoints.reduce((sum, { unprovenFiles }) => sum + unprovenFiles, 0),
    causes: checkpoints.flatMap(({ job, checkpointId, state, differences }): DrillCause[] => {
      if (state !== 'gone') return differences.map((difference) => causeOfDifference(job, difference));
      const message = `checkpoint ${checkpointId} of ${job} was removed from the replica while its files were read`;
      return [{ job, code: 'PointGone', message }];
    }),
  };
}
