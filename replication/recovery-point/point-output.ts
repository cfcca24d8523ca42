import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { type LogRange, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { JudgedPoint } from './choose.ts';
import { type DoubledOutput, judgeOutput, type OwnTransaction, outputRanges } from './judge-output.ts';
import type { SinkNote, SinkRefusalCode } from './judge-sinks.ts';
import { indexRanges } from './log-index.ts';
import type { SinkLog, SinkLogReader } from './sink-logs.ts';

/** Output of a recovery point that readers on the standby won't find, in one partition. */
export interface OutputGap extends TopicPartition {
  readonly mirroredEnd: bigint;
  /** Up to where the sinks' output may go on the primary; null: nobody knows. */
  readonly sinkEnd: bigint | null;
  /** Records that the standby holds, in transactions which are aborted there. Null: nobody knows which. */
  readonly abortedRecords: number | null;
  /** No more are missing than so many; offsets of the primary that the standby lacks count as records. Null: unknown. */
  readonly recordsAtMost: number | null;
}

/** What a failover to a recovery point means to those who read its sinks' output on the standby. */
export interface PointOutput {
  /** Seen by them already, and made again by the restored job. */
  readonly doubled: readonly DoubledOutput[];
  /** Empty: nothing is missing, as far as it can be told (`notes`). */
  readonly gap: readonly OutputGap[];
  readonly notes: readonly SinkNote[];
}

interface LookedAt {
  readonly output: PointOutput;
  /** Reasons against the point, each a transaction of its own. */
  readonly aborted: readonly { readonly code: SinkRefusalCode; readonly message: string }[];
}

interface PointView {
  /** The point, and those that are older, newest first. */
  readonly points: readonly JudgedPoint[];
  readonly writes: readonly string[];
  readonly logRanges: readonly LogRange[];
}

/** Reads of the standby's logs what tells how a point's output stands there. Without declared topics nothing is read. */
export async function readPointOutput(view: PointView, logs: SinkLogReader, signal: AbortSignal): Promise<LookedAt> {
  const ranges = indexRanges(view.logRanges).partitions;
  const [by, ...older] = view.points.map(({ manifest }) => manifest).filter((m) => m.sinkEnds !== undefined);
  const wanted = by === undefined ? [] : outputRanges(by, older, view.writes, ranges);
  return pointOutput(view, await logs.read(wanted, signal));
}

/** The newest of the points whose sinks' ends are known: the point itself, as a rule. */
const knownBy = ({ points }: PointView) => points.find(({ manifest }) => manifest.sinkEnds !== undefined);

/** How a point's output stands in the standby's logs; undefined: they could not be read in time. Pure. */
export function pointOutput(view: PointView, logs: readonly SinkLog[] | undefined): LookedAt {
  const point = view.points[0] as JudgedPoint;
  const mirrored = new Set(view.logRanges.map((range) => range.topic));
  const by = logs === undefined ? undefined : knownBy(view);
  // By an older one's ends everything counts that came after it, the point's own included.
  const known = by === point ? point.manifest : { ...by?.manifest, droppedTransactions: [] };
  const judged = judgeOutput(known, view.writes, logs ?? [], mirrored);
  const doubled =
    by === point
      ? judged.doubled
      : judged.doubled.map((d): DoubledOutput => (d.records === null ? d : { ...d, basis: 'atMost' }));
  const notes = [...point.sinks.notes];
  if (logs === undefined) {
    const message = `the standby's log of ${view.writes.join(', ')} could not be read in time: how transactions ended there is not known`;
    notes.push({ code: 'SinkLogNotRead', message });
  }
  const own = by === point ? judged.own : [];
  return {
    output: { doubled, gap: gapOf(point, own, logs ?? []), notes },
    aborted: own
      .filter((t) => t.outcome === 'abort')
      .map((t) => ({
        code: 'TransactionAborted' as const,
        message: `${partitionKey(t)}: the sinks' transaction from ${t.firstOffset} is aborted on the standby, with ${t.records} records`,
      })),
  };
}

/**
 * The same once nothing of the mirror's stands open any more: then it is final. A transaction whose end was under way
 * when the point was chosen counts as it ended. What is missing behind the mirror's end stays as it was told then;
 * undefined when nothing more can be told.
 */
export async function recountOutput(
  point: Pick<CheckpointManifest, 'droppedTransactions' | 'sinkEnds'> & { readonly output?: PointOutput },
  writes: readonly string[],
  logRanges: readonly LogRange[],
  logs: SinkLogReader,
  signal: AbortSignal,
): Promise<PointOutput | undefined> {
  const { sinkEnds, output } = point;
  if (sinkEnds === undefined || output === undefined) return undefined;
  const ranges = new Map(logRanges.map((range) => [partitionKey(range), range]));
  const stable = new Map(sinkEnds.partitions.map((end) => [partitionKey(end), BigInt(end.stableOffset)]));
  // What came later had not begun before; the rest, where the mirror had got less far, is in the gap already.
  const wanted = outputRanges(point, [], writes, ranges).map((r) => ({
    ...r,
    from: stable.get(partitionKey(r)) ?? r.from,
  }));
  const read = await logs.read(wanted, signal);
  if (read === undefined) return undefined;
  const judged = judgeOutput(point, writes, read, new Set(logRanges.map((range) => range.topic)));
  const told = new Set(output.gap.map(partitionKey));
  const lost = judged.own.filter((t) => !told.has(partitionKey(t)));
  return { ...output, doubled: judged.doubled, gap: [...output.gap, ...abortedGaps(point, lost)] };
}

function gapOf(point: JudgedPoint, own: readonly OwnTransaction[], logs: readonly SinkLog[]): readonly OutputGap[] {
  const short = new Map(point.sinks.gap.map((gap) => [partitionKey(gap), gap]));
  const gaps: OutputGap[] = [];
  for (const { topic, partition, mirroredEnd, sinkEnd } of point.sinks.gap) {
    if (sinkEnd === null) {
      gaps.push({ topic, partition, mirroredEnd, sinkEnd, abortedRecords: null, recordsAtMost: null });
      continue;
    }
    const lost = own.filter((t) => t.topic === topic && t.partition === partition && t.outcome !== 'commit');
    const abortedRecords = sum(lost.map((t) => t.records));
    // Cut by the mirror's end: one that ended on the primary before anybody looked can't be told from a later one.
    const open = logs
      .find((log) => log.topic === topic && log.partition === partition)
      ?.transactions.filter((t) => t.outcome === 'open' && !lost.some((l) => l.firstOffset === t.firstOffset));
    const recordsAtMost = abortedRecords + sum((open ?? []).map((t) => t.records)) + Number(sinkEnd - mirroredEnd);
    gaps.push({ topic, partition, mirroredEnd, sinkEnd, abortedRecords, recordsAtMost });
  }
  const whole = own.filter((t) => !short.has(partitionKey(t)));
  return [...gaps, ...abortedGaps(point.manifest, whole)];
}

/** Where the mirror has all, and own transactions are aborted nevertheless. */
function abortedGaps(
  { sinkEnds }: Pick<CheckpointManifest, 'sinkEnds'>,
  own: readonly OwnTransaction[],
): readonly OutputGap[] {
  const ends = new Map(sinkEnds?.partitions.map((end) => [partitionKey(end), BigInt(end.endOffset)]));
  const aborted = own.filter((t) => t.outcome === 'abort');
  return [...Map.groupBy(aborted, partitionKey)].map(([key, list]) => {
    const sinkEnd = ends.get(key) ?? 0n;
    const { topic, partition } = list[0] as OwnTransaction;
    const abortedRecords = sum(list.map((t) => t.records));
    return { topic, partition, mirroredEnd: sinkEnd, sinkEnd, abortedRecords, recordsAtMost: abortedRecords };
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
