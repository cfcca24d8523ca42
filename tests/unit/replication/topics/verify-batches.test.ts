import { describe, expect, test } from 'vitest';
import { fillerBatch, fillerRecords } from '../../../../regions/kafka/filler-batch.ts';
import { type RecordBatch, readBatch } from '../../../../regions/kafka/record-batch.ts';
import { encodeBatch } from '../../../../regions/kafka/record-codec.ts';
import { splitCompacted } from '../../../../replication/topics/split-batch.ts';
import { sampleRanges } from '../../../../replication/topics/verify.ts';
import {
  compareLogs,
  differenceOf,
  differenceOfPair,
  newTally,
} from '../../../../replication/topics/verify-batches.ts';
import { bodyOf, compactedBatch, plainTraits } from '../../regions/kafka/records.ts';

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

const producer = { producerId: 7n, producerEpoch: 0 };

/** What was made to be produced, as the log has it. */
function at(base: bigint, bytes: Buffer): RecordBatch {
  bytes.writeBigInt64BE(base, 0);
  return readBatch(bytes);
}

const records = (from: bigint, count: number, value = 'value', timestampMs = 5n) =>
  Array.from({ length: count }, (_, i) => ({
    offset: from + BigInt(i),
    timestampMs,
    attributes: 0,
    body: bodyOf(Buffer.from(`key-${from + BigInt(i)}`), Buffer.from(value)),
  }));

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
    ['one that its broker stamped may not be taken for one with times of its own', { attributes: 8 }, {}, 'stamped'],
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
  test('are the same where a broker stamped one, only if the other`s records have that time', async () => {
    const stampedAt = (timestampMs: bigint) => {
      const { bytes } = encodeBatch(records(0n, 3), plainTraits);
      bytes.writeInt16BE(bytes.readInt16BE(21) | 8, 21);
      bytes.writeBigInt64BE(timestampMs, 35);
      return readBatch(bytes);
    };
    const plain = encodeBatch(records(0n, 3), plainTraits);
    expect(await compare([stampedAt(5n)], [plain])).toMatchObject({ difference: undefined, records: 3n });
    expect((await compare([stampedAt(9n)], [plain])).difference).toMatchObject({ offset: 0n });
  });

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

  test('may differ by what only takes up offsets on the standby', async () => {
    const plain = [batch(), batch({ base: 9n })];
    const placeholders = at(
      1n,
      fillerBatch(fillerRecords(7, 'gzip'), { producer, baseSequence: 0, transactional: true }),
    );
    const filled = [batch(), placeholders, marker(8n, 0, 1), batch({ base: 9n })];
    expect(await compare(plain, filled)).toMatchObject({ difference: undefined, fillers: 2n });
    const foreign = [batch(), batch({ base: 1n, span: 7, attributes: 0x10 }), batch({ base: 9n })];
    expect((await compare(plain, foreign)).difference?.offset).toBe(1n);
  });

  test('may differ by what compaction changed, where a topic is compacted', async () => {
    const [whole, all] = [records(0n, 4), () => true];
    const cleaned = [compactedBatch(whole, (i) => i % 2 === 0, 'none'), batch({ base: 9n })];
    const full = [compactedBatch(whole, all, 'gzip'), batch({ base: 4n, span: 5 }), batch({ base: 9n })];
    expect(await compare(cleaned, full, true)).toMatchObject({ difference: undefined, compacted: 2n, records: 3n });
    expect((await compare(cleaned, full)).difference).toMatchObject({ offset: 1n });
    expect((await compare(full, cleaned)).difference).toMatchObject({
      offset: 1n,
      what: 'the standby lacks the records',
    });
    const plain = [batch(), batch({ base: 9n })];
    expect((await compare(plain, [batch(), batch({ base: 9n, records: 'other' })], true)).difference?.offset).toBe(9n);
  });

  test('are the same when one holds a compacted batch in pieces, with what takes up offsets between', async () => {
    const made = compactedBatch(records(0n, 9), (i) => ![2, 3, 6, 8].includes(i), 'lz4');
    const source = [made, batch({ base: 9n })];
    const filler = (base: bigint, count: number) =>
      at(base, fillerBatch(fillerRecords(count, 'none'), { producer, baseSequence: 0, transactional: true }));
    const standby = splitCompacted(made).map((piece) => {
      if (piece.recordCount > 0) return piece;
      return piece.baseOffset === 8n
        ? marker(8n, 0, 1)
        : filler(piece.baseOffset, Number(piece.lastOffset - piece.baseOffset) + 1);
    });
    const whole = [...standby, batch({ base: 9n })];
    expect(await compare(source, whole)).toMatchObject({
      difference: undefined,
      fillers: 3n,
      records: 6n,
      batches: 2n,
    });
    const cleaned = whole.filter((b) => b.recordCount === 0 || !(b.control || b.transactional));
    expect(await compare(source, cleaned)).toMatchObject({
      difference: undefined,
      fillers: 0n,
      records: 6n,
      batches: 2n,
    });
    expect((await compare(source, whole.toSpliced(2, 1))).difference?.offset).toBe(4n);
    const other = encodeBatch(records(4n, 2, 'other'), plainTraits);
    expect((await compare(source, whole.with(2, other))).difference).toMatchObject({
      offset: 4n,
      what: expect.stringContaining('key, value'),
    });
    const late = encodeBatch(records(4n, 2, 'value', 9n), plainTraits);
    expect((await compare(source, whole.with(2, late))).difference?.what).toContain('timestamp');
    expect((await compare(source, whole.with(1, encodeBatch(records(2n, 2), plainTraits)))).difference?.offset).toBe(
      2n,
    );
  });

  test('are not compared below where one of them begins, nor past the end', async () => {
    const source = [batch({ records: 'gone' }), batch({ base: 5n })];
    const late = [batch({ base: 2n, span: 2 }), batch({ base: 5n }), batch({ base: 1_000n })];
    expect(await compare(source, late, false, 5n)).toMatchObject({ difference: undefined, batches: 1n });
  });
});

describe('two batches at a common offset', () => {
  const source = compactedBatch(records(0n, 9), (i) => ![2, 3].includes(i), 'gzip');
  const [run, , rest] = splitCompacted(source) as [RecordBatch, RecordBatch, RecordBatch];
  const filler = at(2n, fillerBatch(fillerRecords(2, 'none'), { producer, baseSequence: 0, transactional: true }));

  test.each<[string, RecordBatch, RecordBatch, bigint | undefined]>([
    ['are the same as pieces of one that was compacted', source, run, undefined],
    ['are the same behind its hole', source, rest, undefined],
    ['are the same in its hole', source, filler, undefined],
    ['differ by a record in its hole', source, encodeBatch(records(2n, 2), plainTraits), 2n],
    ['differ by what a record holds', source, encodeBatch(records(0n, 2, 'other'), plainTraits), 0n],
    ['differ by a transaction', source, encodeBatch(records(0n, 2), { ...plainTraits, transactional: true }), 0n],
    ['are no matter when the source has nothing there but later', batch({ base: 9n }), filler, undefined],
    ['differ where both are whole and begin elsewhere', batch({ span: 4 }), batch({ base: 2n, span: 4 }), 0n],
    ['differ where they can`t be read', source, batch({ span: 9, count: 4 }), 0n],
  ])('%s', (_rule, a, b, offset) => {
    expect(differenceOfPair(a, b, false)?.offset).toBe(offset);
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
