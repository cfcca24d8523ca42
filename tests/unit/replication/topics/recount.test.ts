import { describe, expect, test } from 'vitest';
import { readBatch } from '../../../../regions/kafka/record-batch.ts';
import { countBatch, newCount } from '../../../../replication/topics/recount.ts';
import { batchBytes } from '../../regions/kafka/batches.ts';

function count(from: bigint, to: bigint, batches: readonly Parameters<typeof batchBytes>[0][], logStart = 0n) {
  const running = newCount(from, logStart, to);
  for (const fields of batches) countBatch(running, readBatch(batchBytes(fields)));
  return running;
}

describe('a recount', () => {
  test('counts the records from its first offset to the end, and their time', () => {
    const counted = count(10n, 20n, [
      { baseOffset: 10n, recordCount: 4, baseTimestampMs: 100, maxTimestampMs: 110 },
      { baseOffset: 14n, recordCount: 6, baseTimestampMs: 120, maxTimestampMs: 105 },
    ]);
    expect(counted).toMatchObject({ records: 10n, firstTimestampMs: 100, lastTimestampMs: 110, exact: true });
  });

  test('counts of a batch that it begins in only the records that lie behind', () => {
    expect(count(12n, 20n, [{ baseOffset: 10n, recordCount: 5 }])).toMatchObject({ records: 3n, exact: true });
  });

  test('is not exact when it begins inside a compacted batch', () => {
    const counted = count(12n, 20n, [{ baseOffset: 10n, lastOffsetDelta: 4, recordCount: 3 }]);
    expect(counted).toMatchObject({ records: 3n, exact: false });
  });

  test('counts of a compacted batch the records that are left', () => {
    const counted = count(10n, 20n, [{ baseOffset: 10n, lastOffsetDelta: 4, recordCount: 3 }]);
    expect(counted).toMatchObject({ records: 3n, exact: true });
  });

  test('leaves out markers, what lies before, and what was written after it began', () => {
    const counted = count(10n, 20n, [
      { baseOffset: 5n, recordCount: 5 },
      { baseOffset: 10n, attributes: 0x30 },
      { baseOffset: 20n, recordCount: 5 },
    ]);
    expect(counted).toMatchObject({ records: 0n, bytes: 0, firstTimestampMs: undefined });
  });

  test('is not exact when the log begins behind its first offset', () => {
    expect(count(10n, 20n, [], 12n).exact).toBe(false);
  });
});
