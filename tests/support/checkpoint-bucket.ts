import { listStates, SOURCE_READER_STATE } from '../../regions/flink/kafka-state.ts';
import { fileReferences } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
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
