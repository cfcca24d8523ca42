import { createHash } from 'node:crypto';
import type { CheckpointManifest, SinkEnds } from '../../../../domain/checkpoint.ts';
import type { KafkaAdmin } from '../../../../regions/kafka/kafka-admin.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import { pointFolder } from '../../../../replication/checkpoints/locations.ts';
import { encodeManifest } from '../../../../replication/checkpoints/manifest.ts';
import type { JudgedPoint } from '../../../../replication/recovery-point/choose.ts';

const flinkJobId = 'a'.repeat(32);

/** A replica of checkpoints of `counts`, written in the given order, each of which goes on at ten times its id. */
export async function replica(ids: readonly number[], over: Partial<CheckpointManifest> = {}) {
  const objects = memoryObjectStore('replica');
  for (const checkpointId of ids) await putPoint(objects, 'counts', checkpointId, over);
  return objects;
}

/** Writes a checkpoint of a job that goes on at ten times its id. */
export async function putPoint(
  objects: ObjectStore,
  job: string,
  checkpointId: number,
  over: Partial<CheckpointManifest> = {},
) {
  const { folder, metadata, manifest } = samplePoint(job, checkpointId, over);
  await objects.put(`${folder}/_metadata`, metadata);
  await objects.put(`${folder}/manifest.json`, encodeManifest(manifest));
}

function samplePoint(job: string, checkpointId: number, over: Partial<CheckpointManifest>) {
  const folder = pointFolder(job, { flinkJobId, checkpointId });
  const metadata = Buffer.from(`metadata ${checkpointId}`);
  const manifest: CheckpointManifest = {
    version: 1,
    job,
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
  return { folder, metadata, manifest };
}

/** A checkpoint of `counts` with which nothing is wrong. */
export function judgedPoint(over: Partial<CheckpointManifest> = {}): JudgedPoint {
  const { manifest } = samplePoint('counts', over.checkpointId ?? 1, over);
  return { manifest, reasons: [], replay: { records: 0n, partitions: [] }, sinks: { reasons: [], notes: [], gap: [] } };
}

/** What a job that writes partition 0 of a topic had committed with a checkpoint. */
export const sinkEnd = (topic: string, stableOffset: number, newerComplete = false): SinkEnds => ({
  atMs: 1,
  newerComplete,
  partitions: [{ topic, partition: 0, endOffset: String(stableOffset), stableOffset: String(stableOffset) }],
  open: [],
});

/** A broker whose one partition of each topic ends there. */
export const endingAt = (logEndOffset: bigint, topics: readonly string[] = ['events']) =>
  ({
    describeTopics: async () => new Map(topics.map((name) => [name, { name, topicId: 'x', partitions: 1 }])),
    logRanges: async () => topics.map((topic) => ({ topic, partition: 0, logStartOffset: 0n, logEndOffset })),
  }) as unknown as KafkaAdmin;
