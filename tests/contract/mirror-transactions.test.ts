import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killAmidstTransactions } from '../support/kill-amidst-transactions.ts';
import {
  consume,
  layout,
  logEnds,
  type MirrorPair,
  messages,
  mirroring,
  mirrorProcess,
  startMirrorPair,
} from '../support/mirror-pair.ts';

let pair: MirrorPair;

beforeAll(async () => {
  pair = await startMirrorPair({
    primary: { 'log.cleaner.backoff.ms': '200', 'log.initial.task.delay.ms': '200' },
  });
});
afterAll(() => pair?.stop());

describe('the mirror of transactions', () => {
  test('gives committed, aborted and interleaved ones the same offsets, markers and outcome, also over partitions', async () => {
    const prepared = await pair.prepare(2);
    await pair.writeMix(prepared.topic, 2, 4);
    await mirroring(prepared, async (mirror) => pair.catchesUp(mirror, prepared));
    await pair.expectIdentical(prepared);
  });

  test('goes on with open ones after its process was killed, again and again', async () => {
    const prepared = await pair.prepare(2);
    const { topic } = prepared;
    const long = await pair.newProducer(`long-${topic}`);
    const open = await long.transaction();
    await open.send({ topic, messages: messages('open', 5, 0) });
    const writing = pair.writeMix(topic, 2, 12, 'written').then(() => 'written');
    for (const atLeast of [5n, 12n, 30n, 55n, 80n]) {
      const child = mirrorProcess(prepared);
      const at = async () =>
        (await logEnds(pair.standbyAdmin, prepared.partitions)).reduce((sum, end) => sum + end, 0n);
      await expect.poll(at, { interval: 2 }).toBeGreaterThanOrEqual(atLeast);
      await child.kill();
    }
    await writing;
    await open.send({ topic, messages: messages('still open', 2, 1) });
    await mirroring(prepared, async (mirror) => {
      await pair.catchesUp(mirror, prepared);
      const transactions = mirror.status().topics[topic]?.partitions.map((p) => p.openTransactions?.count);
      expect(transactions).toEqual([1, 1]);
    });
    await open.commit();
    await (await pair.newProducer()).send({
      topic,
      messages: [...messages('the end', 1, 0), ...messages('the end', 1, 1)],
    });
    await mirroring(prepared, async (mirror) => pair.catchesUp(mirror, prepared));
    await pair.expectIdentical(prepared);
  });

  test('holds nothing wrong after the standby was killed in the midst of small ones', async () => {
    await killAmidstTransactions(pair, { transactions: 16, records: 20 });
  });

  test('is shut out of open ones by a fence, which aborts them', async () => {
    const prepared = await pair.prepare(1);
    const { topic, partitions } = prepared;
    const producer = await pair.newProducer(`fenced-${topic}`);
    const open = await producer.transaction();
    await open.send({ topic, messages: messages('open', 5) });
    await mirroring(prepared, async (mirror) => {
      await pair.catchesUp(mirror, prepared);
      const identity = { transactionalId: prepared.transactionalId, ...prepared.identity };
      expect(await pair.standbyAdmin.fenceProducer(identity, partitions)).toEqual(new Map([[`${topic}-0`, 1]]));
      await open.send({ topic, messages: messages('later', 5) });
      const reason = () => mirror.status().topics[topic]?.partitions[0]?.stop?.reason;
      await expect.poll(reason).toBe('TransactionLost');
    });
    // 5 records, the fence's marker, and the ABORT of what stood open.
    expect(await logEnds(pair.standbyAdmin, partitions)).toEqual([7n]);
    await mirroring(prepared, async (mirror) => {
      const reason = () => mirror.status().topics[topic]?.partitions[0]?.stop?.reason;
      await expect.poll(reason).toBeDefined();
    });
    await open.commit();
    expect(await logEnds(pair.standbyAdmin, partitions)).toEqual([7n]);
  });
});

describe('the mirror of a log with holes', () => {
  test('fills what compaction took, so that what follows has its own offset', async () => {
    const cleaned = {
      'cleanup.policy': 'compact',
      'segment.ms': '1000',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '1',
    };
    const prepared = await pair.prepare(1, cleaned);
    const { topic, partitions } = prepared;
    const producer = await pair.newProducer();
    const send = (name: string, keys: readonly string[]) =>
      producer.send({ topic, messages: keys.map((key) => ({ key, value: `${name}-0`, partition: 0 })) });
    await send('kept', ['kept']);
    for (let i = 0; i < 5; i++) await send(`overwritten ${i}`, ['a', 'b']);
    await send('a small hole is before', ['c']);
    for (let i = 0; i < 30; i++) await send(`overwritten again ${i}`, ['a', 'b']);
    await send('a large hole is before', ['d']);
    await send('rewritten', ['a']);
    await send('rewritten', ['b']);
    // Only a new record closes the segment.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await send('next segment', ['e']);
    const [partition] = partitions;
    if (!partition) throw new Error('no partition');
    await expect.poll(() => layout(pair.primary, partition), { timeout: 40_000, interval: 200 }).toHaveLength(6);
    await send('the end', ['f']);
    await mirroring(prepared, async (mirror) => {
      await pair.catchesUp(mirror, prepared);
      const filled = mirror.status().topics[topic]?.partitions[0]?.filled;
      expect(filled).toEqual({ records: 59, markers: 11 });
    });
    const here = await layout(pair.primary, partition);
    const there = await layout(pair.standby, partition);
    expect(there.filter((line) => line.includes('plain'))).toEqual(here);
    const committed = await consume(pair.standby, topic, false, 1);
    expect(committed).toEqual(await consume(pair.primary, topic, false, 1));
  });
});
