import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { ownership } from '../../replication/recovery-point/judge-output.ts';
import type { OutputComparison } from '../drill-report.ts';
import { append, keyTable, noRecords } from './collected-records.ts';
import { compareRecords, type FirstDifference } from './compare-records.ts';
import type { ReadPartition } from './fold-output.ts';
import { type OutputBounds, producedOutput } from './produced-output.ts';
import type { OutputRange, OutputReader } from './read-output.ts';
import { differingMembers } from './record-digest.ts';

/** One topic of a job, and the drill's in its place. */
export interface ComparedTopic {
  readonly job: string;
  readonly topic: string;
  readonly by: 'key' | 'set';
  readonly ignore: readonly string[];
  readonly bounds: OutputBounds;
  readonly produced: { readonly reader: OutputReader; readonly against: 'mirrored' | 'primary' };
  /** Up to where the drill's topic is read. */
  readonly drilled: { readonly reader: OutputReader; readonly ends: readonly OutputRange[] };
}

/** `unsettled`: production's log does not tell yet how its output ended; the sentence says where. */
export type TopicComparison =
  | { readonly kind: 'ended'; readonly comparison: OutputComparison }
  | { readonly kind: 'unsettled'; readonly why: string };

/** Reads both outputs and compares them. Errors of the readers are thrown. */
export async function compareTopic(view: ComparedTopic, signal: AbortSignal): Promise<TopicComparison> {
  const { job, topic, by, ignore, bounds, produced, drilled } = view;
  const skipped = (why: string): TopicComparison => ({
    kind: 'ended',
    comparison: { job, topic, kind: 'skipped', why },
  });
  const ends = await produced.reader.ends(topic, signal);
  const starts = await produced.reader.starts(ends, signal);
  const ranges = ends.map(({ partition, offset: to }) => ({
    topic,
    partition,
    from: beginOf({ topic, partition }, bounds),
    to,
  }));
  const cut = ranges.find((r) => (starts.get(partitionKey(r)) ?? 0n) > r.from);
  if (cut !== undefined) return skipped(`${partitionKey(cut)} no longer holds what production wrote at ${cut.from}`);
  const keys = keyTable();
  const logs = await produced.reader.read(ranges, { keys, ignore }, signal);
  for (const [partition, log] of logs) {
    const at = { topic, partition };
    if (log.plain.keys.length > 0) {
      return skipped(
        `${partitionKey(at)} holds records outside transactions: nothing tells which checkpoint they belong to`,
      );
    }
    const why = unsettled(at, log, ends.find((e) => e.partition === partition)?.offset ?? 0n, bounds);
    if (why !== undefined) return { kind: 'unsettled', why };
  }
  const drills = await drilled.reader.read(drilled.ends, { keys, ignore }, signal);
  const counts = compareRecords(
    [...logs].map(([partition, log]) => producedOutput({ topic, partition }, log, bounds)),
    [...drills].map(([partition, log]) => committed(partition, log)),
    { by, closed: bounds.past !== undefined },
  );
  const { records, missing, unexpected, differing, first } = counts;
  const told = first === undefined ? {} : { first: await tellFirst(first, view, signal) };
  const comparison = {
    job,
    topic,
    kind: 'compared' as const,
    against: produced.against,
    records,
    missing,
    unexpected,
    differing,
  };
  return { kind: 'ended', comparison: { ...comparison, ...told } };
}

/** Where anything can begin that isn't surely of the restored checkpoint or before; 0 in a partition that it didn't know. */
function beginOf(at: TopicPartition, { from, before }: OutputBounds): bigint {
  const known = (before ?? from).sinkEnds?.partitions.find((e) => partitionKey(e) === partitionKey(at));
  return BigInt(known?.stableOffset ?? 0n);
}

/**
 * Why a partition doesn't tell yet how production's output up to the bounds ended: its copy is not as long, or a
 * transaction that had ended on the primary is open on it. Pure.
 */
export function unsettled(
  at: TopicPartition,
  log: ReadPartition,
  end: bigint,
  { until, past }: OutputBounds,
): string | undefined {
  for (const manifest of [until, past]) {
    const known = manifest?.sinkEnds?.partitions.find((e) => partitionKey(e) === partitionKey(at));
    if (manifest === undefined || known === undefined) continue;
    const key = partitionKey(at);
    if (end < BigInt(known.endOffset))
      return `${key} is copied up to ${end}, production's output up to ${known.endOffset}`;
    const seen = new Set(
      manifest.sinkEnds?.open.flatMap((t) => (partitionKey(t) === key ? [BigInt(t.firstOffset)] : [])),
    );
    const whose = ownership(manifest, at);
    const open = log.transactions.find(
      (t) =>
        t.outcome === 'open' &&
        t.firstOffset < BigInt(known.endOffset) &&
        !seen.has(t.firstOffset) &&
        whose?.(t) !== 'own',
    );
    if (open !== undefined) return `${key}: the end of the transaction from ${open.firstOffset} on is not copied yet`;
  }
  return undefined;
}

/** What a reader of committed records sees. */
function committed(partition: number, { transactions, plain }: ReadPartition) {
  const records = noRecords(partition);
  append(records, plain);
  for (const transaction of transactions) if (transaction.outcome === 'commit') append(records, transaction.records);
  return records;
}

/**
 * The first difference in one sentence: where it is, and in what; never what the records hold. A difference that was
 * counted stands: where its records can't be read again, the sentence says less.
 */
async function tellFirst(first: FirstDifference, view: ComparedTopic, signal: AbortSignal): Promise<string> {
  const { partition, produced, drilled } = first;
  const key = partitionKey({ topic: view.topic, partition });
  if (first.kind === 'missing') return `${key}: production's record at offset ${produced} was not made again`;
  if (first.kind === 'unexpected') {
    const where = produced === undefined ? 'behind all of production’s' : `before the one at offset ${produced}`;
    return `${key}: the drill wrote a record that production did not, ${where}`;
  }
  const there = view.drilled.ends.find((e) => e.partition === partition);
  let members: readonly string[] | undefined;
  try {
    const [a, b] =
      produced === undefined || drilled === undefined || there === undefined
        ? []
        : await Promise.all([
            view.produced.reader.record({ topic: view.topic, partition, offset: BigInt(produced) }, signal),
            view.drilled.reader.record({ ...there, offset: BigInt(drilled) }, signal),
          ]);
    members = a && b && differingMembers(a, b, view.ignore);
  } catch {
    signal.throwIfAborted();
  }
  const what = members === undefined || members.length === 0 ? 'value or headers' : members.slice(0, 5).join(', ');
  return `${key}: production's record at offset ${produced} and the drill's in its place differ in ${what}`;
}
