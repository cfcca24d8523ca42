import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { describeProducersRequest } from '../../regions/kafka/describe-producers.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { RecordBatch } from '../../regions/kafka/record-batch.ts';
import { wholeBatch, withPlaceholders } from './align-plan.ts';
import type { CheckedPartition } from './check.ts';
import { decideBatch, type Stop } from './continuity.ts';
import { lastBatches } from './last-batches.ts';
import { differenceOfPair } from './verify-batches.ts';

export interface CheckedLogs {
  readonly source: KafkaCluster;
  /** Absent: the standby has no such topic, or it may not be read. */
  readonly standby: KafkaCluster | undefined;
  /** One side's topic is compacted: batches may differ without harm. */
  readonly compacted: boolean;
  readonly signal: AbortSignal;
}

/** Looks into the logs of one topic's partitions, with a few fetches for each; changes nothing. */
export async function checkLogs(
  logs: CheckedLogs,
  partitions: readonly TopicPartition[],
): Promise<readonly CheckedPartition[]> {
  const { source, standby, signal } = logs;
  const none = new Map<string, bigint>();
  // The standby first: what is mirrored meanwhile must not look as if the standby were ahead.
  const ends = standby ? await standby.logEnds(partitions, signal) : none;
  const starts = standby ? await standby.logStarts(partitions, signal) : none;
  const sourceStarts = await source.logStarts(partitions, signal);
  const sourceEnds = await source.logEnds(partitions, signal);
  const newest = await lastBatches(source, partitions, sourceEnds, signal);
  const standbyNewest = standby ? await lastBatches(standby, partitions, ends, signal) : new Map<string, RecordBatch>();
  const unaligned = standby
    ? await withPlaceholders(standby, partitions, { starts, ends }, standbyNewest, signal)
    : new Set<string>();
  const transacting = await producersWithMarkers(source, partitions, signal);
  const checked: CheckedPartition[] = [];
  for (const p of partitions) {
    const key = partitionKey(p);
    const [sourceStart, sourceEnd] = [sourceStarts.get(key) ?? 0n, sourceEnds.get(key) ?? 0n];
    const [standbyStart, standbyEnd] = [starts.get(key) ?? 0n, ends.get(key) ?? 0n];
    let unreadable: Stop | undefined;
    const first =
      sourceStart < sourceEnd
        ? await readable(wholeBatch(source, p, sourceStart, signal)).catch((error: unknown) => {
            if (!(error instanceof ArgusError) || error.code !== 'KafkaMalformed') throw error;
            unreadable = { reason: 'CorruptBatch', detail: error.message };
            return undefined;
          })
        : undefined;
    const last = newest.get(key);
    const isOurs = unaligned.has(key);
    checked.push({
      partition: p.partition,
      sourceStart,
      sourceEnd,
      standbyStart,
      standbyEnd,
      placeholders: isOurs,
      foreign:
        standby && !isOurs && !unreadable
          ? await firstForeign({ ...logs, standby }, p, { sourceStart, sourceEnd, standbyStart, standbyEnd })
          : undefined,
      cut:
        first && first.baseOffset < sourceStart
          ? { baseOffset: first.baseOffset, transactional: first.transactional, whole: isWhole(first) }
          : undefined,
      oldestTimestampMs: first?.firstTimestampMs,
      newestTimestampMs: last?.maxTimestampMs,
      transactional: [first, last].some((b) => b?.transactional || b?.control) || transacting.has(key),
      stop: unreadable ?? [first, last].map((b) => stopAt(b, standbyEnd)).find((stop) => stop !== undefined),
    });
  }
  return checked;
}

/** Asks what decides about every batch, so that this never says other than the mirror does. */
function stopAt(batch: RecordBatch | undefined, standbyEnd: bigint): Stop | undefined {
  if (!batch || batch.lastOffset < standbyEnd) return undefined;
  const decision = decideBatch(batch.baseOffset, batch);
  return decision.kind === 'stop' ? decision.stop : undefined;
}

interface Ranges {
  readonly sourceStart: bigint;
  readonly sourceEnd: bigint;
  readonly standbyStart: bigint;
  readonly standbyEnd: bigint;
}

/**
 * Where the standby's log begins to hold something else than the source's, by the first and the last batch that both
 * have and, when those differ, by halving what lies between. Differences that end again before the last batch are for
 * `argus mirror verify`, which reads everything.
 */
export async function firstForeign(
  logs: CheckedLogs & { readonly standby: KafkaCluster },
  tp: TopicPartition,
  ranges: Ranges,
): Promise<{ readonly offset: bigint; readonly what: string } | undefined> {
  const { sourceStart, sourceEnd, standbyStart, standbyEnd } = ranges;
  const [, from] = ordered(sourceStart, standbyStart);
  const [to] = ordered(sourceEnd, standbyEnd);
  const ahead =
    standbyEnd > sourceEnd
      ? { offset: sourceEnd, what: `its log ends at ${standbyEnd}, the source's at ${sourceEnd}` }
      : undefined;
  if (from >= to) return ahead;
  const atStart = await differsAt(logs, tp, from);
  if (atStart) return atStart;
  let differing = await differsAt(logs, tp, to - 1n);
  if (!differing) return ahead;
  for (let [same, bad] = [from, differing.offset]; bad - same > 1n; ) {
    const middle = same + (bad - same) / 2n;
    const there = await differsAt(logs, tp, middle);
    if (there) {
      differing = there;
      if (there.offset >= bad || there.offset <= same) break;
      bad = there.offset;
    } else same = middle;
  }
  return differing;
}

/** How the batches that hold an offset differ, and from where on; undefined when they are the same. */
async function differsAt(
  { source, standby, compacted, signal }: CheckedLogs & { readonly standby: KafkaCluster },
  tp: TopicPartition,
  offset: bigint,
): Promise<{ readonly offset: bigint; readonly what: string } | undefined> {
  const [a, b] = await Promise.all([
    readable(wholeBatch(source, tp, offset, signal)),
    readable(wholeBatch(standby, tp, offset, signal)),
  ]);
  // One side's retention took it meanwhile.
  if (!a || !b) return undefined;
  return differenceOfPair(a, b, compacted);
}

/** The smaller one first. */
function ordered(a: bigint, b: bigint): readonly [bigint, bigint] {
  return a < b ? [a, b] : [b, a];
}

function readable(batch: Promise<RecordBatch | undefined>): Promise<RecordBatch | undefined> {
  return batch.catch((error: { readonly code?: string; readonly message?: string }) => {
    // The log was cut there meanwhile.
    if (error.code === 'KafkaFailed' && error.message?.includes('OFFSET_OUT_OF_RANGE')) return undefined;
    throw error;
  });
}

function isWhole(batch: RecordBatch): boolean {
  return BigInt(batch.recordCount) === batch.lastOffset - batch.baseOffset + 1n;
}

/** Partitions in which a producer of theirs has ended a transaction, as far as the brokers remember. */
async function producersWithMarkers(
  source: KafkaCluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const [node, list] of Map.groupBy(partitions, (p) => source.leaderOf(p))) {
    for (const answer of await source.send(node, 'control', describeProducersRequest(list), { signal })) {
      // Not answered: the batches alone have to tell.
      if (answer.errorCode !== 0) continue;
      if (answer.producers.some((p) => p.coordinatorEpoch >= 0)) found.add(partitionKey(answer));
    }
  }
  return found;
}
