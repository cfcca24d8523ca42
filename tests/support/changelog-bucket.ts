import { withoutCommittables } from '../../regions/flink/kafka-state.ts';
import { fileReferences, transform } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { flinkSample, SAMPLE_BUCKET } from './flink-samples.ts';

/**
 * Puts a captured checkpoint whose files were not captured into a bucket: its references are kept, each file has the
 * recorded size and bytes of its own, those of changes one byte more, as Flink leaves them. Its Kafka states, whose
 * bytes nobody has, are emptied. Gives its name.
 */
export async function putHollowSample(
  store: ObjectStore,
  name: string,
): Promise<{ readonly flinkJobId: string; readonly checkpointId: number; readonly directory: string }> {
  const sample = flinkSample(name);
  const metadata = transform(withoutCommittables(readMetadata(sample.bytes)), {
    stream: (handle) => handle,
    operator: (handle) => ({ ...handle, states: handle.states.map((state) => ({ ...state, offsets: [] })) }),
  });
  const root = `s3://${SAMPLE_BUCKET}/`;
  for (const file of fileReferences(metadata, root + sample.directory)) {
    const bytes = Buffer.alloc(file.sizeBytes + (file.sizeRule === 'atLeast' ? 1 : 0), file.uri);
    await store.put(file.uri.slice(root.length), bytes);
  }
  await store.put(`${sample.directory}/_metadata`, writeMetadata(metadata));
  const [, flinkJobId = '', id = ''] = /([0-9a-f]{32})\/chk-(\d+)$/.exec(sample.directory) ?? [];
  return { flinkJobId, checkpointId: Number(id), directory: sample.directory };
}
