import { createHash } from 'node:crypto';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import type { KafkaAdmin } from '../../../../regions/kafka/kafka-admin.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { pointFolder } from '../../../../replication/checkpoints/locations.ts';
import { encodeManifest } from '../../../../replication/checkpoints/manifest.ts';

const flinkJobId = 'a'.repeat(32);

/** A replica of checkpoints of `counts`, written in the given order, each of which goes on at ten times its id. */
export async function replica(ids: readonly number[], over: Partial<CheckpointManifest> = {}) {
  const objects = memoryObjectStore('replica');
  for (const checkpointId of ids) {
    const folder = pointFolder('counts', { flinkJobId, checkpointId });
    const metadata = Buffer.from(`metadata ${checkpointId}`);
    const manifest: CheckpointManifest = {
      version: 1,
      job: 'counts',
      flinkJobId,
      checkpointId,
      completedAtMs: checkpointId * 1_000,
      committedAtMs: 1,
      metadataVersion: 6,
      sourceUri: 's3://primary/x',
      replicaUri: `s3://replica/${folder}`,
      metadata: {
        key: `${folder}/_metadata`,
        sizeBytes: metadata.length,
        sha256: createHash('sha256').update(metadata).digest('hex'),
      },
      files: [],
      sourceOffsets: [{ topic: 'events', partition: 0, offset: String(checkpointId * 10) }],
      droppedTransactions: [],
      ...over,
    };
    await objects.put(`${folder}/_metadata`, metadata);
    await objects.put(`${folder}/manifest.json`, encodeManifest(manifest));
  }
  return objects;
}

/** A broker whose one partition of `events` ends there. */
export const endingAt = (logEndOffset: bigint) =>
  ({
    describeTopics: async () => new Map([['events', { name: 'events', topicId: 'x', partitions: 1 }]]),
    logRanges: async () => [{ topic: 'events', partition: 0, logStartOffset: 0n, logEndOffset }],
  }) as unknown as KafkaAdmin;
