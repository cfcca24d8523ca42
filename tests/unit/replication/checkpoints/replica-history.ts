import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import type { ObjectInfo, ObjectStore } from '../../../../regions/objects/object-store.ts';
import { checksumOf } from '../../../../replication/checkpoints/checksums.ts';
import { filesFolder, pointFolder } from '../../../../replication/checkpoints/locations.ts';
import { encodeManifest } from '../../../../replication/checkpoints/manifest.ts';
import type { Replica } from '../../../../replication/checkpoints/replica.ts';

export const JOB = 'counts';
export const RUN = 'a'.repeat(32);
const METADATA = new Uint8Array(10);

/** The key of a file on the replica. */
export const fileKey = (name: string) => `${filesFolder(JOB)}checkpoints/${RUN}/${name}`;

/** The folder of a point. */
export const folderOf = (checkpointId: number) => pointFolder(JOB, { flinkJobId: RUN, checkpointId });

/** The manifest of a checkpoint over these files, each of 100 bytes with its key as ETag, unless said otherwise. */
export function manifestOf(
  checkpointId: number,
  files: readonly string[],
  over: { readonly completedAtMs?: number; readonly etag?: (key: string) => string } = {},
): CheckpointManifest {
  const { completedAtMs = checkpointId * 5_000, etag = (key: string) => key } = over;
  const folder = folderOf(checkpointId);
  return {
    version: 1,
    job: JOB,
    flinkJobId: RUN,
    checkpointId,
    completedAtMs,
    committedAtMs: completedAtMs,
    metadataVersion: 6,
    sourceUri: `s3://primary/checkpoints/${RUN}/chk-${checkpointId}`,
    replicaUri: `s3://replica/${folder}`,
    metadata: { key: `${folder}/_metadata`, sizeBytes: METADATA.length, sha256: checksumOf(METADATA).sha256 },
    files: files.map((name) => ({
      key: fileKey(name),
      sizeBytes: 100,
      sizeRule: 'exact',
      etag: etag(fileKey(name)),
    })),
    sourceOffsets: [],
    droppedTransactions: [],
  };
}

/** A replica as a listing shows it: the points complete, besides other objects. */
export function replicaOf(
  manifests: readonly CheckpointManifest[],
  others: readonly Partial<ObjectInfo>[] = [],
): Pick<Replica, 'points' | 'problems' | 'objects'> {
  const objects = new Map<string, ObjectInfo>();
  const add = (info: ObjectInfo) => void objects.set(info.key, info);
  for (const m of manifests) {
    const modifiedAtMs = m.committedAtMs;
    add({ key: `${folderOf(m.checkpointId)}/manifest.json`, sizeBytes: 1, etag: '', modifiedAtMs });
    add({ key: m.metadata.key, sizeBytes: 10, etag: '', modifiedAtMs });
    for (const f of m.files) add({ key: f.key, sizeBytes: f.sizeBytes, etag: f.etag, modifiedAtMs });
  }
  for (const o of others) add({ key: '', sizeBytes: 1, etag: '', modifiedAtMs: 0, ...o });
  return { points: manifests.map((manifest) => ({ manifest })), problems: [], objects };
}

/** Writes a point as a copy does: the files that the store lacks, `_metadata`, the manifest. */
export async function copyPoint(
  store: ObjectStore,
  checkpointId: number,
  files: readonly string[],
  completedAtMs: number,
  known: Map<string, string>,
): Promise<void> {
  for (const name of files) {
    if (known.has(fileKey(name))) continue;
    const put = await store.put(fileKey(name), new Uint8Array(100));
    if (put.kind === 'written') known.set(fileKey(name), put.etag);
  }
  const manifest = manifestOf(checkpointId, files, { completedAtMs, etag: (key) => known.get(key) ?? '' });
  await store.put(manifest.metadata.key, METADATA);
  await store.put(`${folderOf(checkpointId)}/manifest.json`, encodeManifest(manifest));
}
