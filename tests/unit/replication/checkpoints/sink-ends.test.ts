import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../../../regions/flink/metadata-writer.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { listReplica } from '../../../../replication/checkpoints/replica.ts';
import type { SeenSinkEnds } from '../../../../replication/checkpoints/sink-ends.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { FULL, putFullSample } from '../../../support/checkpoint-bucket.ts';
import { flinkSample } from '../../../support/flink-samples.ts';

const seen: SeenSinkEnds = {
  partitions: [{ topic: 'metrics', partition: 0, endOffset: '120', stableOffset: '100' }],
  open: [{ topic: 'metrics', partition: 0, producerId: '7', producerEpoch: 3, firstOffset: '100' }],
};
const clock = { now: () => 5_000, monotonic: () => 5_000, sleep: async () => undefined };

async function replicated(look: (source: ReturnType<typeof memoryObjectStore>) => Promise<SeenSinkEnds>) {
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary', now: clock.now });
  const target = memoryObjectStore('standby', { uri: 's3://replica', now: clock.now });
  await putFullSample(source);
  const lookAtSinks = () => look(source);
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock, lookAtSinks });
  const step = await sync.step();
  const [point] = (await listReplica(target, 'counts')).points;
  return { step, manifest: point?.manifest };
}

test('the manifest tells where the sinks ended once the checkpoint was complete', async () => {
  const { step, manifest } = await replicated(async () => seen);
  expect(manifest?.checkpointId).toBe(FULL.checkpointId);
  expect(manifest?.sinkEnds).toEqual({ atMs: 5_000, newerComplete: false, ...seen });
  expect(step.sinksUnseen).toBeUndefined();
});

test('a Kafka that is silent keeps no checkpoint from the replica, and is told', async () => {
  const { step, manifest } = await replicated(async () => {
    throw new ArgusError('KafkaUnreachable', 'primary: no answer within 2000 ms');
  });
  expect(manifest?.checkpointId).toBe(FULL.checkpointId);
  expect(manifest).not.toHaveProperty('sinkEnds');
  expect(step.sinksUnseen).toBe('primary: no answer within 2000 ms');
});

test('tells whether a newer checkpoint was complete when the sinks were looked at', async () => {
  const metadata = readMetadata(flinkSample('v6-full').bytes);
  const directory = `checkpoints/${FULL.flinkJobId}/chk-5`;
  const complete = await replicated(async (source) => {
    await source.put(`${directory}/_metadata`, writeMetadata({ ...metadata, checkpointId: 5n }));
    return seen;
  });
  expect(complete.manifest?.sinkEnds?.newerComplete).toBe(true);
  const begun = await replicated(async (source) => {
    await source.put(`${directory}/a-file`, new Uint8Array(1));
    return seen;
  });
  expect(begun.manifest?.sinkEnds?.newerComplete).toBe(false);
});
