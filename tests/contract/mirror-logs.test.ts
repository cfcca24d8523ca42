import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { recordBatches } from '../../regions/kafka/record-batch.ts';
import type { Mirror } from '../../replication/topics/mirror.ts';
import { verifyTopics } from '../../replication/topics/verify.ts';
import { readByJava, writeByJava } from '../support/java-client.ts';
import type { TestBroker } from '../support/kafka-broker.ts';
import {
  logEnds,
  type MirrorPair,
  messages,
  mirroring,
  mirrorProcess,
  type PreparedTopic,
  startMirrorPair,
} from '../support/mirror-pair.ts';

let pair: MirrorPair;

beforeAll(async () => {
  pair = await startMirrorPair();
});
afterAll(() => pair?.stop());

/** Both logs hold the same over all offsets, byte for byte. */
async function expectVerified({ settings, partitions }: PreparedTopic): Promise<void> {
  const ranges = await verifyTopics({
    ...settings,
    compacted: new Set(),
    clock: wallClock,
    signal: AbortSignal.timeout(30_000),
  });
  expect(ranges.map((r) => r.difference)).toEqual(partitions.map(() => undefined));
  expect(ranges.map((r) => r.toOffset)).toEqual(await logEnds(pair.primaryAdmin, partitions));
}

/** The codecs of a partition's batches, by number. */
async function codecsOf(broker: TestBroker, topic: string, partition: number): Promise<ReadonlySet<number>> {
  const options = { clientId: 'audit', connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  const cluster = new KafkaCluster({ name: 'audit', bootstrap: [broker.address], ...options });
  try {
    await cluster.refresh([topic]);
    const position = { topic, partition, offset: 0n, maxBytes: 10_000_000 };
    const request = fetchRequest([position], { maxWaitMs: 0, maxBytes: 10_000_000 });
    const [answer] = await cluster.send(cluster.leaderOf(position), 'control', request);
    return new Set([...recordBatches(answer?.records ?? Buffer.alloc(0))].map((b) => b.bytes.readInt16BE(21) & 7));
  } finally {
    cluster.close();
  }
}

const stopOf = (mirror: Mirror, topic: string) => mirror.status().topics[topic]?.partitions[0]?.stop;

describe('the mirror keeps', () => {
  test('every compression, null and empty keys and values, headers and times, as Kafka`s own client reads them', async () => {
    const prepared = await pair.prepare(2);
    const { topic } = prepared;
    await writeByJava(pair.primary.address, topic, 2);
    expect(await logEnds(pair.primaryAdmin, prepared.partitions)).toEqual([1_000n, 1_000n]);
    await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
    for (const partition of [0, 1]) {
      expect([...(await codecsOf(pair.standby, topic, partition))].sort()).toEqual([0, 1, 2, 3, 4]);
    }
    await expectVerified(prepared);
    const here = await readByJava(pair.primary.address, topic, 2);
    expect(here).toHaveLength(2_000);
    expect(await readByJava(pair.standby.address, topic, 2)).toEqual(here);
  });

  test('records of 8 MiB beside small ones, in one partition and in others', async () => {
    const prepared = await pair.prepare(2, { 'max.message.bytes': `${9 * 1024 * 1024}` });
    const { topic } = prepared;
    const producer = await pair.newProducer();
    const large = (name: string) => ({ key: name, value: name.repeat((8 * 1024 * 1024) / name.length), partition: 0 });
    await producer.send({ topic, messages: messages('before', 50) });
    await producer.send({ topic, messages: [large('first')] });
    await producer.send({ topic, messages: messages('beside', 500, 1) });
    await producer.send({ topic, messages: [large('second')] });
    await producer.send({ topic, messages: messages('after', 50) });
    await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
    expect(await logEnds(pair.standbyAdmin, prepared.partitions)).toEqual([102n, 500n]);
    await expectVerified(prepared);
  });

  test('partitions that are empty: nothing is written to them, and the first record gets offset 0', async () => {
    const prepared = await pair.prepare(3);
    const { topic, partitions } = prepared;
    const producer = await pair.newProducer();
    await producer.send({ topic, messages: messages('only here', 5, 1) });
    await mirroring(prepared, async (mirror) => {
      await pair.catchesUp(mirror, prepared);
      expect(mirror.status().topics[topic]).toMatchObject({ lagRecords: 0 });
      expect(await logEnds(pair.standbyAdmin, partitions)).toEqual([0n, 5n, 0n]);
      await producer.send({ topic, messages: messages('first', 1, 2) });
      await pair.catchesUp(mirror, prepared);
    });
    await expectVerified(prepared);
  });

  test('a log that two mirrors of one identity write at once', async () => {
    const prepared = await pair.prepare(2);
    const { topic } = prepared;
    const producer = await pair.newProducer();
    const small = { ...prepared, settings: { ...prepared.settings, tuning: { partitionMaxBytes: 4_096 } } };
    const others = [mirrorProcess(small), mirrorProcess(small)];
    const end = async () => (await logEnds(pair.standbyAdmin, prepared.partitions))[0];
    try {
      await producer.send({ topic, messages: messages('first', 1) });
      await expect.poll(end).toBe(1n);
      for (let i = 0; i < 300; i++) await producer.send({ topic, messages: messages(`round ${i}`, 20, i % 2) });
      await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
    } finally {
      await Promise.all(others.map((other) => other.kill()));
    }
    await expectVerified(prepared);
  });
});

describe('the mirror refuses', () => {
  test('a topic that stamps records on append, before it begins, and where that is set while it runs', async () => {
    const prepared = await pair.prepare(1);
    const { topic, partitions } = prepared;
    const producer = await pair.newProducer();
    await producer.send({ topic, messages: messages('by its producer', 3) });
    await mirroring(prepared, async (mirror) => {
      await pair.catchesUp(mirror, prepared);
      await pair.primaryAdmin.alterTopicConfigs(topic, { 'message.timestamp.type': 'LogAppendTime' });
      const stamps = async () => (await pair.primaryAdmin.topicConfigs(topic)).get('message.timestamp.type');
      await expect.poll(stamps).toBe('LogAppendTime');
      await producer.send({ topic, messages: messages('stamped', 2) });
      await expect.poll(() => stopOf(mirror, topic)?.reason).toBe('StampedOnAppend');
    });
    expect(await logEnds(pair.standbyAdmin, partitions)).toEqual([3n]);
    const verdict = await pair.verdictOn(topic);
    expect(verdict?.reasons.map((r) => r.code)).toContain('TopicNotMirrorable');
  });

  test('a standby topic that compresses anew or stamps on append, by the check', async () => {
    for (const setting of [{ 'compression.type': 'zstd' }, { 'message.timestamp.type': 'LogAppendTime' }]) {
      const { topic } = await pair.prepare(1);
      await pair.standbyAdmin.alterTopicConfigs(topic, setting);
      const verdict = await pair.verdictOn(topic);
      expect(verdict?.reasons.map((r) => r.code)).toEqual(['TopicNotMirrorable']);
    }
  });
});
