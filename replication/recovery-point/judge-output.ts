import { type CheckpointManifest, isPendingOne } from '../../domain/checkpoint.ts';
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
  const own: OwnTransaction[] = [];
  const doubled = new Map<string, { records: number; plain: number }>();
  for (const log of logs) {
    const whoseIs = ownership(manifest, log);
    if (whoseIs === undefined) continue;
    const { topic, partition } = log;
    const sum = doubled.get(topic) ?? { records: 0, plain: 0 };
    sum.plain += log.plainRecords;
    for (const transaction of log.transactions) {
      const whose = whoseIs(transaction);
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

/** How a transaction stands to a checkpoint: one of its own, of one before, or of nobody that it knows. */
export type TransactionOwner = 'own' | 'earlier' | 'later';

/**
 * Tells of the transactions of one partition whether a checkpoint's sinks had written them: by their first offsets, which
 * are the same on both sides while producer ids are not. Undefined: where the sinks had ended there is not known. Where a
 * newer checkpoint was complete when they were looked at, its transactions may count as earlier ones. Pure.
 */
export function ownership(
  { sinkEnds, droppedTransactions: pending }: WithEnds,
  at: TopicPartition,
): ((transaction: Pick<LoggedTransaction, 'firstOffset' | 'markerOffset'>) => TransactionOwner) | undefined {
  const here = (other: TopicPartition) => other.topic === at.topic && other.partition === at.partition;
  const end = sinkEnds?.partitions.find(here);
  if (end === undefined) return undefined;
  const open = new Map(sinkEnds?.open.filter(here).map((t) => [BigInt(t.firstOffset), t]));
  const sinkEnd = BigInt(end.endOffset);
  return ({ firstOffset, markerOffset }) => {
    const seen = open.get(firstOffset);
    if (seen !== undefined) return isPendingOne(seen, pending) ? 'own' : 'later';
    // Ended before the open ones were asked for; what began in between can't end before the next checkpoint.
    if (firstOffset < sinkEnd && markerOffset !== undefined && markerOffset < sinkEnd) return 'earlier';
    return 'later';
  };
}

function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}
