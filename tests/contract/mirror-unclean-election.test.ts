import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { startTestCluster, type TestCluster } from '../support/kafka-test-cluster.ts';

const topic = 'elected';
const partitions = [{ topic, partition: 0 }];
let primary: TestCluster;
let standby: TestBroker;
let standbyAdmin: PlatformaticAdmin;
let source: Kafka;

beforeAll(async () => {
  [primary, standby] = await Promise.all([startTestCluster(3), startTestBroker()]);
  standbyAdmin = new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.address] });
  source = new Kafka({
    brokers: [...primary.addresses],
    logLevel: logLevel.NOTHING,
    retry: { retries: 30, maxRetryTime: 1_000 },
  });
});
afterAll(async () => {
  await standbyAdmin?.close();
  await Promise.all([primary?.stop(), standby?.stop()]);
});

/** By a producer of its own, which asks anew who leads. */
async function write(name: string, count: number): Promise<void> {
  const producer = source.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  for (let i = 0; i < count; i++) await producer.send({ topic, messages: [{ value: `${name} ${i}` }] });
  await producer.disconnect();
}

async function makeTopic(): Promise<void> {
  const admin = source.admin();
  const configEntries = [
    { name: 'unclean.leader.election.enable', value: 'true' },
    { name: 'min.insync.replicas', value: '1' },
  ];
  const replicaAssignment = [{ partition: 0, replicas: [2, 3] }];
  await admin.createTopics({ topics: [{ topic, replicaAssignment, configEntries }], waitForLeaders: true });
  await admin.disconnect();
  await standbyAdmin.createTopic({ name: topic, partitions: 1, configs: {} });
}

/** Makes a replica the leader that lacks what was written while it was away, and writes past that. */
async function electUncleanly(): Promise<void> {
  const leader = primary.brokers[1] as TestBroker;
  const behind = primary.brokers[2] as TestBroker;
  await leader.kill();
  await behind.start();
  await write('other', 30);
}

test('names the range that the source lost when a leader without it was elected, also once it holds others there', async () => {
  await makeTopic();
  const mirror = new Mirror({
    source: { name: 'mumbai', bootstrap: primary.addresses },
    target: { name: 'singapore', bootstrap: [standby.address] },
    partitions,
    producer: await standbyAdmin.initProducer('mirror-elected'),
    clock: wallClock,
    tuning: { requestTimeoutMs: 1_500 },
  });
  const state = () => mirror.status().topics[topic]?.partitions[0];
  const mirrored = (end: bigint) =>
    expect.poll(() => state()?.stop ?? state()?.mirroredEndOffset, { interval: 20 }).toBe(end);
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  try {
    await write('both', 10);
    await mirrored(10n);
    await (primary.brokers[2] as TestBroker).kill();
    await write('one', 10);
    await mirrored(20n);
    mirror.follow({ partitions, held: { [topic]: { reason: 'Paused', detail: 'for the election' } } });
    await electUncleanly();
    mirror.follow({ partitions, held: {} });
    await expect.poll(() => state()?.stop?.reason, { interval: 50 }).toBe('SourceTailLost');
    expect(state()?.stop?.detail).toMatch(/^the source lost offsets 10 to 19, /);
    expect(state()?.mirroredEndOffset).toBe(20n);
  } finally {
    stopping.abort();
    await running;
  }
});
