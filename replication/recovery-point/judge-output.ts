import {
  type CheckpointManifest,
  isPendingOne,
  type OpenSinkTransaction,
  type PendingTransaction,
  type SinkEnd,
} from '../../domain/checkpoint.ts';
import { type LogRange, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { LoggedTransaction, SinkLog, SinkLogRange } from './sink-logs.ts';

/** Output that readers of the standby have already, and that the restored job makes again. */
export interface DoubledOutput {
  readonly topic: string;
  /** Null: nobody can tell. */
  readonly records: number | null;
  /**
   * `atLeast`: a newer checkpoint was complete when the sinks' ends were seen, or records outside transactions are among
   * them; `atMost`: the ends of an older checkpoint had to do.
   */
  readonly basis: 'exact' | 'atLeast' | 'atMost' | 'unknown';
}

/** A transaction that a checkpoint's sinks had pre-committed, as the standby's log shows it. */
export interface OwnTransaction extends TopicPartition, LoggedTransaction {}

export interface JudgedOutput {
  /** Of each mirrored topic that the job writes. */
  readonly doubled: readonly DoubledOutput[];
  /** The checkpoint's own that stood open when its sinks' ends were seen; the others had ended before. */
  readonly own: readonly OwnTransaction[];
}

type WithEnds = Pick<CheckpointManifest, 'droppedTransactions' | 'sinkEnds'>;

/**
 * What of the standby's logs `judgeOutput` needs: from where on anything could be open when the checkpoint's ends were
 * seen. Where the mirror had not got that far, from where that was so at the newest of the older checkpoints whose ends
 * it reached: what ended on the primary since then may be open on the standby. Pure.
 */
export function outputRanges(
  manifest: WithEnds,
  older: readonly WithEnds[],
  writes: readonly string[],
  ranges: ReadonlyMap<string, LogRange>,
): readonly SinkLogRange[] {
  return (manifest.sinkEnds?.partitions ?? []).flatMap((end): SinkLogRange[] => {
    const key = partitionKey(end);
    const held = ranges.get(key);
    if (held === undefined || !writes.includes(end.topic)) return [];
    const { topic, partition } = end;
    const { logStartOffset, logEndOffset: to } = held;
    const reached = [manifest, ...older]
      .flatMap(({ sinkEnds }) => sinkEnds?.partitions.filter((e) => partitionKey(e) === key) ?? [])
      .find((e) => BigInt(e.endOffset) <= to);
    const stable = reached === undefined ? logStartOffset : BigInt(reached.stableOffset);
    return [{ topic, partition, from: later(stable, logStartOffset), to, plainFrom: BigInt(end.endOffset) }];
  });
}

/**
 * How the output after a checkpoint's cut stands in the standby's log: which of its own transactions were committed,
 * and how much of what came later. A transaction of anybody else who writes to the topic counts as later. Pure.
 */
export function judgeOutput(
  manifest: WithEnds,
  writes: readonly string[],
  logs: readonly SinkLog[],
  mirrored: ReadonlySet<string>,
): JudgedOutput {
  const { sinkEnds } = manifest;
  const ends = new Map((sinkEnds?.partitions ?? []).map((end) => [partitionKey(end), end]));
  const own: OwnTransaction[] = [];
  const doubled = new Map<string, { records: number; plain: number }>();
  for (const log of logs) {
    const end = ends.get(partitionKey(log));
    if (end === undefined) continue;
    const { topic, partition } = log;
    const sum = doubled.get(topic) ?? { records: 0, plain: 0 };
    sum.plain += log.plainRecords;
    const open = (sinkEnds?.open ?? []).filter((t) => t.topic === topic && t.partition === partition);
    for (const transaction of log.transactions) {
      const whose = whoseIs(transaction, end, open, manifest.droppedTransactions);
      if (whose === 'own') own.push({ topic, partition, ...transaction });
      else if (whose === 'later' && transaction.outcome === 'commit') sum.records += transaction.records;
    }
    doubled.set(topic, sum);
  }
  return {
    own,
    doubled: [...new Set(writes)]
      .filter((topic) => mirrored.has(topic))
      .map((topic): DoubledOutput => {
        const sum = doubled.get(topic);
        if (sum === undefined) return { topic, records: null, basis: 'unknown' };
        const records = sum.records + sum.plain;
        return { topic, records, basis: sinkEnds?.newerComplete || sum.plain > 0 ? 'atLeast' : 'exact' };
      }),
  };
}

/** Told by its first offset, which is the same on both sides while producer ids are not. */
function whoseIs(
  { firstOffset, markerOffset }: LoggedTransaction,
  end: SinkEnd,
  open: readonly OpenSinkTransaction[],
  pending: readonly PendingTransaction[],
): 'own' | 'earlier' | 'later' {
  const seen = open.find((t) => BigInt(t.firstOffset) === firstOffset);
  if (seen !== undefined) return isPendingOne(seen, pending) ? 'own' : 'later';
  const sinkEnd = BigInt(end.endOffset);
  // Ended before the open ones were asked for; what began in between can't end before the next checkpoint.
  if (firstOffset < sinkEnd && markerOffset !== undefined && markerOffset < sinkEnd) return 'earlier';
  return 'later';
}

function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}
