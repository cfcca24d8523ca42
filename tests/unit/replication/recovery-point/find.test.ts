import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import type { KafkaAdmin } from '../../../../regions/kafka/kafka-admin.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { pointFolder } from '../../../../replication/checkpoints/locations.ts';
import { encodeManifest } from '../../../../replication/checkpoints/manifest.ts';
import { describeRefusal, findRecoveryPoint, noPointSentence } from '../../../../replication/recovery-point/find.ts';

const flinkJobId = 'a'.repeat(32);

/** A replica of checkpoints, written in the given order, each of which goes on at ten times its id. */
async function replica(ids: readonly number[]) {
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
    };
    await objects.put(`${folder}/_metadata`, metadata);
    await objects.put(`${folder}/manifest.json`, encodeManifest(manifest));
  }
  return objects;
}

/** A broker whose partition ends there. */
const endingAt = (logEndOffset: bigint) =>
  ({
    describeTopics: async () => new Map([['events', { name: 'events', topicId: 'x', partitions: 1 }]]),
    logRanges: async () => [{ topic: 'events', partition: 0, logStartOffset: 0n, logEndOffset }],
  }) as unknown as KafkaAdmin;

const find = async (ids: readonly number[], end: bigint) =>
  findRecoveryPoint({ objects: await replica(ids), kafka: endingAt(end), job: 'counts', topics: ['events'] });

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

test('looks back past any number of newer checkpoints that lie beyond a mirror that stands still', async () => {
  const found = await find(upTo(70), 35n);
  expect(found).toMatchObject({ kind: 'chosen', point: { checkpointId: 3 } });
  expect(found.rejected.map((r) => r.checkpointId)).toEqual(upTo(70).slice(3).reverse());
});

test('chooses the newest also when older ones were copied after it', async () => {
  const found = await find([40, ...upTo(39).reverse()], 1_000n);
  expect(found).toMatchObject({ kind: 'chosen', point: { checkpointId: 40 }, rejected: [] });
});

test('finds none when all are refused, each with its reason', async () => {
  const found = await find(upTo(12), 5n);
  expect(found.kind).toBe('none');
  expect(found.rejected).toHaveLength(12);
  expect(describeRefusal(found.rejected[0]!)).toBe('events-0: the job would go on at 120, the mirror ends at 5');
});

test('a refusal with many reasons is told by its first, and their number', () => {
  const reason = { code: 'FileMissing' as const, message: 'a is not on the replica' };
  expect(describeRefusal({ reasons: [reason, reason, reason] })).toBe('a is not on the replica (and 2 more)');
  expect(noPointSentence('counts', [])).toBe('the replica holds no complete checkpoint of counts');
});
