import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { startTestCluster, type TestCluster } from '../support/kafka-test-cluster.ts';

const partitionCount = 6;
let primary: TestCluster;
let standby: TestBroker;
let source: Kafka;
let standbyAdmin: PlatformaticAdmin;

beforeAll(async () => {
  [primary, standby] = await Promise.all([startTestCluster(3), startTestBroker()]);
  source = client(primary.addresses);
  standbyAdmin = new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.address] });
});
afterAll(async () => {
  await standbyAdmin?.close();
  await Promise.all([primary?.stop(), standby?.stop()]);
});

function client(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 30, maxRetryTime: 1_000 } });
}

/** Leaders in turn over the three brokers. */
async function makeTopic(topic: string, replicas: number): Promise<readonly TopicPartition[]> {
  const admin = source.admin();
  const order = (p: number) => [0, 1, 2].map((i) => ((p + i) % 3) + 1).slice(0, replicas);
  const replicaAssignment = Array.from({ length: partitionCount }, (_, p) => ({ partition: p, replicas: order(p) }));
  await admin.createTopics({ topics: [{ topic, replicaAssignment }], waitForLeaders: true });
  await admin.disconnect();
  await standbyAdmin.createTopic({ name: topic, partitions: partitionCount, configs: {} });
  return Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
}

/** Writes to every partition until it is stopped, each on its own; gives how many were acknowledged. */
function load(producer: Producer, topic: string) {
  let writing = true;
  let sent = 0;
  const lanes = Array.from({ length: partitionCount }, async (_, partition) => {
    for (let n = 0; writing; n++) {
      const messages = Array.from({ length: 20 }, (_, i) => ({ partition, value: `${partition}-${n}-${i}` }));
      const done = await producer.send({ topic, messages }).catch(() => undefined); // A broker is away: tried again.
      sent += done ? 20 : 0;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  return {
    stop: async () => {
      writing = false;
      await Promise.all(lanes);
      return sent;
    },
  };
}

const ends = (mirror: Mirror, topic: string) =>
  mirror.status().topics[topic]?.partitions.map((p) => Number(p.mirroredEndOffset)) ?? [];

/** Each of these partitions gets further within the time. */
async function progresses(mirror: Mirror, topic: string, which: readonly number[], withinMs: number): Promise<void> {
  const before = ends(mirror, topic);
  const further = () => which.filter((p) => (ends(mirror, topic)[p] ?? 0) > (before[p] ?? 0) + 20);
  await expect.poll(further, { timeout: withinMs, interval: 20 }).toEqual(which);
}

/** Every record as text, by partition and offset. */
async function readAll(brokers: readonly string[], topic: string): Promise<ReadonlyMap<string, string>> {
  const kafka = client(brokers);
  const admin = kafka.admin();
  // A leader that has moved a moment ago may not know it yet, and this client asks once.
  const ends = await vi.waitFor(() => admin.fetchTopicOffsets(topic), { timeout: 10_000, interval: 250 });
  const total = ends.reduce((sum, p) => sum + Number(p.high), 0);
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: `audit-${Math.random()}` });
  const records = new Map<string, string>();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          for (const m of batch.messages) records.set(`${batch.partition}@${m.offset}`, `${m.timestamp} ${m.value}`);
          if (records.size >= total) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return records;
}

async function underLoad(topic: string, replicas: number, disturb: (mirror: Mirror) => Promise<void>): Promise<void> {
  const partitions = await makeTopic(topic, replicas);
  const producer = source.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const mirror = new Mirror({
    source: { name: 'mumbai', bootstrap: primary.addresses },
    target: { name: 'singapore', bootstrap: [standby.address] },
    partitions,
    producer: await standbyAdmin.initProducer(`mirror-${topic}`),
    clock: wallClock,
    tuning: { requestTimeoutMs: 1_500 },
  });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  const writing = load(producer, topic);
  try {
    await progresses(mirror, topic, [0, 1, 2, 3, 4, 5], 15_000);
    await disturb(mirror);
    const sent = await writing.stop();
    await expect.poll(() => mirror.status().topics[topic]?.lagRecords, { interval: 50 }).toBe(0);
    expect(mirror.status().topics[topic]?.partitions.filter((p) => p.stop)).toEqual([]);
    const [here, there] = [await readAll(primary.addresses, topic), await readAll([standby.address], topic)];
    expect(here.size).toBeGreaterThanOrEqual(sent);
    expect(there.size).toBe(here.size);
    expect([...here].filter(([at, record]) => there.get(at) !== record)).toEqual([]);
  } finally {
    for (const broker of primary.brokers) if (broker.pid === 0) await broker.start();
    await writing.stop();
    stopping.abort();
    await running;
    await producer.disconnect();
  }
}

test('follows the leaders when a broker of the source dies, while the other partitions go on, and when it is back', async () => {
  await underLoad('killed', 3, async (mirror) => {
    for (const node of [2, 3]) {
      const broker = primary.brokers[node - 1] as TestBroker;
      await broker.kill();
      // The source itself acknowledges nothing until the dead broker is out of the in-sync replicas: two seconds.
      await progresses(mirror, 'killed', [0, 1, 2, 3, 4, 5], 8_000);
      await broker.start();
      await progresses(mirror, 'killed', [0, 1, 2, 3, 4, 5], 8_000);
    }
  });
});

test('follows partitions that are moved to other brokers, without replicas', async () => {
  await underLoad('moved', 1, async (mirror) => {
    const admin = source.admin();
    for (const shift of [1, 2]) {
      const partitionAssignment = [0, 1, 2].map((p) => ({ partition: p, replicas: [((p + shift) % 3) + 1] }));
      const reassign = () => admin.alterPartitionReassignments({ topics: [{ topic: 'moved', partitionAssignment }] });
      // Brokers that were killed and started a moment ago may still be about to register, and the controller to change.
      await expect.poll(() => reassign().then(() => 'asked', String), { interval: 500 }).toBe('asked');
      await progresses(mirror, 'moved', [0, 1, 2, 3, 4, 5], 8_000);
    }
    await admin.disconnect();
  });
});

test('waits for the partitions of a broker that is away and has no replicas, and mirrors the others meanwhile', async () => {
  await underLoad('alone', 1, async (mirror) => {
    const broker = primary.brokers[1] as TestBroker;
    await broker.kill();
    // Partition p is led by node p % 3 + 1.
    await progresses(mirror, 'alone', [0, 2, 3, 5], 2_500);
    await progresses(mirror, 'alone', [0, 2, 3, 5], 2_500);
    expect(
      mirror
        .status()
        .topics.alone?.partitions.filter((p) => p.trouble)
        .map((p) => p.partition),
    ).toEqual([1, 4]);
    expect(mirror.status().source.reachable).toBe(true);
    const admin = new PlatformaticAdmin({ region: 'mumbai', bootstrap: primary.addresses });
    expect((await admin.describeTopics(['alone'])).get('alone')).toMatchObject({ partitions: partitionCount });
    await admin.close();
    await broker.start();
    await progresses(mirror, 'alone', [0, 1, 2, 3, 4, 5], 8_000);
  });
});
