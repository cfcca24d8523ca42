import { createServer, type Server } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { lookAtVersions } from '../../health/look-at-versions.ts';
import { regionVersionsText } from '../../health/platform-versions.ts';
import { featureLevelsRequest } from '../../regions/kafka/feature-levels.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { releaseOfMetadataVersion } from '../../regions/kafka/metadata-version.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import type { Region } from '../../regions/region.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';

let broker: TestBroker;
let admin: PlatformaticAdmin;
let count = 0;

beforeAll(async () => {
  broker = await startTestBroker();
  admin = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [broker.address] });
});
afterAll(async () => {
  await admin?.close();
  await broker?.stop();
});

async function newTopic(partitions = 1): Promise<string> {
  const name = `topic-${++count}`;
  await admin.createTopic({ name, partitions, configs: {} });
  return name;
}

test('the release of brokers is told by the level of metadata.version, agreed on and supported', async () => {
  const times = { connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  const cluster = new KafkaCluster({ name: 'mumbai', bootstrap: [broker.address], clientId: 'test', ...times });
  try {
    const { levels, supported } = await cluster.ask(featureLevelsRequest);
    const [level = 0, most = 0] = [levels.get('metadata.version'), supported.get('metadata.version')];
    expect([level, most].map(releaseOfMetadataVersion)).toEqual(['4.3', '4.3']);
  } finally {
    cluster.close();
  }
  // One look waits for 2 s, which a busy machine may take longer than.
  const flink = { versions: async () => [{ version: '2.2.1' }] };
  const region = { name: 'mumbai', brokers: { name: 'mumbai', bootstrap: [broker.address] }, flink };
  const look = () =>
    lookAtVersions([region as unknown as Region], { clock: wallClock, signal: new AbortController().signal });
  await expect
    .poll(async () => (await look().whole).map(regionVersionsText))
    .toEqual(['Kafka 4.3 (metadata.version 30) · Flink 2.2.1']);
});

describe('the Kafka admin', () => {
  test('creates a topic with its configuration and describes it; what is missing is absent', async () => {
    await admin.createTopic({ name: 'described', partitions: 3, configs: { 'retention.ms': '60000' } });
    const topics = await admin.describeTopics(['described', 'missing']);
    expect([...topics.keys()]).toEqual(['described']);
    expect(topics.get('described')).toMatchObject({ partitions: 3, topicId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect((await admin.topicConfigs('described')).get('retention.ms')).toBe('60000');
    expect((await admin.describeTopics()).has('described')).toBe(true);
  });

  test('refuses to create a topic that exists', async () => {
    const name = await newTopic();
    await expect(admin.createTopic({ name, partitions: 1, configs: {} })).rejects.toMatchObject({
      code: 'KafkaFailed',
    });
  });

  test('gives log ranges in order; a missing partition is an error', async () => {
    const topic = await newTopic(2);
    const producer = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: [
        { value: 'a', partition: 1 },
        { value: 'b', partition: 1 },
      ],
    });
    await producer.disconnect();
    const ranges = await admin.logRanges([
      { topic, partition: 1 },
      { topic, partition: 0 },
    ]);
    expect(ranges).toEqual([
      { topic, partition: 0, logStartOffset: 0n, logEndOffset: 0n },
      { topic, partition: 1, logStartOffset: 0n, logEndOffset: 2n },
    ]);
    await expect(admin.logRanges([{ topic, partition: 2 }])).rejects.toMatchObject({ code: 'KafkaFailed' });
    await expect(admin.logRanges([{ topic: 'missing', partition: 0 }])).rejects.toMatchObject({ code: 'KafkaFailed' });
  });

  test('commits and reads offsets of a group without members; an unknown group has none', async () => {
    const topic = await newTopic(2);
    const offsets = [
      { topic, partition: 0, offset: 5n },
      { topic, partition: 1, offset: 0n },
    ];
    await admin.setGroupOffsets('idle', offsets);
    expect(await admin.groupOffsets('idle')).toEqual(offsets);
    expect(await admin.groupOffsets('unknown')).toEqual([]);
  });

  test('neither commits into nor deletes a group that has members', async () => {
    const topic = await newTopic();
    const consumer = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).consumer({ groupId: 'busy' });
    const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic] });
      await consumer.run({ eachMessage: async () => undefined });
      await joined;
      const commit = admin.setGroupOffsets('busy', [{ topic, partition: 0, offset: 0n }]);
      await expect(commit).rejects.toMatchObject({ code: 'GroupActive' });
      expect((await admin.deleteGroups(['busy'])).get('busy')).toMatchObject({ code: 'GroupActive' });
      expect(await admin.listGroups()).toContain('busy');
    } finally {
      await consumer.disconnect();
    }
  });

  test('deletes topics, and tells nothing of those that are missing', async () => {
    const names = [await newTopic(), await newTopic(2)];
    await admin.deleteTopics([...names, 'never-there']);
    expect((await admin.describeTopics(names)).size).toBe(0);
    await admin.deleteTopics(names);
  });

  test('deletes groups that have no members', async () => {
    const topic = await newTopic();
    await admin.setGroupOffsets('left', [{ topic, partition: 0, offset: 0n }]);
    const deleted = await admin.deleteGroups(['left', 'never-there']);
    expect([...deleted.values()]).toEqual([undefined, undefined]);
    expect(await admin.listGroups()).not.toContain('left');
  });

  test('sets, tells and takes away the limits of one principal', async () => {
    const limits = async (principal: string) => Object.fromEntries(await admin.describeQuotas(principal));
    await admin.alterQuotas('User:drill', { consumer_byte_rate: 1_000_000, producer_byte_rate: 500_000 });
    await admin.alterQuotas('User:other', { producer_byte_rate: 7 });
    await expect
      .poll(() => limits('User:drill'))
      .toEqual({ consumer_byte_rate: 1_000_000, producer_byte_rate: 500_000 });
    await admin.alterQuotas('User:drill', { producer_byte_rate: null });
    await expect.poll(() => limits('User:drill')).toEqual({ consumer_byte_rate: 1_000_000 });
    await admin.alterQuotas('User:drill', { consumer_byte_rate: null, producer_byte_rate: null });
    await expect.poll(() => limits('User:drill')).toEqual({});
    expect(await limits('User:other')).toEqual({ producer_byte_rate: 7 });
  });

  test('makes a producer id once and raises its epoch at every further call', async () => {
    const first = await admin.initProducer('epochs');
    expect(first.producerEpoch).toBe(0);
    expect(await admin.initProducer('epochs')).toEqual({ producerId: first.producerId, producerEpoch: 1 });
  });

  test('fences a producer with one marker in each partition', async () => {
    const topic = await newTopic(2);
    const partitions = [
      { topic, partition: 0 },
      { topic, partition: 1 },
    ];
    const identity = await admin.initProducer('fenced');
    await admin.fenceProducer({ transactionalId: 'fenced', ...identity }, partitions);
    expect((await admin.logRanges(partitions)).map((r) => r.logEndOffset)).toEqual([1n, 1n]);
  });
});

describe('a broker that does not answer', () => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const o of opened.splice(0)) await o.close();
  });
  function adminAt(address: string, deadlineMs: number): PlatformaticAdmin {
    const other = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [address], deadlineMs });
    opened.push(other);
    return other;
  }

  test('is KafkaUnreachable at once when it refuses connections', async () => {
    const other = adminAt('127.0.0.1:1', 10_000);
    await expect(other.describeTopics()).rejects.toMatchObject({ code: 'KafkaUnreachable', retryable: true });
    await expect(other.initProducer('x')).rejects.toMatchObject({ code: 'KafkaUnreachable' });
  });

  test('is KafkaUnreachable at the deadline when it accepts connections and keeps silent', async () => {
    const server: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    opened.push(server);
    const other = adminAt(`127.0.0.1:${(server.address() as { port: number }).port}`, 700);
    const before = performance.now();
    await expect(other.describeTopics()).rejects.toMatchObject({ code: 'KafkaUnreachable' });
    await expect(
      other.fenceProducer({ transactionalId: 'x', producerId: 1n, producerEpoch: 0 }, []),
    ).rejects.toMatchObject({ code: 'KafkaUnreachable' });
    expect(performance.now() - before).toBeLessThan(10_000);
    const waiting = other.describeTopics();
    waiting.catch(() => undefined); // Awaited after the close.
    await other.close();
    await expect(waiting).rejects.toMatchObject({ code: 'KafkaFailed' });
  });

  test('ends a call by the caller`s signal', async () => {
    broker.freeze();
    try {
      const call = admin.describeTopics(undefined, { signal: AbortSignal.timeout(200) });
      await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    } finally {
      broker.thaw();
    }
  });

  test('is used again after it was frozen, and after it was killed and started', async () => {
    const other = adminAt(broker.address, 1_500);
    await other.describeTopics();
    broker.freeze();
    await expect(other.describeTopics()).rejects.toMatchObject({ code: 'KafkaUnreachable' });
    broker.thaw();
    expect((await other.describeTopics(['described'])).size).toBe(1);
    await broker.kill();
    await expect(other.describeTopics()).rejects.toMatchObject({ code: 'KafkaUnreachable' });
    await broker.start();
    await expect.poll(() => other.describeTopics(['described']).then((t) => t.size), { timeout: 15_000 }).toBe(1);
  });
});
