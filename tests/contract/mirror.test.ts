import { CompressionTypes, type KafkaMessage, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { copyGroupOffsets } from '../../replication/groups/copy-group-offsets.ts';
import type { Mirror } from '../../replication/topics/mirror.ts';
import type { MirrorStatus } from '../../replication/topics/mirror-status.ts';
import { countBeyond } from '../../replication/topics/recount.ts';
import type { TestBroker } from '../support/kafka-broker.ts';
import {
  kafkajsClient,
  logEnds,
  type MirrorPair,
  mirroring,
  mirrorProcess,
  startMirrorPair,
} from '../support/mirror-pair.ts';

let pair: MirrorPair;
let primary: TestBroker;
let standby: TestBroker;
let primaryAdmin: PlatformaticAdmin;
let standbyAdmin: PlatformaticAdmin;
let producer: Producer;

beforeAll(async () => {
  pair = await startMirrorPair();
  ({ primary, standby, primaryAdmin, standbyAdmin } = pair);
  producer = kafkajsClient(primary).producer({ retry: { retries: 20 } });
  await producer.connect();
});
afterAll(async () => {
  await producer?.disconnect();
  await pair?.stop();
});

/** Writes records that tell each other apart, in batches of 500. */
async function write(topic: string, count: number, compression = CompressionTypes.None, by = producer): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    const messages = Array.from({ length: Math.min(500, count - from) }, (_, i) => ({
      key: `key-${(from + i) % 97}`,
      value: `${from + i}-${Math.random()}`,
      headers: { n: String(from + i) },
    }));
    await by.send({ topic, messages, compression });
  }
}

/** Every record of a topic by kafkajs, as text that holds all its fields, by partition and offset. */
async function readAll(broker: TestBroker, partitions: readonly TopicPartition[], total: number) {
  const topic = partitions[0]?.topic ?? '';
  const consumer = kafkajsClient(broker).consumer({ groupId: `audit-${Math.random()}` });
  const records = new Map<string, string>();
  const text = (m: KafkaMessage) => JSON.stringify([m.timestamp, `${m.key}`, `${m.value}`, `${m.headers?.n}`]);
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const run = consumer.run({
      eachBatch: async ({ batch }) => {
        for (const m of batch.messages) records.set(`${batch.partition}@${m.offset}`, text(m));
        if (records.size >= total) resolve();
      },
    });
    run.catch(reject);
  });
  await consumer.disconnect();
  return records;
}

const prepare = (partitions: number) => pair.prepare(partitions, {}, { requestTimeoutMs: 1_500 });

const mirrored = (status: MirrorStatus, topic: string) =>
  status.topics[topic]?.partitions.reduce((sum, p) => sum + p.mirroredEndOffset, 0n);
const reaches = (mirror: Mirror, topic: string, records: bigint) =>
  expect.poll(() => mirrored(mirror.status(), topic), { interval: 20 }).toBe(records);

describe('the mirror', () => {
  test('gives every record its own offset on the standby, also when its process is killed on the way', async () => {
    const prepared = await prepare(4);
    const { topic, partitions, settings } = prepared;
    await write(topic, 25_000);
    await write(topic, 25_000, CompressionTypes.GZIP);
    const slow = { ...settings, tuning: { fetchMaxBytes: 65_536, partitionMaxBytes: 16_384 } };
    for (const atLeast of [1n, 8_000n]) {
      const child = mirrorProcess({ ...prepared, settings: slow });
      const ends = async () => (await standbyAdmin.logRanges(partitions)).reduce((sum, r) => sum + r.logEndOffset, 0n);
      await expect.poll(ends, { interval: 5 }).toBeGreaterThanOrEqual(atLeast);
      await child.kill();
      expect(await ends(), 'it was killed on the way').toBeLessThan(50_000n);
    }
    await mirroring(prepared, async (mirror) => {
      await reaches(mirror, topic, 50_000n);
      expect(mirror.status().topics[topic]).toMatchObject({ lagRecords: 0, lagMs: 0 });
    });
    const [atPrimary, atStandby] = [
      await readAll(primary, partitions, 50_000),
      await readAll(standby, partitions, 50_000),
    ];
    expect(atStandby.size).toBe(50_000);
    expect([...atPrimary].filter(([at, record]) => atStandby.get(at) !== record)).toEqual([]);
  });

  test('freezes with nothing missing, writes nothing more, and goes on when it is thawed', async () => {
    const prepared = await prepare(2);
    const { topic, partitions } = prepared;
    await mirroring(prepared, async (mirror) => {
      await write(topic, 3_000);
      const frozen = await mirror.freeze(5_000);
      expect(frozen.drained).toBe(true);
      expect(frozen.endOffsets.reduce((sum, o) => sum + o.offset, 0n)).toBe(3_000n);
      expect(mirror.status().phase).toBe('frozen');
      await write(topic, 500);
      const counts = await Promise.all(
        frozen.endOffsets.map((o) => countBeyond(prepared.settings.source, topic, o.partition, o.offset)),
      );
      expect(counts.reduce((sum, c) => sum + c.records, 0n)).toBe(500n);
      expect(counts.every((c) => c.exact && c.grewTo === undefined)).toBe(true);
      const ends = await standbyAdmin.logRanges(partitions);
      expect(ends.map((r) => r.logEndOffset)).toEqual(frozen.endOffsets.map((o) => o.offset));
      mirror.thaw();
      await reaches(mirror, topic, 3_500n);
    });
  });

  test.each([
    ['', (id: string) => id],
    // What a coordinator does after 7 days without a transaction: it makes a new producer of the same name.
    [', also when the brokers have forgotten its transactional id', (id: string) => `${id}-unheard-of`],
  ])('is refused by the standby once its producer was fenced, and says so%s', async (_when, known) => {
    const prepared = await prepare(2);
    const { topic, partitions } = prepared;
    await mirroring(prepared, async (mirror) => {
      await write(topic, 1_000);
      await reaches(mirror, topic, 1_000n);
      const producer = { transactionalId: known(prepared.transactionalId), ...prepared.identity };
      await standbyAdmin.fenceProducer(producer, partitions);
      const fencedAt = await standbyAdmin.logRanges(partitions);
      expect(fencedAt.reduce((sum, r) => sum + r.logEndOffset, 0n)).toBe(1_002n);
      await write(topic, 1_000);
      const reasons = () => mirror.status().topics[topic]?.partitions.map((p) => p.stop?.reason);
      await expect.poll(reasons).toEqual(['Fenced', 'Fenced']);
      expect(await standbyAdmin.logRanges(partitions)).toEqual(fencedAt);
    });
  });

  test('goes on by itself after each side was frozen or killed, without a gap or a duplicate', async () => {
    const prepared = await prepare(2);
    const { topic, partitions } = prepared;
    await mirroring(prepared, async (mirror) => {
      await write(topic, 1_000);
      await pair.catchesUp(mirror, prepared);
      primary.freeze();
      const away = () => mirror.status().source;
      const frozenAtMs = Date.now();
      await expect.poll(() => away().firstFailureAtMs).toBeDefined();
      // From when the request was sent that was never answered: its time-out is 1.5 s.
      const sinceMs = away().firstFailureAtMs ?? 0;
      expect(sinceMs).toBeGreaterThan(frozenAtMs - 1_500);
      expect(sinceMs).toBeLessThan(Date.now() - 1_400);
      expect(await mirror.freeze(500)).toMatchObject({ drained: false });
      mirror.thaw();
      primary.thaw();
      await expect.poll(() => away().reachable).toBe(true);
      standby.freeze();
      await write(topic, 1_000);
      await expect.poll(() => mirror.status().target.reachable).toBe(false);
      standby.thaw();
      await pair.catchesUp(mirror, prepared);
      await primary.kill();
      await expect.poll(() => away().reachable).toBe(false);
      await primary.start();
      await write(topic, 1_000);
      await pair.catchesUp(mirror, prepared);
    });
    // What a producer got no answer for in time it writes again: the primary may have more.
    const records = Number((await logEnds(pair.primaryAdmin, partitions)).reduce((sum, end) => sum + end, 0n));
    expect(records).toBeGreaterThanOrEqual(3_000);
    const atPrimary = await readAll(primary, partitions, records);
    expect(await readAll(standby, partitions, records)).toEqual(atPrimary);
  });
});

/** By a producer of its own: kafkajs' can't go on once a topic that it wrote to was deleted. */
async function writeAnew(topic: string, count: number): Promise<void> {
  const own = kafkajsClient(primary).producer();
  await own.connect();
  await write(topic, count, CompressionTypes.None, own);
  await own.disconnect();
}

describe('the mirror of several topics', () => {
  test('tells a deleted one by name while the others go on, and never mixes it with one made anew', async () => {
    const [lost, healthy] = [await prepare(1), await prepare(2)];
    const partitions = [...lost.partitions, ...healthy.partitions];
    const admin = kafkajsClient(primary).admin();
    await admin.connect();
    await mirroring({ ...healthy, settings: { ...healthy.settings, partitions } }, async (mirror) => {
      const first = () => mirror.status().topics[lost.topic]?.partitions[0];
      await writeAnew(lost.topic, 10);
      await reaches(mirror, lost.topic, 10n);
      await admin.deleteTopics({ topics: [lost.topic] });
      await expect.poll(() => first()?.state).toBe('waiting');
      expect(first()).toMatchObject({ trouble: expect.stringContaining(`${lost.topic}-0`), lagRecords: undefined });
      await writeAnew(healthy.topic, 1_000);
      await reaches(mirror, healthy.topic, 1_000n);
      expect(mirror.status()).toMatchObject({ source: { reachable: true }, target: { reachable: true } });
      expect(await mirror.freeze(1_000)).toMatchObject({ drained: false });
      // Made anew and written to while the mirror stands still: seen empty, it would be told as shorter, not as another.
      await primaryAdmin.createTopic({ name: lost.topic, partitions: 1, configs: {} });
      await writeAnew(lost.topic, 20);
      mirror.thaw();
      await expect.poll(() => first()?.stop?.reason).toBe('Diverged');
      expect((await standbyAdmin.logRanges(lost.partitions))[0]?.logEndOffset).toBe(10n);
      await writeAnew(healthy.topic, 1_000);
      await reaches(mirror, healthy.topic, 2_000n);
      // A stopped partition is still looked at: its lag grows.
      await writeAnew(lost.topic, 5);
      await expect.poll(() => first()?.lagRecords).toBe(15);
    });
    await admin.disconnect();
  });

  test('goes on where one can`t be written to the standby', async () => {
    const [lost, healthy] = [await prepare(1), await prepare(1)];
    const partitions = [...lost.partitions, ...healthy.partitions];
    const admin = kafkajsClient(standby).admin();
    await admin.connect();
    await mirroring({ ...healthy, settings: { ...healthy.settings, partitions } }, async (mirror) => {
      await reaches(mirror, healthy.topic, 0n);
      await admin.deleteTopics({ topics: [lost.topic] });
      await writeAnew(lost.topic, 10);
      const first = () => mirror.status().topics[lost.topic]?.partitions[0];
      await expect.poll(() => first()?.state).toBe('waiting');
      await writeAnew(healthy.topic, 1_000);
      await reaches(mirror, healthy.topic, 1_000n);
      await standbyAdmin.createTopic({ name: lost.topic, partitions: 1, configs: {} });
      await reaches(mirror, lost.topic, 10n);
    });
    await admin.disconnect();
  });
});

describe('a freeze', () => {
  test('is not confirmed while batches without an answer are not in the standby`s log', async () => {
    const prepared = await prepare(1);
    await mirroring(prepared, async (mirror) => {
      await write(prepared.topic, 100);
      await reaches(mirror, prepared.topic, 100n);
      standby.freeze();
      await write(prepared.topic, 500);
      await expect.poll(() => mirror.status().target.reachable).toBe(false);
      primary.freeze();
      // It takes the batches that nobody answered with it.
      await standby.kill();
      await standby.start();
      await expect.poll(() => mirror.status().target.reachable).toBe(true);
      await expect(mirror.freeze(200)).rejects.toMatchObject({ code: 'FreezeUnproven' });
      primary.thaw();
      mirror.thaw();
      await reaches(mirror, prepared.topic, 600n);
      expect(await mirror.freeze(3_000)).toMatchObject({ drained: true });
    });
  });
});

describe('group offsets', () => {
  test('are copied up to the mirrored end', async () => {
    const { topic } = await prepare(2);
    await primaryAdmin.setGroupOffsets(`g-${topic}`, [
      { topic, partition: 0, offset: 9n },
      { topic, partition: 1, offset: 3n },
    ]);
    const ends = new Map([
      [`${topic}-0`, 5n],
      [`${topic}-1`, 5n],
    ]);
    const [copy] = await copyGroupOffsets(primaryAdmin, standbyAdmin, [`g-${topic}`], ends);
    expect(copy).toMatchObject({ outcome: 'copied', committed: 2, clamped: 1 });
    const offsets = (await standbyAdmin.groupOffsets(`g-${topic}`)).map((o) => o.offset);
    expect(offsets).toEqual([5n, 3n]);
  });
});
