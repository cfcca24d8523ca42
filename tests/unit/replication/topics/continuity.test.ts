import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBatch } from '../../../../regions/kafka/record-batch.ts';
import {
  decideBatch,
  decideEpochEnd,
  decideProduced,
  decideSameTail,
  decideStart,
} from '../../../../replication/topics/continuity.ts';
import { batchBytes } from '../../regions/kafka/batches.ts';

function stopReason(decision: { kind: string; stop?: { reason: string } }): string {
  return decision.stop?.reason ?? decision.kind;
}

describe('a partition starts', () => {
  test.each([
    ['at the standby`s end when the source has what follows', 5n, 0n, 9n, 'mirror'],
    ['when both ends are the same', 9n, 0n, 9n, 'mirror'],
    ['when both logs are empty', 0n, 0n, 0n, 'mirror'],
    ['when the source begins where the standby ends', 5n, 5n, 9n, 'mirror'],
    ['not when the source deleted what comes next', 5n, 6n, 9n, 'SourceTruncated'],
    ['not when a new standby meets a log that begins above 0', 0n, 3n, 9n, 'SourceTruncated'],
    ['not when the standby has more than the source', 10n, 0n, 9n, 'StandbyAhead'],
  ])('%s', (_name, standbyEnd, sourceStart, sourceEnd, expected) => {
    const decision = decideStart({ standbyEnd, sourceStart, sourceEnd });
    expect(stopReason(decision)).toBe(expected);
    if (decision.kind === 'mirror') expect(decision.from).toBe(standbyEnd);
  });
});

describe('the last batch of both sides', () => {
  const last = (fields: Parameters<typeof batchBytes>[0] = {}) =>
    readBatch(batchBytes({ baseOffset: 10n, recordCount: 5, ...fields }));

  test.each([
    ['is no matter when it is the same', last(), last(), undefined],
    ['is no matter when its producer differs, as the mirror`s does', last({ producerId: 4n }), last(), undefined],
    ['is no matter when one can`t be seen', undefined, last(), undefined],
    ['stops the partition when its records are of another time', last({ maxTimestampMs: 9 }), last(), 'Diverged'],
    ['stops the partition when it begins elsewhere', last({ baseOffset: 12n, recordCount: 3 }), last(), 'Diverged'],
    ['stops the partition when it holds other records', last({ recordCount: 6 }), last(), 'Diverged'],
    [
      'stops the partition when only one is a marker',
      last({ attributes: 0x30, maxTimestampMs: 9 }),
      last(),
      'Diverged',
    ],
    [
      'is no matter when both are markers: each has its own side`s time',
      last({ attributes: 0x30, maxTimestampMs: 9 }),
      last({ attributes: 0x30 }),
      undefined,
    ],
    ['is no matter where the source has a hole', last({ baseOffset: 20n, maxTimestampMs: 9 }), last(), undefined],
    [
      'is no matter when compaction took some of it',
      last({ lastOffsetDelta: 4, recordCount: 2, maxTimestampMs: 9 }),
      last(),
      undefined,
    ],
  ])('%s', (_name, source, standby, expected) => {
    expect(decideSameTail(source, standby)?.reason).toBe(expected);
  });
});

describe('a fetched batch', () => {
  const batch = (fields: Parameters<typeof batchBytes>[0]) => readBatch(batchBytes(fields));

  test.each([
    ['is taken when it begins at the position', 10n, batch({ baseOffset: 10n, recordCount: 5 }), 'take'],
    ['is skipped when the standby has all of it', 15n, batch({ baseOffset: 10n, recordCount: 5 }), 'skip'],
    ['is taken when offsets are missing before it, which are filled', 9n, batch({ baseOffset: 10n }), 'take'],
    [
      'stops the partition when it begins before the position',
      12n,
      batch({ baseOffset: 10n, recordCount: 5 }),
      'OffsetGap',
    ],
    [
      'is taken when compaction left holes in it',
      10n,
      batch({ baseOffset: 10n, lastOffsetDelta: 4, recordCount: 3 }),
      'take',
    ],
    [
      'is taken where the standby ends inside it and it has holes',
      12n,
      batch({ baseOffset: 10n, lastOffsetDelta: 4, recordCount: 3 }),
      'take',
    ],
    [
      'is taken with holes when it is transactional, too',
      10n,
      batch({ baseOffset: 10n, lastOffsetDelta: 4, recordCount: 3, attributes: 0x10 }),
      'take',
    ],
    [
      'stops the partition when it is a marker with holes',
      10n,
      batch({ baseOffset: 10n, lastOffsetDelta: 4, recordCount: 1, attributes: 0x30 }),
      'ControlRecordUnknown',
    ],
    [
      'is taken when it has no records and some of its offsets are filled',
      12n,
      batch({ baseOffset: 10n, lastOffsetDelta: 4, recordCount: 0 }),
      'take',
    ],
    [
      'is taken when compaction left none of its records: its offsets are filled',
      10n,
      batch({ baseOffset: 10n, lastOffsetDelta: 4, recordCount: 0 }),
      'take',
    ],
    ['is taken when it is transactional', 10n, batch({ baseOffset: 10n, attributes: 0x10 }), 'take'],
    ['is taken when it is a marker', 10n, batch({ baseOffset: 10n, attributes: 0x30 }), 'take'],
    ['is skipped when it is an old marker', 11n, batch({ baseOffset: 10n, attributes: 0x30 }), 'skip'],
  ])('%s', (_name, position, fetched, expected) => {
    expect(stopReason(decideBatch(position, fetched))).toBe(expected);
  });

  test('is never taken when it has a record for each offset and overlaps with what was taken', () => {
    const any = fc.record({ base: fc.nat({ max: 30 }), delta: fc.nat({ max: 5 }), missing: fc.nat({ max: 2 }) });
    fc.assert(
      fc.property(fc.nat({ max: 30 }), fc.array(any, { maxLength: 30 }), (start, fetched) => {
        let position = BigInt(start);
        for (const { base, delta, missing } of fetched) {
          const recordCount = Math.max(0, delta + 1 - missing);
          const next = batch({ baseOffset: BigInt(base), lastOffsetDelta: delta, recordCount });
          const decision = decideBatch(position, next);
          if (decision.kind === 'stop') return;
          if (decision.kind === 'skip') continue;
          if (next.recordCount === delta + 1) expect(next.baseOffset).toBeGreaterThanOrEqual(position);
          position = next.lastOffset + 1n;
        }
      }),
    );
  });
});

describe('the standby`s answer to a batch at offset 7', () => {
  test.each([
    ['with the same offset means appended', 0, 7n, 'appended'],
    ['with another offset stops the partition', 0, 8n, 'OffsetMismatch'],
    ['that it is a duplicate asks for the log end', 46, -1n, 'unsure'],
    ['that the broker is not the leader asks for the log end', 6, -1n, 'unsure'],
    ['that the broker gave up waiting asks for the log end', 7, -1n, 'unsure'],
    ['that replicas are missing asks for the log end', 20, -1n, 'unsure'],
    ['that the topic is unknown asks for the log end', 3, -1n, 'unsure'],
    ['that the sequence is out of order asks once more', 45, -1n, 'outOfOrder'],
    ['that the producer`s epoch is old stops the partition', 47, -1n, 'Fenced'],
    ['that the producer was fenced stops the partition', 90, -1n, 'Fenced'],
    ['that the batch is too large stops the partition', 10, -1n, 'BatchRefused'],
    ['that writing is denied stops the partition', 29, -1n, 'BatchRefused'],
    ['that a record is invalid stops the partition', 87, -1n, 'BatchRefused'],
    ['with an unknown error stops the partition', -1, -1n, 'BatchRefused'],
  ])('%s', (_name, errorCode, baseOffset, expected) => {
    expect(stopReason(decideProduced(7n, { errorCode, baseOffset, errorMessage: undefined }))).toBe(expected);
  });
});

describe('the standby`s answer to a transactional batch', () => {
  test.each([47, 48, 49, 90])('with error %i means that the transaction is lost', (errorCode) => {
    const answer = { errorCode, baseOffset: -1n, errorMessage: undefined };
    expect(stopReason(decideProduced(7n, answer, true))).toBe('TransactionLost');
  });
});

describe('a partition whose leader changed at the source', () => {
  test.each([
    { standbyEnd: 100n, epochEnd: 100n, lost: undefined },
    { standbyEnd: 100n, epochEnd: 140n, lost: undefined },
    { standbyEnd: 100n, epochEnd: -1n, lost: undefined },
    { standbyEnd: 100n, epochEnd: 60n, lost: '60 to 99' },
    { standbyEnd: 100n, epochEnd: 0n, lost: '0 to 99' },
  ])(
    'mirrored to $standbyEnd, read in an epoch that ends at $epochEnd, lost $lost',
    ({ standbyEnd, epochEnd, lost }) => {
      const stop = decideEpochEnd(standbyEnd, epochEnd);
      expect(stop?.reason).toBe(lost && 'SourceTailLost');
      if (lost) expect(stop?.detail).toContain(`offsets ${lost},`);
    },
  );
});
