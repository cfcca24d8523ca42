import { crc32c } from '@node-rs/crc32';
import { compressionsAlgorithms } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { codecBits, codecOf, unpack } from '../../../../regions/kafka/compression.ts';
import { checksumHolds, type RecordBatch, readBatch } from '../../../../regions/kafka/record-batch.ts';
import { decodeRecords, encodeBatch } from '../../../../regions/kafka/record-codec.ts';
import { anyRecords, codecs, inCodec, plainTraits } from './records.ts';

const readable = (r: { offset: bigint; timestampMs: bigint; body: Buffer }) =>
  `${r.offset} ${r.timestampMs} ${r.body.toString('hex')}`;

/** Whether it throws its own error or nothing. */
function onlyItsOwn(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgusError);
    expect((error as ArgusError).code).toBe('KafkaMalformed');
  }
}

describe('the records of a batch', () => {
  test.each(codecs)('are the same after encoding and decoding, packed as %s', (codec) => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 62n }), anyRecords, (base, make) => {
        const records = make(base);
        const batch = inCodec(encodeBatch(records, plainTraits), codec);
        expect(checksumHolds(batch.bytes)).toBe(true);
        expect(decodeRecords(batch).map(readable)).toEqual(records.map(readable));
      }),
      { numRuns: 60 },
    );
  });

  test('have the time of the batch when the broker stamped it', () => {
    const records = fc.sample(anyRecords, { numRuns: 1, seed: 1 })[0]?.(5n) ?? [];
    const bytes = Buffer.from(encodeBatch(records, plainTraits).bytes);
    bytes.writeInt16BE(8, 21);
    bytes.writeBigInt64BE(77n, 35);
    expect(new Set(decodeRecords(readBatch(bytes)).map((r) => r.timestampMs))).toEqual(new Set([77n]));
  });

  test.each(codecs)('throw only their own error on damaged bytes, packed as %s', (codec) => {
    const change = fc.record({ at: fc.nat({ max: 5_000 }), to: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(anyRecords, fc.array(change, { minLength: 1, maxLength: 5 }), (make, changes) => {
        const batch = inCodec(encodeBatch(make(3n), plainTraits), codec);
        const bytes = Buffer.from(batch.bytes);
        for (const { at, to } of changes) bytes[61 + (at % (bytes.length - 61))] = to;
        onlyItsOwn(() => decodeRecords({ ...batch, bytes }));
      }),
      { numRuns: 300 },
    );
  });

  test.each(codecs)('throw only their own error on bytes at random, packed as %s', (codec) => {
    const attributes = Buffer.alloc(2);
    attributes.writeInt16BE(codecBits(codec));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        onlyItsOwn(() => unpack(codec, Buffer.from(payload), 1_000));
        if (codec === 'lz4') {
          onlyItsOwn(() => unpack(codec, Buffer.from([4, 0x22, 0x4d, 0x18, 0x40, 0x40, 0, ...payload]), 1_000));
        }
      }),
    );
  });

  test('are refused when their offsets go back, or lie beyond the batch', () => {
    const batch = encodeBatch(fc.sample(anyRecords, { numRuns: 1, seed: 3 })[0]?.(0n) ?? [], plainTraits);
    expect(() => decodeRecords({ ...batch, baseOffset: 5n, lastOffset: 4n })).toThrow(/a record at 5/);
  });
});

describe('packed bytes', () => {
  test.each(codecs.filter((c) => c !== 'none'))('of %s are not unpacked beyond the limit', (codec) => {
    const packed = compressionsAlgorithms[codec].compressSync(Buffer.alloc(4_000_000)) as Buffer;
    expect(() => unpack(codec, packed, 100_000)).toThrow(ArgusError);
    expect(unpack(codec, packed, 4_000_000)).toHaveLength(4_000_000);
  });

  test('of Snappy are read in blocks behind the header of snappy-java, too', () => {
    const block = compressionsAlgorithms.snappy.compressSync(Buffer.from('a block '.repeat(9))) as Buffer;
    const size = Buffer.alloc(4);
    size.writeInt32BE(block.length);
    const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const framed = Buffer.concat([header, size, block, size, block]);
    expect(unpack('snappy', framed, 1_000).toString()).toBe('a block '.repeat(18));
    expect(() => unpack('snappy', framed.subarray(0, -1), 1_000)).toThrow(/cut/);
  });

  test('of a codec that nobody knows are refused', () => {
    expect(() => codecOf(5)).toThrow(/unknown codec/);
  });
});

test('a checksum is written that covers the whole batch', () => {
  const batch: RecordBatch = encodeBatch(fc.sample(anyRecords, { numRuns: 1, seed: 2 })[0]?.(9n) ?? [], plainTraits);
  expect(batch.bytes.readUInt32BE(17)).toBe(crc32c(batch.bytes.subarray(21)));
});
