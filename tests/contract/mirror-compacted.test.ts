import { CompressionTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Codec } from '../../regions/kafka/compression.ts';
import { verifyTopics } from '../../replication/topics/verify.ts';
import {
  endLog,
  logShape,
  readCommittedEnd,
  teachCodecs,
  writeBatches,
  writeMarker,
} from '../support/compacted-log.ts';
import {
  consume,
  logEnds,
  type MirrorPair,
  mirroring,
  mirrorProcess,
  type PreparedTopic,
  startMirrorPair,
} from '../support/mirror-pair.ts';

const cleaned = {
  'cleanup.policy': 'compact',
  'segment.ms': '1000',
  'min.cleanable.dirty.ratio': '0.01',
  'delete.retention.ms': '1',
};
const cleaner = { 'log.cleaner.backoff.ms': '200', 'log.initial.task.delay.ms': '200' };
let pair: MirrorPair;

beforeAll(async () => {
  teachCodecs();
  pair = await startMirrorPair({ primary: cleaner, standby: cleaner });
});
afterAll(() => pair?.stop());

/** `count` batches of so many records; keys come again, so that compaction takes about a half. */
function* batches(codecs: readonly Codec[], count: number, size: number) {
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  for (let i = 0; i < count; i++) {
    const codec = codecs[i % codecs.length] ?? 'none';
    yield {
      codec,
      records: Array.from({ length: size }, (_, n) => {
        const key = `key-${Math.floor(random() * count * size * 0.6)}`;
        return n % 20 === 7 ? { key } : { key, value: `${codec} ${i} ${n} ${'x'.repeat(n % 30)}` };
      }),
    };
  }
}

/** Two transactions at a time, interleaved, the one committed and the other mostly; keys that come again. */
async function writeTransactions(topic: string, rounds: number): Promise<void> {
  const [a, b] = [await pair.newProducer(`a-${topic}`), await pair.newProducer(`b-${topic}`)];
  const some = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      key: `key-${(i * 37 + name.length * 131) % 1_000}`,
      value: `${name}-${i}`,
      partition: 0,
    }));
  for (let round = 0; round < rounds; round++) {
    const [first, second] = [await a.transaction(), await b.transaction()];
    await first.send({ topic, messages: some(`first ${'.'.repeat(round)}`, 20) });
    await second.send({ topic, messages: some(`second ${'.'.repeat(round)}`, 15), compression: CompressionTypes.GZIP });
    await first.send({ topic, messages: some(`more ${'.'.repeat(round)}`, 10) });
    await (round % 4 === 3 ? second.abort() : second.commit());
    await first.commit();
  }
}

async function compaction({ partitions }: PreparedTopic): Promise<void> {
  const [partition] = partitions;
  if (!partition) throw new Error('no partition');
  await endLog(pair.primary, partition);
  let last = -1;
  const settled = async () => {
    const { records, holed } = await logShape(pair.primary, partition);
    const same = records === last && holed > 0;
    last = records;
    return same;
  };
  await expect.poll(settled, { timeout: 40_000, interval: 700 }).toBe(true);
}

async function expectSame(prepared: PreparedTopic) {
  const here = await consume(pair.primary, prepared.topic, false, 1);
  expect(await consume(pair.standby, prepared.topic, false, 1)).toEqual(here);
  return { records: here.length, range: await verified(prepared) };
}

async function verified({ topic, partitions, settings }: PreparedTopic) {
  const { source, target } = settings;
  const options = { source, target, partitions, clock: wallClock, signal: AbortSignal.timeout(30_000) };
  const [range] = await verifyTopics({ ...options, compacted: new Set([topic]) });
  expect(range?.difference).toBeUndefined();
  return range;
}

describe('the mirror of a compacted topic', () => {
  test('keeps every record at its offset, whatever the codec of the batches that compaction left holes in', async () => {
    const prepared = await pair.prepare(1, cleaned);
    const [partition] = prepared.partitions;
    if (!partition) throw new Error('no partition');
    await writeBatches(pair.primary, partition, batches(['none', 'gzip', 'snappy', 'lz4', 'zstd'], 25, 80));
    await compaction(prepared);
    expect((await logShape(pair.primary, partition)).holed).toBeGreaterThan(20);
    await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
    const { records, range } = await expectSame(prepared);
    expect(records).toBeGreaterThan(500);
    expect(range?.fillers).toBeGreaterThan(100n);
  });

  test('has its placeholders removed again by the compaction of the standby', async () => {
    const prepared = await pair.prepare(1, cleaned);
    const [partition] = prepared.partitions;
    if (!partition) throw new Error('no partition');
    await pair.standbyAdmin.alterTopicConfigs(prepared.topic, cleaned);
    await writeBatches(pair.primary, partition, batches(['zstd'], 4, 100));
    await compaction(prepared);
    await mirroring(prepared, async (mirror) => {
      await pair.catchesUp(mirror, prepared);
      expect((await logShape(pair.standby, partition)).placeholders).toBeGreaterThan(50);
      await endLog(pair.primary, partition);
      await pair.catchesUp(mirror, prepared);
    });
    const placeholders = async () => (await logShape(pair.standby, partition)).placeholders;
    await expect.poll(placeholders, { interval: 300 }).toBe(0);
    expect((await verified(prepared))?.records).toBeGreaterThan(100n);
  });

  test('keeps transactions what they were, also where compaction took some of their records', async () => {
    const prepared = await pair.prepare(1, cleaned);
    const [partition] = prepared.partitions;
    if (!partition) throw new Error('no partition');
    await writeTransactions(prepared.topic, 40);
    await compaction(prepared);
    expect((await logShape(pair.primary, partition)).holed).toBeGreaterThan(30);
    for (const atLeast of [50n, 500n, 1_200n]) {
      const child = mirrorProcess(prepared);
      const at = async () => (await logEnds(pair.standbyAdmin, prepared.partitions))[0];
      await expect.poll(at, { interval: 2 }).toBeGreaterThanOrEqual(atLeast);
      await child.kill();
    }
    await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
    const { records } = await expectSame(prepared);
    expect(records).toBeGreaterThan(300);
  });

  test('leaves no transaction open when it is frozen in the midst', async () => {
    const prepared = await pair.prepare(1, cleaned);
    const { topic, partitions } = prepared;
    const [partition] = partitions;
    if (!partition) throw new Error('no partition');
    await writeBatches(pair.primary, partition, batches(['gzip'], 10, 1_000));
    await compaction(prepared);
    for (const atLeast of [100n, 3_000n]) {
      await mirroring(prepared, async (mirror) => {
        const end = () => mirror.status().topics[topic]?.partitions[0]?.mirroredEndOffset;
        await expect.poll(end, { interval: 2 }).toBeGreaterThanOrEqual(atLeast);
      });
      const [range] = await pair.standbyAdmin.logRanges(partitions);
      expect(range?.logEndOffset).toBeLessThan(10_000n);
      const lastStable = await readCommittedEnd(pair.standby, partition);
      expect(lastStable).toBe(range?.logEndOffset);
    }
    await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
    await expectSame(prepared);
  });

  test('stops where the standby holds other records than what compaction left of the batch there', async () => {
    const prepared = await pair.prepare(1, cleaned);
    const { topic, partitions } = prepared;
    const [partition] = partitions;
    if (!partition) throw new Error('no partition');
    await writeBatches(pair.primary, partition, batches(['gzip'], 1, 200));
    await compaction(prepared);
    // Somebody else wrote the first half of it, with values of his own.
    await writeBatches(pair.standby, partition, batches(['zstd'], 1, 100));
    await mirroring(prepared, async (mirror) => {
      const stop = () => mirror.status().topics[topic]?.partitions[0]?.stop;
      await expect.poll(stop).toMatchObject({ reason: 'Diverged' });
      expect(stop()?.detail).toMatch(/at \d+, (the record's key|timestamp)/);
    });
    expect(await logEnds(pair.standbyAdmin, partitions)).toEqual([100n]);
  });

  test('stops where the standby`s coordinator wrote a marker in the place of a record', async () => {
    const prepared = await pair.prepare(1, cleaned);
    const { topic, partitions } = prepared;
    const [partition] = partitions;
    if (!partition) throw new Error('no partition');
    const records = Array.from({ length: 100 }, (_, i) => ({ key: i < 50 ? `${i}` : `again ${i % 9}`, value: `${i}` }));
    await writeBatches(pair.primary, partition, [{ codec: 'zstd', records }]);
    await compaction(prepared);
    // Offsets 0 to 49 hold records, then come holes.
    await writeBatches(pair.standby, partition, [{ codec: 'none', records: records.slice(0, 20) }]);
    await writeMarker(pair.standby, partition, `foreign-${topic}`);
    const end = async () => (await logEnds(pair.standbyAdmin, partitions))[0];
    await expect.poll(end).toBe(21n);
    await mirroring(prepared, async (mirror) => {
      const stop = () => mirror.status().topics[topic]?.partitions[0]?.stop;
      await expect.poll(stop).toMatchObject({ reason: 'ForeignMarker' });
      expect(stop()?.detail).toContain('at 20 ');
    });
  });

  test('goes on inside a batch after its process was killed, again and again', async () => {
    const prepared = await pair.prepare(1, cleaned);
    const [partition] = prepared.partitions;
    if (!partition) throw new Error('no partition');
    await writeBatches(pair.primary, partition, batches(['none', 'gzip'], 10, 2_000));
    await compaction(prepared);
    for (const atLeast of [100n, 4_000n, 8_000n, 12_000n]) {
      const child = mirrorProcess(prepared);
      const at = async () => (await logEnds(pair.standbyAdmin, prepared.partitions))[0];
      await expect.poll(at, { interval: 2 }).toBeGreaterThanOrEqual(atLeast);
      await child.kill();
    }
    expect((await logEnds(pair.standbyAdmin, prepared.partitions))[0]).toBeLessThan(20_000n);
    await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
    const { records } = await expectSame(prepared);
    expect(records).toBeGreaterThan(5_000);
  });
});
