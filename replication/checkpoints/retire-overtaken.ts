import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { offsetFromJson, type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { pointFolder } from './locations.ts';
import { listReplica } from './replica.ts';

/**
 * Whether a checkpoint of the old primary has read records that its promoted standby never got: its offsets mean other
 * records on the active side, however far the log there has come since. Pure.
 */
export function isOvertaken(
  { completedAtMs, sourceOffsets }: Pick<CheckpointManifest, 'completedAtMs' | 'sourceOffsets'>,
  promotion: { readonly atMs: number; readonly promotedAt: readonly PartitionOffset[] },
): boolean {
  if (completedAtMs > promotion.atMs) return false;
  const ends = new Map(promotion.promotedAt.map((p) => [partitionKey(p), p.offset]));
  return sourceOffsets.map(offsetFromJson).some((read) => {
    const end = ends.get(partitionKey(read));
    return end !== undefined && read.offset > end;
  });
}

/** The folders of the overtaken points in the replica of a job, which the active side holds. Reads only. */
export async function findOvertaken(
  store: ObjectStore,
  job: string,
  promotion: Parameters<typeof isOvertaken>[1],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { points } = await listReplica(store, job, { signal });
  return points
    .filter(({ manifest }) => isOvertaken(manifest, promotion))
    .map(({ manifest }) => pointFolder(job, manifest));
}

/** Takes a point out of those that can be chosen: its manifest, the commit mark, is kept beside it by another name. Idempotent. */
export async function retirePoint(store: ObjectStore, folder: string, signal: AbortSignal): Promise<void> {
  const manifest = `${folder}/manifest.json`;
  const copied = await store.copy(manifest, `${folder}/overtaken.json`, { signal });
  if (copied !== undefined) await store.delete(manifest, { signal });
}
