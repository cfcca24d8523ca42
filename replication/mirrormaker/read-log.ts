import type { TopicPartition } from '../../domain/offsets.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { type RecordBatch, recordBatches } from '../../regions/kafka/record-batch.ts';
import { decodeRecords } from '../../regions/kafka/record-codec.ts';
import { type LogPieces, type LogSide, logPieces } from './log-pieces.ts';
import type { OffsetSync } from './offset-map.ts';
import { type Heartbeat, type PartitionSync, readHeartbeat, readSync } from './sync-records.ts';

const fetchBytes = 4 * 1024 * 1024;

/** A sync with the time at which it was written, by the worker's clock. */
export interface TimedSync extends PartitionSync {
  readonly atMs: number;
}

interface LogSpan {
  readonly from: bigint;
  /** Exclusive. */
  readonly to: bigint;
}

/**
 * The batches that have offsets in a span, in order. Ends before it, without an error, where the log does or `limitBytes`
 * were read. The cluster has to know who leads the partition. An error of the broker's is thrown, by name.
 */
async function* batchesOf(
  cluster: KafkaCluster,
  partition: TopicPartition,
  { from, to }: LogSpan,
  limitBytes: number,
  signal: AbortSignal,
): AsyncGenerator<RecordBatch> {
  let [at, left] = [from, limitBytes];
  while (at < to && left > 0) {
    const position = { ...partition, offset: at, maxBytes: fetchBytes };
    const request = fetchRequest([position], { maxWaitMs: 0, maxBytes: fetchBytes });
    const [answer] = await cluster.send(cluster.leaderOf(partition), 'read', request, { signal });
    if (answer === undefined) return;
    if (answer.errorCode !== 0) throw partitionError(cluster.name, 'Fetch', partition, answer.errorCode);
    const before = at;
    for (const batch of recordBatches(answer.records)) {
      if (batch.baseOffset >= to) return;
      if (batch.lastOffset >= at) yield batch;
      at = batch.lastOffset + 1n;
    }
    left -= answer.records.length;
    if (at === before) return;
  }
}

/** What lies in a span of a log, as far as `limitBytes` reach. A log that begins behind `from` is told from its start. */
export async function seePieces(
  cluster: KafkaCluster,
  partition: TopicPartition,
  side: LogSide,
  span: LogSpan,
  limitBytes: number,
  signal: AbortSignal,
): Promise<LogPieces> {
  const batches: RecordBatch[] = [];
  // The header alone: a range of many MiB must not stay in memory.
  for await (const batch of batchesOf(cluster, partition, span, limitBytes, signal))
    batches.push({ ...batch, bytes: Buffer.alloc(0) });
  return logPieces(batches, side, span.from, span.to);
}

const windowOffsets = 50_000n;

/**
 * The syncs of a log of syncs, oldest first: read backwards in windows, until `enough` says so or the log's start is
 * reached. Empty when there is no such log yet.
 */
export async function readSyncsBack(
  cluster: KafkaCluster,
  topic: string,
  enough: (syncs: readonly TimedSync[]) => boolean,
  signal: AbortSignal,
): Promise<readonly TimedSync[]> {
  const partition = { topic, partition: 0 };
  const bounds = await logBounds(cluster, partition, signal);
  let syncs: TimedSync[] = [];
  if (!bounds) return syncs;
  for (let to = bounds.to; to > bounds.from && !enough(syncs); ) {
    const from = to - windowOffsets > bounds.from ? to - windowOffsets : bounds.from;
    const window: TimedSync[] = [];
    for await (const batch of batchesOf(cluster, partition, { from, to }, Number.POSITIVE_INFINITY, signal)) {
      if (batch.control) continue;
      for (const record of decodeRecords(batch)) {
        if (record.offset < from || record.offset >= to) continue;
        const sync = readSync(record.body);
        if (sync) window.push({ ...sync, atMs: Number(record.timestampMs) });
      }
    }
    syncs = [...window, ...syncs];
    to = from;
  }
  return syncs;
}

/** Whether these syncs reach back to an offset of a partition. */
export function reachesBackTo(syncs: readonly TimedSync[], { topic, partition }: TopicPartition, offset: bigint) {
  return syncs.some((s) => s.topic === topic && s.partition === partition && s.upstream <= offset);
}

/** Those of one partition, in the same order. */
export function syncsOf(syncs: readonly TimedSync[], { topic, partition }: TopicPartition): readonly OffsetSync[] {
  return syncs.filter((s) => s.topic === topic && s.partition === partition);
}

/** The newest heartbeat of a flow; undefined when there is none among the last 1,000 records. */
export async function newestHeartbeat(
  cluster: KafkaCluster,
  topic: string,
  flow: { readonly sourceAlias: string; readonly targetAlias: string },
  signal: AbortSignal,
): Promise<Heartbeat | undefined> {
  const partition = { topic, partition: 0 };
  const bounds = await logBounds(cluster, partition, signal);
  if (!bounds) return undefined;
  const from = bounds.to - 1_000n > bounds.from ? bounds.to - 1_000n : bounds.from;
  let newest: Heartbeat | undefined;
  for await (const batch of batchesOf(cluster, partition, { from, to: bounds.to }, fetchBytes, signal)) {
    if (batch.control) continue;
    for (const record of decodeRecords(batch)) {
      const beat = readHeartbeat(record.body);
      if (beat?.sourceAlias === flow.sourceAlias && beat.targetAlias === flow.targetAlias) newest = beat;
    }
  }
  return newest;
}

/** A partition's log; undefined when the topic doesn't exist. Leaves the cluster knowing who leads it. */
export async function logBounds(
  cluster: KafkaCluster,
  partition: TopicPartition,
  signal: AbortSignal,
): Promise<LogSpan | undefined> {
  const { topics } = await cluster.refresh([partition.topic], signal);
  const found = topics.get(partition.topic);
  if (!found?.partitions.some((p) => p.partition === partition.partition)) return undefined;
  const [starts, ends] = [await cluster.logStarts([partition], signal), await cluster.logEnds([partition], signal)];
  const key = `${partition.topic}-${partition.partition}`;
  return { from: starts.get(key) ?? 0n, to: ends.get(key) ?? 0n };
}
