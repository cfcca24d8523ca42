import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { isFiller, mayBeFiller } from '../../regions/kafka/filler-batch.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { type RecordBatch, recordBatches } from '../../regions/kafka/record-batch.ts';
import type { Stop } from './continuity.ts';

/** What a standby's partition holds, as far as alignment has to know. */
export interface AlignmentView {
  readonly standbyStart: bigint;
  readonly standbyEnd: bigint;
  readonly sourceStart: bigint;
  /** The log's first and last batch are placeholders of an alignment that did not come to its end. */
  readonly placeholders: boolean;
}

/**
 * Whether the standby's partition has to be brought to where the source's log begins: `align`. Only one without a
 * record is: empty, or with placeholders alone. Pure.
 */
export type AlignmentDecision =
  | { readonly kind: 'none' }
  | { readonly kind: 'align'; readonly to: bigint }
  | { readonly kind: 'stop'; readonly stop: Stop };

/** See `AlignmentDecision`. */
export function decideAlignment(view: AlignmentView): AlignmentDecision {
  const { standbyStart, standbyEnd, sourceStart, placeholders } = view;
  const empty = standbyStart === standbyEnd;
  if (empty) return sourceStart > standbyEnd ? { kind: 'align', to: sourceStart } : { kind: 'none' };
  if (!placeholders) return { kind: 'none' };
  if (sourceStart >= standbyEnd) return { kind: 'align', to: sourceStart };
  const detail = `the standby holds placeholders up to ${standbyEnd}, and the source's log begins at ${sourceStart} now`;
  return { kind: 'stop', stop: { reason: 'Diverged', detail } };
}

/**
 * Of partitions whose newest batch may be placeholders, those that hold nothing else: the log's first and last batch
 * are read whole. Mirrored records come only after an alignment has ended, so that nothing else can lie between.
 */
export async function withPlaceholders(
  standby: KafkaCluster,
  partitions: readonly TopicPartition[],
  ranges: { readonly starts: ReadonlyMap<string, bigint>; readonly ends: ReadonlyMap<string, bigint> },
  newest: ReadonlyMap<string, RecordBatch>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const p of partitions) {
    const key = partitionKey(p);
    const [start, end, last] = [ranges.starts.get(key), ranges.ends.get(key), newest.get(key)];
    if (start === undefined || end === undefined || start >= end || !last || !mayBeFiller(last)) continue;
    // What the broker can't give now is no reason to take records for placeholders.
    const read = (offset: bigint) => wholeBatch(standby, p, offset, signal).catch(() => undefined);
    const [first, whole] = [await read(start), await read(end - 1n)];
    if (first && whole && isAlignment(first) && isAlignment(whole)) found.add(key);
  }
  return found;
}

/** Placeholders inside a transaction fill a hole between records: those are no alignment. */
function isAlignment(batch: RecordBatch): boolean {
  return !batch.transactional && isFiller(batch);
}

/** The batch that holds an offset, or the next one; undefined at the log's end. */
export async function wholeBatch(
  cluster: KafkaCluster,
  tp: TopicPartition,
  offset: bigint,
  signal?: AbortSignal,
): Promise<RecordBatch | undefined> {
  // The first batch of an answer comes whole, however large.
  const request = fetchRequest([{ topic: tp.topic, partition: tp.partition, offset, maxBytes: 1 }], {
    maxWaitMs: 0,
    maxBytes: 1,
  });
  const [answer] = await cluster.send(cluster.leaderOf(tp), 'control', request, signal ? { signal } : {});
  if (!answer) return undefined;
  if (answer.errorCode !== 0) throw partitionError(cluster.name, 'Fetch', tp, answer.errorCode);
  const [batch] = recordBatches(answer.records);
  return batch;
}
