import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fillerBatch,
  fillerRecords,
  isFiller,
  maxFillerRecords,
  mayBeFiller,
} from '../../../../regions/kafka/filler-batch.ts';
import { checksumHolds, readBatch } from '../../../../regions/kafka/record-batch.ts';

const producer = { producerId: 7n, producerEpoch: 3 };
const made = (count: number, transactional = false) =>
  readBatch(fillerBatch(fillerRecords(count), { producer, baseSequence: 41, transactional }));

/** The batch with other records in it, and a right checksum. */
function withRecords(bytes: Buffer, raw: Buffer) {
  const changed = Buffer.concat([bytes.subarray(0, 61), zstdCompressSync(raw)]);
  changed.writeInt32BE(changed.length - 12, 8);
  changed.writeUInt32BE(crc32c(changed.subarray(21)), 17);
  return readBatch(changed);
}
const rawOf = (bytes: Buffer) => zstdDecompressSync(bytes.subarray(61));

describe('a placeholder batch', () => {
  test('takes as many offsets as it has records, in its producer`s sequence, and is told from its bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000 }), fc.boolean(), (count, transactional) => {
        const batch = made(count, transactional);
        expect(batch).toMatchObject({
          lastOffset: BigInt(count - 1),
          recordCount: count,
          producerId: 7n,
          transactional,
          control: false,
          maxTimestampMs: -1,
        });
        expect(batch.bytes.readInt16BE(51)).toBe(3);
        expect(batch.bytes.readInt32BE(53)).toBe(41);
        expect(checksumHolds(batch.bytes)).toBe(true);
        expect(isFiller(batch)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('of the largest size fits into what a topic takes by default', () => {
    const batch = made(maxFillerRecords);
    expect(batch.bytes.length).toBeLessThan(1_048_588);
    expect(isFiller(batch)).toBe(true);
    expect(() => fillerRecords(maxFillerRecords + 1)).toThrow(RangeError);
    expect(() => fillerRecords(0)).toThrow(RangeError);
  });

  test('holds its records as Kafka writes them', () => {
    const twoByteDelta = [8 * 2, 0, 0, 0x80, 1, 2, 0, 1, 0];
    expect([...rawOf(made(65).bytes).subarray(0, 16)]).toEqual([14, 0, 0, 0, 2, 0, 1, 0, 14, 0, 0, 2, 2, 0, 1, 0]);
    expect([...rawOf(made(65).bytes).subarray(-9)]).toEqual(twoByteDelta);
  });

  test('is still one when compaction took records from it', () => {
    const batch = made(3);
    const last = withRecords(batch.bytes, rawOf(batch.bytes).subarray(16));
    last.bytes.writeInt32BE(1, 57);
    last.bytes.writeUInt32BE(crc32c(last.bytes.subarray(21)), 17);
    expect(isFiller(readBatch(last.bytes))).toBe(true);
  });
});

test('records that hold anything are never taken for placeholders', () => {
  const { bytes } = made(20);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 159 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const raw = Buffer.from(rawOf(bytes));
      // The offset delta is no content.
      fc.pre(at % 8 !== 3);
      raw.writeUInt8(raw.readUInt8(at) ^ flip, at);
      expect(isFiller(withRecords(bytes, raw))).toBe(false);
    }),
  );
  const stamped = Buffer.from(bytes);
  stamped.writeBigInt64BE(1_700_000_000_000n, 27);
  expect(mayBeFiller(readBatch(stamped))).toBe(false);
  expect(isFiller(withRecords(bytes, Buffer.alloc(1_000)))).toBe(false);
  const damaged = Buffer.from(bytes);
  damaged.writeUInt8(damaged.readUInt8(80) ^ 1, 80);
  expect(isFiller(readBatch(damaged))).toBe(false);
});

test('placeholders can be compressed with gzip, which every client reads', () => {
  const batch = readBatch(
    fillerBatch(fillerRecords(500_000, 'gzip'), { producer, baseSequence: 0, transactional: true }),
  );
  expect(batch.bytes.readInt16BE(21) & 7).toBe(1);
  expect(batch.bytes.length).toBeLessThan(1_048_588);
  expect(isFiller(batch)).toBe(true);
});
