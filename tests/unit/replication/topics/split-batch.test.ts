import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksumHolds } from '../../../../regions/kafka/record-batch.ts';
import { decodeRecords } from '../../../../regions/kafka/record-codec.ts';
import { hasInnerHoles, splitCompacted } from '../../../../replication/topics/split-batch.ts';
import { anyRecords, bodyOf, codecs, compactedBatch } from '../../regions/kafka/records.ts';

const readable = (r: { offset: bigint; timestampMs: bigint; body: Buffer }) =>
  `${r.offset} ${r.timestampMs} ${r.body.toString('hex')}`;

describe('a batch with holes', () => {
  test.each(codecs)('becomes pieces that follow each other and hold the same records, packed as %s', (codec) => {
    const cases = fc.record({
      make: anyRecords,
      mask: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      skip: fc.nat({ max: 45 }),
    });
    fc.assert(
      fc.property(cases, ({ make, mask, skip }) => {
        const records = make(1_000n);
        mask[mask.findIndex((_, i) => i < records.length)] ||= true;
        const batch = compactedBatch(records, (i) => mask[i] ?? false, codec);
        const from = 1_000n + BigInt(Math.min(skip, records.length - 1));
        const pieces = splitCompacted(batch, from);
        let next = from;
        for (const piece of pieces) {
          expect(piece.baseOffset).toBe(next);
          expect(hasInnerHoles(piece)).toBe(false);
          if (piece.recordCount > 0) expect(checksumHolds(piece.bytes)).toBe(true);
          next = piece.lastOffset + 1n;
        }
        expect(next).toBe(batch.lastOffset + 1n);
        const wanted = decodeRecords(batch).filter((r) => r.offset >= from);
        const got = pieces.flatMap((piece) => decodeRecords(piece));
        expect(got.map(readable)).toEqual(wanted.map(readable));
      }),
      { numRuns: 60 },
    );
  });

  test('keeps a codec that can be written, and makes no piece larger than itself', () => {
    const records = Array.from({ length: 3_000 }, (_, i) => ({
      offset: BigInt(i),
      timestampMs: 1_700_000_000_000n,
      attributes: 0,
      body: bodyOf(Buffer.from(`key-${i}`), Buffer.from(`${Math.sin(i)}`.repeat(4))),
    }));
    for (const codec of codecs) {
      const batch = compactedBatch(records, (i) => i !== 1_500, codec);
      const pieces = splitCompacted(batch);
      expect(Math.max(...pieces.map((p) => p.bytes.length))).toBeLessThanOrEqual(batch.bytes.length);
      const bits = new Set(pieces.filter((p) => p.recordCount > 1).map((p) => p.bytes.readInt16BE(21) & 7));
      expect(bits).toEqual(new Set([{ none: 0, gzip: 1, snappy: 1, lz4: 1, zstd: 4 }[codec]]));
    }
  });
});
