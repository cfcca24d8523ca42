import { listStates, SOURCE_READER_STATE } from '../../regions/flink/kafka-state.ts';
import { fileReferences } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { flinkSample, SAMPLE_BUCKET } from './flink-samples.ts';

/** The run and checkpoint of the sample `v6-full`. */
export const FULL = { flinkJobId: 'edf7a6aa04268d723b4bc8e37a77a63d', checkpointId: 4 } as const;

/** Puts the sample `v6-full` into a bucket as Flink left it there, `_metadata` last. Gives the keys that it references. */
export async function putFullSample(store: ObjectStore): Promise<readonly string[]> {
  const sample = flinkSample('v6-full');
  const metadata = readMetadata(sample.bytes);
  if (listStates(metadata, SOURCE_READER_STATE).length === 0) throw new Error('the sample has no source');
  const keys = fileReferences(metadata, `s3://${SAMPLE_BUCKET}/${sample.directory}`).map((file) =>
    file.uri.slice(`s3://${SAMPLE_BUCKET}/`.length),
  );
  for (const key of keys) {
    const bytes = sample.file(key);
    if (bytes === undefined) throw new Error(`the sample lacks ${key}`);
    await store.put(key, bytes);
  }
  await store.put(`${sample.directory}/_metadata`, sample.bytes);
  return keys;
}

/** Puts the same checkpoint under another id into a bucket that has it; shared files are shared. */
export async function putFullSampleAs(store: ObjectStore, id: number): Promise<void> {
  const { bytes, directory } = flinkSample('v6-full');
  const metadata = readMetadata(bytes);
  const next = directory.replace(/chk-\d+$/, `chk-${id}`);
  for (const file of fileReferences(metadata, '').filter((f) => f.uri.startsWith('/'))) {
    const found = await store.get(directory + file.uri);
    if (found !== undefined) await store.put(next + file.uri, found.body);
  }
  await store.put(`${next}/_metadata`, writeMetadata({ ...metadata, checkpointId: BigInt(id) }));
}
