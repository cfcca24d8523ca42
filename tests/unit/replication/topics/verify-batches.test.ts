import { describe, expect, test } from 'vitest';
import { type RecordBatch, readBatch } from '../../../../regions/kafka/record-batch.ts';
import { sampleRanges } from '../../../../replication/topics/verify.ts';
import { compareLogs, differenceOf, newTally } from '../../../../replication/topics/verify-batches.ts';

interface Shape {
  readonly base?: bigint;
  readonly span?: number;
  readonly count?: number;
  readonly attributes?: number;
  readonly timestamp?: bigint;
  readonly producerId?: bigint;
  readonly leaderEpoch?: number;
  readonly records?: string;
}

function batch(shape: Shape = {}): RecordBatch {
  const { base = 0n, span = 1, count = span, attributes = 0, timestamp = 5n, producerId = -1n } = shape;
  const bytes = Buffer.concat([Buffer.alloc(61), Buffer.from(shape.records ?? 'records')]);
  bytes.writeBigInt64BE(base, 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(shape.leaderEpoch ?? 0, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(attributes, 21);
  bytes.writeInt32BE(span - 1, 23);
  bytes.writeBigInt64BE(timestamp, 27);
  bytes.writeBigInt64BE(timestamp, 35);
  bytes.writeBigInt64BE(producerId, 43);
  bytes.writeInt32BE(count, 57);
  return readBatch(bytes);
}

/** A marker's record: its key holds version and type behind five single bytes. */
const marker = (base: bigint, type: number, coordinatorEpoch: number) =>
  batch({ base, attributes: 0x30, records: `\0\0\0\0\0\0\0\0${String.fromCharCode(type)}${coordinatorEpoch}` });

async function* log(batches: readonly RecordBatch[]) {
  yield* batches;
}

async function compare(source: readonly RecordBatch[], standby: readonly RecordBatch[], compacted = false, floor = 0n) {
  const tally = newTally();
  const options = { compacted, floor: () => floor, to: 1_000n };
  const difference = await compareLogs(log(source), log(standby), options, tally);
  return { difference, ...tally };
}

describe('two batches at one offset', () => {
  test.each<[string, Shape, Shape, string | undefined]>([
    ['producer and leader epoch may differ', { producerId: 7n, leaderEpoch: 3 }, { producerId: 9n }, undefined],
    ['the timestamp type may differ', { attributes: 8 }, {}, undefined],
    ['the span may not', { span: 2 }, { span: 3 }, 'last offset'],
    ['the codec may not', { attributes: 1 }, { attributes: 2 }, 'compression'],
    ['a transactional one is no plain one', { attributes: 0x10 }, {}, 'transactional'],
    ['timestamps may not', { timestamp: 1n }, { timestamp: 2n }, 'timestamp'],
    ['sizes may not', { records: 'a' }, { records: 'ab' }, 'size'],
    ['bytes may not', { records: 'a' }, { records: 'b' }, 'bytes of the records'],
  ])('%s', (_rule, a, b, what) => {
    const found = differenceOf(batch(a), batch(b));
    if (what === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(what);
  });

  test('markers are the same by their outcome, whatever coordinator wrote them', () => {
    expect(differenceOf(marker(0n, 1, 4), marker(0n, 1, 9))).toBeUndefined();
    expect(differenceOf(marker(0n, 1, 4), marker(0n, 0, 4))).toBe(
      'outcome of the transaction: commit at the source, abort on the standby',
    );
  });
});

describe('two logs', () => {
  test('that hold the same are the same, and what was compared is counted', async () => {
    const batches = [batch({ span: 3 }), batch({ base: 3n, span: 2 })];
    expect(await compare(batches, batches)).toMatchObject({ difference: undefined, batches: 2n, records: 5n });
  });

  test.each<[string, RecordBatch[], RecordBatch[], bigint]>([
    ['records that the standby lacks', [batch(), batch({ base: 1n })], [batch()], 1n],
    ['records that only the standby has', [batch()], [batch(), batch({ base: 1n })], 1n],
    ['batches that overlap', [batch({ span: 2 }), batch({ base: 2n })], [batch(), batch({ base: 1n, span: 2 })], 0n],
    ['other bytes behind equal ones', [batch(), batch({ base: 1n, records: 'x' })], [batch(), batch({ base: 1n })], 1n],
  ])('differ by %s', async (_rule, source, standby, offset) => {
    expect((await compare(source, standby)).difference?.offset).toBe(offset);
  });

  test('may differ by what only takes up offsets on the standby, and by what compaction changed', async () => {
    const plain = [batch(), batch({ base: 9n })];
    const filled = [batch(), batch({ base: 1n, span: 7, attributes: 0x10 }), marker(8n, 0, 1), batch({ base: 9n })];
    expect(await compare(plain, filled)).toMatchObject({ difference: undefined, fillers: 2n });
    const cleaned = [batch({ span: 4, count: 2 }), batch({ base: 9n })];
    const full = [batch({ span: 4 }), batch({ base: 4n, span: 5 }), batch({ base: 9n })];
    expect(await compare(cleaned, full, true)).toMatchObject({ difference: undefined, compacted: 2n, batches: 1n });
    expect((await compare(cleaned, full)).difference?.what).toContain('records in the batch');
    expect((await compare(plain, [batch(), batch({ base: 9n, records: 'other' })], true)).difference?.offset).toBe(9n);
  });

  test('are not compared below where one of them begins, nor past the end', async () => {
    const source = [batch({ records: 'gone' }), batch({ base: 5n })];
    const late = [batch({ base: 2n, span: 2 }), batch({ base: 5n }), batch({ base: 1_000n })];
    expect(await compare(source, late, false, 5n)).toMatchObject({ difference: undefined, batches: 1n });
  });
});

test('a sample stays inside the ranges, and finds each of them', () => {
  const whole = [
    { topic: 'a', partition: 0, from: 10n, to: 20n },
    { topic: 'b', partition: 0, from: 5n, to: 5n },
    { topic: 'c', partition: 0, from: 0n, to: 90n },
  ];
  const at = (r: number) => sampleRanges(whole, 1, () => r)[0];
  expect(at(0)).toMatchObject({ topic: 'a', from: 10n, to: 20n });
  expect(at(0.1)).toMatchObject({ topic: 'c', from: 0n });
  expect(at(0.999)).toMatchObject({ topic: 'c', to: 90n });
  expect(sampleRanges([{ topic: 'b', partition: 0, from: 5n, to: 5n }], 3)).toEqual([]);
});
