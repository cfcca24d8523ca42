import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import {
  checksumHolds,
  markerOutcome,
  patchForProduce,
  readBatch,
  recordBatches,
  sequenceAfter,
  sequenceOf,
} from '../../../../regions/kafka/record-batch.ts';
import { batchBytes } from './batches.ts';

/** Written by Kafka 4.3.1 for one record (key `k1`, value `v1`) of kafkajs 2.2.4, fetched by Fetch version 11. */
const fromBroker = Buffer.from(
  '00000000000000000000003c00000000024dd8f1210000000000000000018bcfe568000000018bcfe56800ffffffffffffffff0000000000000000000114000000046b3104763100',
  'hex',
);

describe('a record batch', () => {
  test('of a real broker is read, and its checksum holds', () => {
    const [batch] = [...recordBatches(fromBroker)];
    expect(batch).toMatchObject({
      baseOffset: 0n,
      lastOffset: 0n,
      recordCount: 1,
      transactional: false,
      control: false,
    });
    expect(checksumHolds(fromBroker)).toBe(true);
  });

  test('keeps its records and all but the producer fields when it is patched, and its checksum holds again', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 62n }),
        fc.bigInt({ min: 0n, max: 2n ** 62n }),
        fc.integer({ min: 0, max: 32_767 }),
        fc.integer({ min: 0, max: 1_000 }),
        fc.uint8Array({ maxLength: 200 }),
        (baseOffset, producerId, producerEpoch, lastOffsetDelta, payload) => {
          const bytes = batchBytes({ baseOffset, lastOffsetDelta, payload: Buffer.from(payload) });
          const before = Buffer.from(bytes);
          const batch = readBatch(bytes);
          patchForProduce(batch, { producerId, producerEpoch });
          expect(checksumHolds(bytes)).toBe(true);
          expect(bytes.readBigInt64BE(0)).toBe(0n);
          expect(bytes.readInt32BE(12)).toBe(-1);
          expect(bytes.readBigInt64BE(43)).toBe(producerId);
          expect(bytes.readInt16BE(51)).toBe(producerEpoch);
          expect(BigInt(bytes.readInt32BE(53))).toBe(baseOffset % 2n ** 31n);
          for (const [from, to] of [
            [8, 12],
            [16, 17],
            [21, 43],
            [57, bytes.length],
          ] as const) {
            expect(bytes.subarray(from, to).equals(before.subarray(from, to))).toBe(true);
          }
          // What the mirror decides by is the source's, also after the patch.
          expect(batch.baseOffset).toBe(baseOffset);
        },
      ),
    );
  });

  test('that is damaged anywhere behind its checksum is told by it', () => {
    fc.assert(
      fc.property(fc.nat({ max: 46 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = batchBytes({ payload: Buffer.from('payload') });
        bytes[21 + at] = (bytes[21 + at] ?? 0) ^ flip;
        expect(checksumHolds(bytes)).toBe(false);
      }),
    );
  });

  test.each([
    ['transactional records', 0x10, { transactional: true, control: false }],
    ['a marker', 0x30, { transactional: true, control: true }],
    ['compressed records', 0x04, { transactional: false, control: false }],
  ])('of %s is told by its attributes', (_name, attributes, expected) => {
    expect(readBatch(batchBytes({ attributes }))).toMatchObject(expected);
  });

  test.each([
    [0n, 0],
    [2n ** 31n - 1n, 2 ** 31 - 1],
    [2n ** 31n, 0],
    [2n ** 40n + 5n, 5],
  ])('at offset %s has sequence %s', (offset, sequence) => {
    expect(sequenceOf(offset)).toBe(sequence);
  });
});

describe('a control batch', () => {
  // Length, attributes, timestamp delta, offset delta, key length, version, type.
  const marker = (type: number, timestampDelta = [0]) =>
    Buffer.from([16, 0, ...timestampDelta, 0, 8, 0, 0, 0, type, 12, 0, 0, 0, 0, 0, 0, 0]);
  const control = (payload: Buffer, recordCount = 1) =>
    readBatch(batchBytes({ attributes: 0x30, payload, recordCount, lastOffsetDelta: 0 }));

  test.each([
    ['commit', control(marker(1))],
    ['abort', control(marker(0))],
    ['commit', control(marker(1, [0x80, 1]))],
    [undefined, control(marker(2))],
    [undefined, control(marker(1), 0)],
    [undefined, control(Buffer.from([16, 0]))],
    [undefined, readBatch(batchBytes({ attributes: 0x10, payload: marker(1) }))],
  ])('says %s', (expected, batch) => {
    expect(markerOutcome(batch)).toBe(expected);
  });
});

describe('the sequence behind a batch', () => {
  test('is that of the offset behind it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 62n }), fc.integer({ min: 1, max: 1_000_000 }), (offset, count) => {
        expect(sequenceAfter(sequenceOf(offset), count)).toBe(sequenceOf(offset + BigInt(count)));
      }),
    );
  });
});

describe('a fetched range', () => {
  test('gives its whole batches in order and leaves out the one that was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 8 }), fc.nat(), (sizes, cutSeed) => {
        let offset = 100n;
        const batches = sizes.map((size) => {
          const bytes = batchBytes({ baseOffset: offset, lastOffsetDelta: size, payload: Buffer.alloc(size) });
          offset += BigInt(size) + 1n;
          return bytes;
        });
        const range = Buffer.concat(batches);
        const cut = cutSeed % (range.length + 1);
        let whole = 0;
        for (let at = 0; whole < batches.length && at + (batches[whole]?.length ?? 0) <= cut; whole++) {
          at += batches[whole]?.length ?? 0;
        }
        const read = [...recordBatches(range.subarray(0, cut))];
        expect(read.map((b) => b.bytes)).toEqual(batches.slice(0, whole));
      }),
    );
  });

  test('of an older format is refused by its version', () => {
    const bytes = batchBytes();
    bytes.writeInt8(1, 16);
    expect(() => [...recordBatches(bytes)]).toThrow(/version 1/);
    // A whole message of version 1 can be this short.
    expect(() => [...recordBatches(bytes.subarray(0, 34))]).toThrow(/version 1/);
  });

  test('of random or damaged bytes throws nothing but KafkaMalformed, and ends', () => {
    const damaged = fc
      .tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 }), fc.nat({ max: 60 }), fc.nat({ max: 255 }))
      .map(([a, x, b, y]) => {
        const bytes = Buffer.concat([batchBytes(), batchBytes({ baseOffset: 1n })]);
        bytes[a] = x;
        bytes[68 + b] = y;
        return bytes;
      });
    const random = fc.uint8Array({ maxLength: 300 }).map((a) => Buffer.from(a));
    fc.assert(
      fc.property(fc.oneof(damaged, random), (bytes) => {
        try {
          for (const batch of recordBatches(bytes)) expect(batch.bytes.length).toBeGreaterThanOrEqual(61);
        } catch (error) {
          expect(error).toBeInstanceOf(ArgusError);
          expect((error as ArgusError).code).toBe('KafkaMalformed');
        }
      }),
    );
  });
});
