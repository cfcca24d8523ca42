import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRange } from '../../../../domain/offsets.ts';
import { judgeOutput, outputRanges } from '../../../../replication/recovery-point/judge-output.ts';
import { judgeSinks } from '../../../../replication/recovery-point/judge-sinks.ts';
import { indexRanges } from '../../../../replication/recovery-point/log-index.ts';
import { pointOutput, recountOutput } from '../../../../replication/recovery-point/point-output.ts';
import { foldSinkLog } from '../../../../replication/recovery-point/sink-logs.ts';
import {
  decideOpenTransactions,
  type OpenTransaction,
  preCommittedBy,
} from '../../../../replication/topics/decide-transactions.ts';
import { judgedPoint } from './point-sample.ts';
import { type SinkHistory, sinkHistories, standbyLog, topic, type Written } from './sink-history.ts';

const writes = [topic];

/** What a failover to a checkpoint would do and say, the mirror having got to an offset. */
function failover(history: SinkHistory, checkpoint: number, mirroredEnd: bigint) {
  const range: LogRange = { topic, partition: 0, logStartOffset: 0n, logEndOffset: mirroredEnd };
  const log = indexRanges([range]);
  const manifests = history.seen.slice(0, checkpoint).map(({ pending, sinkEnds }, i) => {
    return judgedPoint({ checkpointId: i + 1, droppedTransactions: pending, sinkEnds }).manifest;
  });
  const points = manifests.reverse().map((manifest) => {
    return { ...judgedPoint(manifest), sinks: judgeSinks(manifest, { writes, acceptOutputGap: true }, log) };
  });
  const point = points[0] as (typeof points)[number];
  const wanted = outputRanges(point.manifest, manifests.slice(1), writes, log.partitions);
  const logs = wanted.map((each) => standbyLog(each, history, mirroredEnd));
  // What stands open there, by the whole log: nobody could say whose it is.
  const whole = { topic, partition: 0, from: 0n, to: mirroredEnd, plainFrom: 0n };
  const open = standbyLog(whole, history, mirroredEnd)
    .transactions.filter((t) => t.outcome === 'open')
    .map(({ firstOffset }): OpenTransaction => {
      const unknown = { sinceMs: undefined, sourceProducerId: undefined, sourceProducerEpoch: undefined };
      const ids = { owner: 'mirror' as const, transactionalId: 't', producerId: 1n, producerEpoch: 0 };
      return { topic, partition: 0, firstOffset, ...ids, ...unknown };
    });
  const preCommitted = [preCommittedBy(point.manifest, writes, [{ topic, partition: 0, offset: mirroredEnd }])];
  const { own } = decideOpenTransactions(open, { asked: [], preCommitted });
  const ends = own.filter((t) => t.outcome === 'commit');
  const committed = new Set(ends.map((t) => t.transaction.firstOffset ?? -1n));
  return { point, committed, ...pointOutput({ points, writes, logRanges: [range] }, logs) };
}

/** Records of each transaction: all of them, and those that readers of committed records on the standby see. */
function recount(history: SinkHistory, mirroredEnd: bigint, committed: ReadonlySet<bigint>) {
  const counts = new Map<Written['producerId'], { of: Written; all: number; seen: number }>();
  for (const { of } of history.batches) {
    if (counts.has(of.producerId)) continue;
    const mine = history.batches.filter((b) => b.of.producerId === of.producerId);
    const data = mine.filter((b) => b.marker === undefined);
    const marker = mine.find((b) => b.marker !== undefined);
    const sum = (list: typeof data) => list.reduce((n, b) => n + b.records, 0);
    const ended = marker !== undefined && marker.offset < mirroredEnd;
    const shown = ended || committed.has(data[0]?.offset ?? -1n);
    const seen = shown ? sum(data.filter((b) => b.offset < mirroredEnd)) : 0;
    counts.set(of.producerId, { of, all: sum(data), seen });
  }
  return [...counts.values()];
}

const cases = sinkHistories.chain((history) => {
  const ends = [...history.batches.map((b) => b.offset), history.endOffset];
  return fc.record({
    history: fc.constant(history),
    checkpoint: fc.integer({ min: 1, max: history.seen.length }),
    mirroredEnd: fc.constantFrom(...ends),
  });
});

test('a point that is taken without a gap has all of its output on the standby, and what is doubled is counted exactly', () => {
  let taken = 0;
  fc.assert(
    fc.property(cases, ({ history, checkpoint, mirroredEnd }) => {
      const { point, output, committed, aborted } = failover(history, checkpoint, mirroredEnd);
      if (point.sinks.gap.length > 0) return;
      taken++;
      const counts = recount(history, mirroredEnd, committed);
      expect(counts.filter(({ of, seen, all }) => of.checkpoint <= checkpoint && seen !== all)).toEqual([]);
      const later = counts.filter(({ of }) => of.checkpoint > checkpoint).reduce((n, t) => n + t.seen, 0);
      expect(output.doubled).toEqual([{ topic, records: later, basis: 'exact' }]);
      expect(output.gap).toEqual([]);
      expect(aborted).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(300);
});

test('the records that readers miss after an accepted gap lie within what is reported', () => {
  let short = 0;
  fc.assert(
    fc.property(cases, ({ history, checkpoint, mirroredEnd }) => {
      const { point, output, committed } = failover(history, checkpoint, mirroredEnd);
      if (point.sinks.gap.length === 0) return;
      short++;
      const counts = recount(history, mirroredEnd, committed);
      const missing = counts.filter(({ of }) => of.checkpoint <= checkpoint).reduce((n, t) => n + t.all - t.seen, 0);
      const [gap] = output.gap;
      expect(missing).toBeGreaterThanOrEqual(gap?.abortedRecords ?? 0);
      expect(missing).toBeLessThanOrEqual(gap?.recordsAtMost ?? -1);
      const later = counts.filter(({ of }) => of.checkpoint > checkpoint).reduce((n, t) => n + t.seen, 0);
      expect(output.doubled).toEqual([{ topic, records: later, basis: 'exact' }]);
    }),
    { numRuns: 2_000 },
  );
  expect(short).toBeGreaterThan(300);
});

const range = { topic, partition: 0, from: 0n, to: 20n, plainFrom: 10n };
const data = (baseOffset: bigint, recordCount: number, producerId: bigint, transactional = true) => {
  const lastOffset = baseOffset + BigInt(recordCount) - 1n;
  return { baseOffset, lastOffset, recordCount, producerId, transactional, control: false };
};
const marker = (offset: bigint, producerId: bigint) => ({ ...data(offset, 1, producerId), control: true });

test('records above the mirror`s end are nobody`s, and markers above it end what began below', () => {
  const fold = foldSinkLog(range);
  expect(fold.add(data(0n, 5, 1n), undefined)).toBe(true);
  expect(fold.add(data(5n, 15, 2n), undefined)).toBe(true);
  expect(fold.add(marker(20n, 2n), 'abort')).toBe(true);
  expect(fold.add(data(21n, 9, 1n), undefined)).toBe(true);
  expect(fold.add(marker(30n, 1n), 'commit')).toBe(false);
  expect(fold.result().transactions).toEqual([
    { firstOffset: 0n, endOffset: 5n, records: 5, outcome: 'commit', markerOffset: 30n },
    { firstOffset: 5n, endOffset: 20n, records: 15, outcome: 'abort', markerOffset: 20n },
  ]);
});

const sinkEnds = {
  atMs: 1,
  newerComplete: false,
  partitions: [{ topic, partition: 0, endOffset: '10', stableOffset: '0' }],
  open: [{ topic, partition: 0, producerId: '7', producerEpoch: 0, firstOffset: '0' }],
};
const pending = [{ transactionalId: 'a', producerId: '7', producerEpoch: 0 }];

test('an own transaction that is aborted on the standby is named', () => {
  const fold = foldSinkLog(range);
  fold.add(data(0n, 5, 1n), undefined);
  fold.add(marker(20n, 1n), 'abort');
  const points = [judgedPoint({ droppedTransactions: pending, sinkEnds })];
  const logRanges = [{ topic, partition: 0, logStartOffset: 0n, logEndOffset: 20n }];
  const { aborted, output } = pointOutput({ points, writes, logRanges }, [fold.result()]);
  expect(aborted).toEqual([
    {
      code: 'TransactionAborted',
      message: "metrics-0: the sinks' transaction from 0 is aborted on the standby, with 5 records",
    },
  ]);
  expect(output.gap).toEqual([
    { topic, partition: 0, mirroredEnd: 10n, sinkEnd: 10n, abortedRecords: 5, recordsAtMost: 5 },
  ]);
});

test('what is doubled is a lower bound where a newer checkpoint was complete, or records stand outside transactions', () => {
  const log = (plainRecords: number) => ({ ...range, transactions: [], plainRecords });
  const mirrored = new Set([topic]);
  const of = (newerComplete: boolean, plain: number) =>
    judgeOutput({ droppedTransactions: [], sinkEnds: { ...sinkEnds, newerComplete } }, writes, [log(plain)], mirrored)
      .doubled;
  expect(of(false, 0)).toEqual([{ topic, records: 0, basis: 'exact' }]);
  expect(of(true, 0)).toEqual([{ topic, records: 0, basis: 'atLeast' }]);
  expect(of(false, 3)).toEqual([{ topic, records: 3, basis: 'atLeast' }]);
});

test('without ends of its own a point`s doubles are bounded by those of an older one, or not known', () => {
  const fold = foldSinkLog(range);
  fold.add(data(0n, 5, 1n), undefined);
  fold.add(marker(5n, 1n), 'commit');
  const logRanges = [{ topic, partition: 0, logStartOffset: 0n, logEndOffset: 20n }];
  const unknown = judgedPoint({ checkpointId: 2, droppedTransactions: pending });
  const older = judgedPoint({ checkpointId: 1, droppedTransactions: pending, sinkEnds });
  const bounded = pointOutput({ points: [unknown, older], writes, logRanges }, [fold.result()]);
  expect(bounded.output.doubled).toEqual([{ topic, records: 5, basis: 'atMost' }]);
  expect(bounded.aborted).toEqual([]);
  const alone = pointOutput({ points: [unknown], writes, logRanges }, []);
  expect(alone.output.doubled).toEqual([{ topic, records: null, basis: 'unknown' }]);
  const slow = pointOutput({ points: [older], writes, logRanges }, undefined);
  expect(slow.output.doubled).toEqual([{ topic, records: null, basis: 'unknown' }]);
  expect(slow.output.notes.map((n) => n.code)).toEqual(['SinkLogNotRead']);
});

test('an end that was under way when the point was chosen counts as it turned out', async () => {
  const fold = foldSinkLog(range);
  fold.add(data(0n, 5, 1n), undefined);
  fold.add(data(12n, 6, 2n), undefined);
  const points = [judgedPoint({ droppedTransactions: pending, sinkEnds })];
  const logRanges = [{ topic, partition: 0, logStartOffset: 0n, logEndOffset: 20n }];
  const { output } = pointOutput({ points, writes, logRanges }, [fold.result()]);
  expect(output).toMatchObject({ doubled: [{ records: 0, basis: 'exact' }], gap: [] });
  fold.add(marker(20n, 2n), 'commit');
  fold.add(marker(21n, 1n), 'abort');
  const point = { droppedTransactions: pending, sinkEnds, output };
  const { signal } = new AbortController();
  const final = await recountOutput(point, writes, logRanges, { read: async () => [fold.result()] }, signal);
  expect(final?.doubled).toEqual([{ topic, records: 6, basis: 'exact' }]);
  expect(final?.gap).toMatchObject([{ partition: 0, abortedRecords: 5, recordsAtMost: 5 }]);
  expect(await recountOutput(point, writes, logRanges, { read: async () => undefined }, signal)).toBeUndefined();
});
