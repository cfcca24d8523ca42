import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckpointManifest, OpenSinkTransaction, PendingTransaction } from '../../../../domain/checkpoint.ts';
import { noRecords } from '../../../../drills/compare/collected-records.ts';
import { unsettled } from '../../../../drills/compare/compare-topic.ts';
import type { ReadPartition, ReadTransaction } from '../../../../drills/compare/fold-output.ts';
import { producedOutput } from '../../../../drills/compare/produced-output.ts';

const at = { topic: 'counts', partition: 0 };

/** What one partition and the primary's coordinator went through, as a job with two subtasks writes it. */
interface Play {
  /** Each: records of each subtask, in which order, and when after the checkpoint the sinks were looked at. */
  readonly rounds: readonly {
    readonly writes: readonly number[];
    readonly look: number;
    readonly commits: readonly number[];
  }[];
}

interface Open {
  readonly subtask: number;
  readonly firstOffset: bigint;
  readonly checkpoint: number;
  readonly records: number[];
}

const producerId = (subtask: number, checkpoint: number) => String(subtask * 1_000 + checkpoint);

/** Plays it; gives the log and the manifests, whose content is the number of the checkpoint that a record belongs to. */
function play({ rounds }: Play) {
  let offset = 0n;
  const ended: ReadTransaction[] = [];
  const open: Open[] = [];
  const manifests: CheckpointManifest[] = [];
  const write = (subtask: number, checkpoint: number) => {
    let transaction = open.find((t) => t.subtask === subtask && t.checkpoint === checkpoint);
    if (transaction === undefined) {
      transaction = { subtask, firstOffset: offset, checkpoint, records: [] };
      open.push(transaction);
    }
    transaction.records.push(Number(offset));
    offset += 1n;
  };
  const commit = (subtask: number, checkpoint: number) => {
    const i = open.findIndex((t) => t.subtask === subtask && t.checkpoint === checkpoint);
    const [transaction] = i < 0 ? [] : open.splice(i, 1);
    if (transaction === undefined) return;
    ended.push({
      firstOffset: transaction.firstOffset,
      outcome: 'commit',
      markerOffset: offset,
      records: collected(transaction),
    });
    offset += 1n;
  };
  const look = (checkpoint: number) => {
    const first = open.map((t) => t.firstOffset).sort((a, b) => (a < b ? -1 : 1))[0];
    const seen = open.map(
      (t): OpenSinkTransaction => ({
        ...at,
        producerId: producerId(t.subtask, t.checkpoint),
        producerEpoch: 0,
        firstOffset: String(t.firstOffset),
      }),
    );
    const pending = [0, 1].map(
      (subtask): PendingTransaction => ({
        transactionalId: 'x',
        producerId: producerId(subtask, checkpoint),
        producerEpoch: 0,
      }),
    );
    const partitions = [{ ...at, endOffset: String(offset), stableOffset: String(first ?? offset) }];
    const sinkEnds = { atMs: 0, newerComplete: false, partitions, open: seen };
    manifests.push({
      checkpointId: checkpoint,
      droppedTransactions: pending,
      sinkEnds,
    } as unknown as CheckpointManifest);
  };
  rounds.forEach(({ writes, look: lookAt, commits }, i) => {
    const checkpoint = i + 1;
    // Behind the checkpoint before: its commits, the look at it, and the records of this one, in any order.
    const happenings = writes.map((subtask) => () => write(subtask, checkpoint));
    for (const [n, subtask] of [0, 1].entries()) {
      const where = Math.min(commits[n] ?? 0, happenings.length);
      happenings.splice(where, 0, () => commit(subtask, checkpoint - 1));
    }
    if (i > 0) happenings.splice(Math.min(lookAt, happenings.length), 0, () => look(checkpoint - 1));
    for (const happen of happenings) happen();
  });
  const still = open.map(
    (t): ReadTransaction => ({
      firstOffset: t.firstOffset,
      outcome: 'open',
      markerOffset: undefined,
      records: collected(t),
    }),
  );
  const transactions = [...ended, ...still].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  return { log: { transactions, plain: noRecords(0) } satisfies ReadPartition, manifests, end: offset };
}

function collected({ records, checkpoint }: Open) {
  return { partition: 0, keys: records.map(() => 1), contents: records.map(() => checkpoint), offsets: records };
}

const anyPlay: fc.Arbitrary<Play> = fc.record({
  rounds: fc.array(
    fc.record({
      writes: fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 6 }),
      look: fc.nat(8),
      commits: fc.tuple(fc.nat(8), fc.nat(8)),
    }),
    { minLength: 3, maxLength: 7 },
  ),
});

describe('production’s output between two checkpoints', () => {
  test('is exactly what the later one has and the first has not, whenever the sinks were looked at', () => {
    fc.assert(
      fc.property(anyPlay, fc.nat(), fc.nat(), (played, a, b) => {
        const { log, manifests, end } = play(played);
        const [p, q] = [a % manifests.length, b % manifests.length].sort((x, y) => x - y) as [number, number];
        const [from, until] = [manifests[p] as CheckpointManifest, manifests[q] as CheckpointManifest];
        expect(unsettled(at, log, end, { from, until })).toBeUndefined();
        const { maybe, expected, further } = producedOutput(at, log, { from, until });
        const truth = (wanted: (checkpoint: number) => boolean) =>
          log.transactions.flatMap(({ records, outcome }) =>
            outcome === 'open' && (records.contents[0] ?? 0) > until.checkpointId
              ? []
              : records.contents.filter(wanted),
          );
        expect(maybe.contents).toEqual([]);
        expect(expected.contents).toEqual(truth((c) => c > from.checkpointId && c <= until.checkpointId));
        expect(further.contents).toEqual(truth((c) => c > until.checkpointId));
      }),
      { numRuns: 500 },
    );
  });

  test('where a newer checkpoint was complete at the look, begins with what may be of either', () => {
    fc.assert(
      fc.property(anyPlay, fc.nat(), (played, a) => {
        const { log, manifests } = play(played);
        const i = a % (manifests.length - 1);
        const [exact, next] = [manifests[i] as CheckpointManifest, manifests[i + 1] as CheckpointManifest];
        // Seen only when the next one was complete.
        const from = { ...exact, sinkEnds: { ...next.sinkEnds, newerComplete: true } } as CheckpointManifest;
        const { maybe, expected } = producedOutput(at, log, { from, before: manifests[i - 1] });
        const all = [...maybe.contents, ...expected.contents];
        const after = log.transactions.flatMap(({ records, outcome }) =>
          outcome === 'commit' ? records.contents.filter((c) => c > from.checkpointId) : [],
        );
        for (const content of after) expect(all).toContain(content);
        expect(expected.contents.every((c) => c > from.checkpointId)).toBe(true);
      }),
    );
  });

  test('is not told while the copy is shorter, or a transaction’s end is not copied', () => {
    const { log, manifests, end } = play({
      rounds: [
        { writes: [0, 1], look: 0, commits: [0, 0] },
        { writes: [0, 1], look: 8, commits: [0, 0] },
        { writes: [], look: 0, commits: [0, 0] },
      ],
    });
    const [from] = manifests as [CheckpointManifest];
    expect(unsettled(at, log, 2n, { from, until: from })).toMatch(/counts-0 is copied up to 2/);
    const cut = log.transactions.map((t, i) =>
      i === 0 ? { ...t, outcome: 'open' as const, markerOffset: undefined } : t,
    );
    expect(unsettled(at, { ...log, transactions: cut }, end, { from, until: from })).toMatch(
      /the transaction from 0 on/,
    );
  });
});
