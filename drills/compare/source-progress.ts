import type { CheckpointManifest, SourceOffset } from '../../domain/checkpoint.ts';
import { ArgusError } from '../../domain/errors.ts';
import { offsetFromJson, type PartitionOffset, partitionKey, smallerOf } from '../../domain/offsets.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { kafkaStates } from '../../replication/checkpoints/kafka-states.ts';
import { keyInBucket } from '../../replication/checkpoints/locations.ts';

/**
 * Where the sources of a checkpoint go on, as its `_metadata` tells; `uri`: its folder, as Flink names it. Undefined: it
 * is gone, as one is that was overtaken. A checkpoint outside of the store's bucket is `CheckpointOutsideBucket`.
 */
export async function sourceOffsetsAt(
  store: ObjectStore,
  uri: string,
  signal: AbortSignal,
): Promise<readonly SourceOffset[] | undefined> {
  const folder = keyInBucket(uri.replace(/\/+$/, ''), store.uri);
  if (folder === undefined) throw new ArgusError('CheckpointOutsideBucket', `${uri} is not in ${store.uri}`);
  const read = async (file: string): Promise<Uint8Array | undefined> => {
    const key = keyInBucket(file, store.uri);
    return key === undefined ? undefined : (await store.get(key, { signal }))?.body;
  };
  const bytes = await read(`${store.uri}/${folder}/_metadata`);
  if (bytes === undefined) return undefined;
  const gone = new ArgusError('FileMissing', `a file of ${uri} is gone`);
  try {
    const { offsets } = await kafkaStates(readMetadata(bytes), `${store.uri}/${folder}`, async (file) => {
      const found = await read(file);
      if (found === undefined) throw gone;
      return found;
    });
    return offsets;
  } catch (error) {
    if (error === gone) return undefined;
    throw error;
  }
}

/** Whether sources got at least as far in every partition; markers, which are no offsets, ask for nothing. Pure. */
export function covers(got: readonly PartitionOffset[], wanted: readonly PartitionOffset[]): boolean {
  const there = new Map<string, bigint>();
  for (const each of got) {
    // Several sources of a job may read the same partition: the last of them counts.
    const key = partitionKey(each);
    there.set(key, smallerOf(each.offset, there.get(key) ?? each.offset));
  }
  return wanted.every((each) => each.offset < 0n || (there.get(partitionKey(each)) ?? -1n) >= each.offset);
}

/** A manifest's source offsets. Pure. */
export const offsetsOf = ({ sourceOffsets }: Pick<CheckpointManifest, 'sourceOffsets'>): readonly PartitionOffset[] =>
  sourceOffsets.map(offsetFromJson);
