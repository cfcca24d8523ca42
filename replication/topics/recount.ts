import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { type RecordBatch, recordBatches } from '../../regions/kafka/record-batch.ts';

/** What a partition holds in [fromOffset, logEndOffset). */
export interface Recount extends TopicPartition {
  readonly fromOffset: bigint;
  readonly logStartOffset: bigint;
  /** Exclusive: the log's end when the count began. */
  readonly logEndOffset: bigint;
  /** Records of producers; transaction markers are not counted. */
  readonly records: bigint;
  /** Of the batches that hold them, as stored. */
  readonly bytes: number;
  readonly firstTimestampMs: number | undefined;
  readonly lastTimestampMs: number | undefined;
  /**
   * False when the count can't be told from batch headers alone: the range begins inside a compacted batch, or before
   * the log's start.
   */
  readonly exact: boolean;
  /** The log's end afterwards, if it was written to during the count. */
  readonly grewTo: bigint | undefined;
}

const fetchBytes = 4 * 1024 * 1024;
const requestTimeoutMs = 10_000;
const emptyAnswersAtMost = 20;

/** Counts by walking the batch headers of the log; the records are not decoded. Errors: those of `KafkaCluster`. */
export async function countBeyond(
  region: KafkaEndpoint,
  topic: string,
  partition: number,
  fromOffset: bigint,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Recount> {
  const { signal } = options;
  const tp = { topic, partition };
  const key = partitionKey(tp);
  const cluster = new KafkaCluster({
    ...region,
    clientId: 'argus-recount',
    connectTimeoutMs: requestTimeoutMs,
    requestTimeoutMs,
  });
  try {
    await cluster.refresh([topic], signal);
    const logStartOffset = (await cluster.logStarts([tp], signal)).get(key) ?? 0n;
    const logEndOffset = (await cluster.logEnds([tp], signal)).get(key) ?? 0n;
    const count = newCount(fromOffset, logStartOffset, logEndOffset);
    let position = fromOffset > logStartOffset ? fromOffset : logStartOffset;
    for (let empty = 0; position < logEndOffset; ) {
      const records = await readFrom(cluster, tp, position, signal);
      const before = position;
      for (const batch of recordBatches(records)) {
        if (batch.lastOffset >= position) position = batch.lastOffset + 1n;
        countBatch(count, batch);
      }
      empty = position > before ? 0 : empty + 1;
      if (empty > emptyAnswersAtMost) {
        throw new ArgusError('KafkaFailed', `${region.name}: ${key} gave nothing at ${position} of ${logEndOffset}`);
      }
    }
    const endAfter = (await cluster.logEnds([tp], signal)).get(key) ?? logEndOffset;
    const { from: _from, to: _to, ...counted } = count;
    const grewTo = endAfter > logEndOffset ? endAfter : undefined;
    return { ...tp, fromOffset, logStartOffset, logEndOffset, ...counted, grewTo };
  } finally {
    cluster.close();
  }
}

/** The running count over batches in order. Changed in place. */
export interface Count {
  readonly from: bigint;
  readonly to: bigint;
  records: bigint;
  bytes: number;
  firstTimestampMs: number | undefined;
  lastTimestampMs: number | undefined;
  exact: boolean;
}

/** A count of nothing yet, for the range [from, to). */
export function newCount(from: bigint, logStartOffset: bigint, to: bigint): Count {
  const exact = logStartOffset <= from;
  return { from, to, records: 0n, bytes: 0, firstTimestampMs: undefined, lastTimestampMs: undefined, exact };
}

/** Adds a batch, or the part of it that lies in the range; each batch once, in order. */
export function countBatch(count: Count, batch: RecordBatch): void {
  if (batch.control || batch.lastOffset < count.from || batch.baseOffset >= count.to) return;
  const offsets = batch.lastOffset - batch.baseOffset + 1n;
  const whole = BigInt(batch.recordCount) === offsets;
  const wanted = batch.baseOffset < count.from ? batch.lastOffset - count.from + 1n : offsets;
  if (wanted < offsets && !whole) count.exact = false;
  const records = BigInt(batch.recordCount);
  count.records += records < wanted ? records : wanted;
  count.bytes += batch.bytes.length;
  count.firstTimestampMs ??= batch.firstTimestampMs;
  count.lastTimestampMs = Math.max(count.lastTimestampMs ?? batch.maxTimestampMs, batch.maxTimestampMs);
}

async function readFrom(
  cluster: KafkaCluster,
  tp: TopicPartition,
  offset: bigint,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const request = fetchRequest([{ ...tp, offset, maxBytes: fetchBytes }], { maxWaitMs: 100, maxBytes: fetchBytes });
  const answers = await cluster.send(cluster.leaderOf(tp), 'fetch', request, signal ? { signal } : {});
  const answer = answers[0];
  if (!answer) throw new ArgusError('KafkaFailed', `${cluster.name}: Fetch left out ${partitionKey(tp)}`);
  if (answer.errorCode !== 0) throw partitionError(cluster.name, 'Fetch', tp, answer.errorCode);
  return answer.records;
}
