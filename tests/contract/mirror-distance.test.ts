import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { verifyTopics } from '../../replication/topics/verify.ts';
import { type LinkedPair, startLinkedPair } from '../support/chaos/mirror-link.ts';

const topic = 'far';
const partitions = Array.from({ length: 10 }, (_, partition) => ({ topic, partition }));
const recordsEach = 60;
let pair: LinkedPair;
let admins: PlatformaticAdmin[];

beforeAll(async () => {
  pair = await startLinkedPair();
  const { source, standby } = pair.brokers;
  admins = [source, standby].map((b, i) => new PlatformaticAdmin({ region: `region ${i}`, bootstrap: [b.address] }));
});
afterAll(async () => {
  await Promise.all((admins ?? []).map((admin) => admin.close()));
  await pair?.stop();
});

/** Batches of 40 KB: each partition has more than one answer carries. */
async function write(): Promise<void> {
  const producer = new Kafka({ brokers: [pair.brokers.source.address], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  const value = Buffer.alloc(40_000, 'x');
  for (let n = 0; n < recordsEach; n++) {
    await producer.send({ topic, messages: partitions.map(({ partition }) => ({ partition, key: `${n}`, value })) });
  }
  await producer.disconnect();
}

// Such a round trip has the partitions spread over four connections, in a fetch session each.
test('mirrors partitions of a source that is 80 ms away, over several connections, as they are', async () => {
  const [here, there] = admins as [PlatformaticAdmin, PlatformaticAdmin];
  for (const admin of [here, there]) await admin.createTopic({ name: topic, partitions: 10, configs: {} });
  await write();
  const source = { name: 'mumbai', bootstrap: [pair.farAddress.source] };
  const target = { name: 'singapore', bootstrap: [pair.brokers.standby.address] };
  await pair.links.source.delay(40);
  const producer = await there.initProducer('mirror-far');
  const mirror = new Mirror({ source, target, partitions, producer, clock: wallClock });
  const behind = () =>
    mirror.status().topics[topic]?.partitions.filter((p) => p.stop || p.mirroredEndOffset !== BigInt(recordsEach));
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  try {
    await expect.poll(behind, { interval: 50 }).toEqual([]);
    await pair.links.source.delay(0);
    const compare = { source, target, partitions, compacted: new Set<string>(), clock: wallClock };
    const ranges = await verifyTopics({ ...compare, signal: AbortSignal.timeout(60_000) });
    expect(ranges.filter((r) => r.difference)).toEqual([]);
    expect(ranges.map((r) => r.toOffset)).toEqual(partitions.map(() => BigInt(recordsEach)));
  } finally {
    stopping.abort();
    await running;
  }
});
