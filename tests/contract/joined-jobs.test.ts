import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SinkEnds } from '../../domain/checkpoint.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { sinkWatch } from '../../replication/checkpoints/sink-ends.ts';
import { seeJobs } from '../../replication/recovery-point/find.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { kafkajsClient } from '../support/mirror-pair.ts';
import { putPoint } from '../unit/replication/recovery-point/point-sample.ts';

const topic = 'enriched';
let broker: TestBroker;
let admin: PlatformaticAdmin;
let sink: Producer;

beforeAll(async () => {
  broker = await startTestBroker();
  admin = new PlatformaticAdmin({ region: 'test', bootstrap: [broker.address] });
  await admin.createTopic({ name: topic, partitions: 1, configs: {} });
  sink = kafkajsClient(broker).producer({ transactionalId: 'enrich-0-1', idempotent: true, maxInFlightRequests: 1 });
  await sink.connect();
});
afterAll(async () => {
  await sink?.disconnect();
  await admin?.close();
  await broker?.stop();
});

const records = (count: number) => Array.from({ length: count }, (_, i) => ({ key: `${i}`, value: 'x' }));

test('a reader of a topic goes back behind what its writer had not committed with its checkpoint', async () => {
  const first = await sink.transaction();
  await first.send({ topic, messages: records(10) });
  await first.commit();
  // What is open when the writer's checkpoint completes belongs to its next one.
  const next = await sink.transaction();
  await next.send({ topic, messages: records(5) });
  const watch = sinkWatch({ name: 'test', bootstrap: [broker.address] });
  const look = async (): Promise<SinkEnds> => ({ atMs: 1, newerComplete: false, ...(await watch.look([topic])) });
  try {
    // A broker writes a transaction's marker after its answer.
    await expect.poll(async () => (await look()).partitions[0]?.stableOffset).toBe('11');
    const objects = memoryObjectStore('replica');
    await putPoint(objects, 'enrich', 1, {
      sourceOffsets: [{ topic, partition: 0, offset: '0' }],
      sinkEnds: await look(),
    });
    for (const [id, offset] of [
      [1, '10'],
      [2, '11'],
      [3, '14'],
    ] as const)
      await putPoint(objects, 'counts', id, { sourceOffsets: [{ topic, partition: 0, offset }] });
    await next.commit();
    const jobs = [
      { job: 'counts', writes: [] },
      { job: 'enrich', writes: [topic] },
    ];
    const seen = await seeJobs({ objects, kafka: admin, topics: [topic] }, jobs);
    expect(seen.map((s) => [s.job, s.chosen?.manifest.checkpointId])).toEqual([
      ['counts', 2],
      ['enrich', 1],
    ]);
    expect(seen[0]?.points[0]?.reasons).toEqual([
      {
        code: 'ReaderPastWriter',
        message: 'enriched-0: the job would go on at 14, enrich at its checkpoint 1 had committed up to 11',
      },
    ]);
  } finally {
    watch.close();
  }
});
