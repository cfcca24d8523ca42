import { createHash } from 'node:crypto';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { offsetFromJson, partitionKey } from '../../domain/offsets.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { withSplitsChanged } from '../../replication/checkpoints/change-sources.ts';
import { keyInBucket, pointFolder } from '../../replication/checkpoints/locations.ts';
import { encodeManifest } from '../../replication/checkpoints/manifest.ts';

/** The point's largest file: one that it surely needs. */
function largest({ files }: CheckpointManifest): CheckpointManifest['files'][number] {
  const [first] = [...files].sort((a, b) => b.sizeBytes - a.sizeBytes);
  if (first === undefined) throw new Error('the point has no file');
  return first;
}

/** Removes a state file of a point from the replica. Gives its key. */
export async function removeFile(store: ObjectStore, point: CheckpointManifest): Promise<string> {
  const { key } = largest(point);
  await store.delete(key);
  return key;
}

/** Changes one byte in the middle of a state file; its size stays, and the store gives it another ETag. Gives its key. */
export async function flipByte(store: ObjectStore, point: CheckpointManifest): Promise<string> {
  const { key } = largest(point);
  const found = await store.get(key);
  if (found === undefined) throw new Error(`${key} is not there`);
  const bytes = Uint8Array.from(found.body);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 0x40;
  await store.put(key, bytes);
  return key;
}

/** A source's split whose offset was changed. */
export interface ShiftedSplit {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Moves the offset at which a source of a point goes on, by so many records: in its metadata, with its manifest and
 * checksums made to fit, so that nothing on the replica contradicts it. Gives what was moved: the first partition that
 * has an offset.
 */
export async function shiftOffset(store: ObjectStore, point: CheckpointManifest, by: bigint): Promise<ShiftedSplit> {
  const split = point.sourceOffsets.map(offsetFromJson).find(({ offset }) => offset >= 0n && offset + by >= 0n);
  const found = await store.get(point.metadata.key);
  if (split === undefined || found === undefined) throw new Error('the point has no offset');
  const wanted = partitionKey(split);
  const read = async (uri: string) => {
    const key = keyInBucket(uri, store.uri);
    const file = key === undefined ? undefined : await store.get(key);
    if (file === undefined) throw new Error(`${uri} is not there`);
    return file.body;
  };
  const changed = await withSplitsChanged(
    readMetadata(found.body),
    point.replicaUri,
    read,
    ({ topic, offset, partition }) => ({
      topic,
      offset: partitionKey({ topic, partition }) === wanted ? offset + by : offset,
    }),
  );
  const bytes = writeMetadata(changed);
  const to = split.offset + by;
  await store.put(point.metadata.key, bytes);
  const manifest: CheckpointManifest = {
    ...point,
    metadata: {
      ...point.metadata,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
    sourceOffsets: point.sourceOffsets.map((o) => (partitionKey(o) === wanted ? { ...o, offset: to.toString() } : o)),
  };
  await store.put(`${pointFolder(point.job, point)}/manifest.json`, encodeManifest(manifest));
  const { topic, partition, offset: from } = split;
  return { topic, partition, from, to };
}
