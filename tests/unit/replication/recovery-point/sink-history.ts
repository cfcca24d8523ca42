import fc from 'fast-check';
import type { OpenSinkTransaction, PendingTransaction, SinkEnds } from '../../../../domain/checkpoint.ts';
import { foldSinkLog, type SinkLog, type SinkLogRange } from '../../../../replication/recovery-point/sink-logs.ts';

export const topic = 'metrics';

/** A transaction of one subtask: what it writes between two checkpoints' barriers. */
export interface Written {
  readonly subtask: number;
  /** It is pre-committed with this checkpoint. */
  readonly checkpoint: number;
  readonly producerId: string;
}

interface Batch {
  readonly offset: bigint;
  readonly records: number;
  readonly of: Written;
  readonly marker?: 'commit';
}

/** A sink's partition on the primary, and what was seen of it after each checkpoint. */
export interface SinkHistory {
  readonly batches: readonly Batch[];
  /** From the first checkpoint on. */
  readonly seen: readonly { readonly pending: readonly PendingTransaction[]; readonly sinkEnds: SinkEnds }[];
  readonly endOffset: bigint;
}

/** Never the producer ids that the primary knows. Up to three of a subtask's are open at a time. */
const mirrorsProducer = ({ subtask, checkpoint }: Written) => BigInt(1_000 + 3 * subtask + (checkpoint % 3));

/** The standby's log below an offset: the same batches by other producers. */
export function standbyLog(range: SinkLogRange, history: SinkHistory, below: bigint): SinkLog {
  const fold = foldSinkLog(range);
  for (const { offset, records, of, marker } of history.batches) {
    if (offset >= below || offset < range.from) continue;
    const batch = {
      baseOffset: offset,
      lastOffset: offset + BigInt(records) - 1n,
      recordCount: records,
      producerId: mirrorsProducer(of),
      transactional: true,
      control: marker !== undefined,
    };
    if (!fold.add(batch, marker)) break;
  }
  return fold.result();
}

/** What happens between two looks, in random order as far as Flink's order allows. */
type Step =
  | { readonly kind: 'write'; readonly subtask: number; readonly records: number }
  | { readonly kind: 'commit'; readonly subtask: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('write' as const), subtask: fc.nat(1), records: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('commit' as const), subtask: fc.nat(1) }),
  ),
  { maxLength: 6 },
);

/** One checkpoint: between the barriers, until it is complete, and around the three questions of the look after it. */
const round = fc.record({
  before: steps,
  between: steps,
  complete: steps,
  asked: fc.tuple(steps, steps),
  after: steps,
});

/**
 * Histories of two subtasks with one exactly-once sink: each commits its transaction of a checkpoint after that is
 * complete and before the next one is, and writes the next one meanwhile.
 */
export const sinkHistories: fc.Arbitrary<SinkHistory> = fc.array(round, { minLength: 2, maxLength: 4 }).map(play);

function play(rounds: readonly (typeof round extends fc.Arbitrary<infer T> ? T : never)[]): SinkHistory {
  const batches: Batch[] = [];
  let end = 0n;
  const append = (of: Written, records: number, marker?: 'commit') => {
    batches.push({ offset: end, records, of, ...(marker ? { marker } : {}) });
    end += BigInt(records);
  };
  const written = (subtask: number, checkpoint: number): Written => {
    return { subtask, checkpoint, producerId: String(10 * checkpoint + subtask) };
  };
  const current = [written(0, 1), written(1, 1)];
  const open = new Map<string, { readonly of: Written; readonly firstOffset: bigint }>();
  let pending: Written[] = [];
  const commit = (of: Written) => {
    pending = pending.filter((p) => p !== of);
    if (open.delete(of.producerId)) append(of, 1, 'commit');
  };
  const go = (list: readonly Step[], mayCommit: boolean) => {
    for (const step of list) {
      if (step.kind === 'write') {
        const of = current[step.subtask] as Written;
        if (!open.has(of.producerId)) open.set(of.producerId, { of, firstOffset: end });
        append(of, step.records);
      } else {
        const of = pending.find((p) => p.subtask === step.subtask);
        if (mayCommit && of) commit(of);
      }
    }
  };
  const stable = () => [...open.values()].map((t) => t.firstOffset).sort((a, b) => Number(a - b))[0] ?? end;
  const seen: SinkHistory['seen'][number][] = [];
  rounds.forEach((each, i) => {
    const checkpoint = i + 1;
    go(each.before, true);
    const mine: Written[] = [];
    const barrier = (subtask: number) => {
      const of = current[subtask] as Written;
      if (open.has(of.producerId)) mine.push(of);
      current[subtask] = written(subtask, checkpoint + 1);
    };
    barrier(0);
    go(each.between, true);
    barrier(1);
    go(each.complete, true);
    // The next can only be complete when the one before is committed.
    for (const of of pending) commit(of);
    const named = mine.map((of) => ({ transactionalId: of.producerId, producerId: of.producerId, producerEpoch: 0 }));
    pending = mine;
    const stableOffset = stable();
    go(each.asked[0], true);
    const shown = [...open.values()].map(({ of, firstOffset }): OpenSinkTransaction => {
      const { producerId } = of;
      return { topic, partition: 0, producerId, producerEpoch: 0, firstOffset: firstOffset.toString() };
    });
    go(each.asked[1], true);
    const ends = { topic, partition: 0, endOffset: end.toString(), stableOffset: stableOffset.toString() };
    seen.push({ pending: named, sinkEnds: { atMs: 1, newerComplete: false, partitions: [ends], open: shown } });
    go(each.after, true);
  });
  return { batches, seen, endOffset: end };
}
