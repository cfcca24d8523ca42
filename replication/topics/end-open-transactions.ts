import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import { byPartition, type PartitionOffset, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { consumer, latest, listOffsetsRequest } from '../../regions/kafka/list-offsets.ts';
import { isUnfinished, mirrorIds } from '../../regions/kafka/mirror-ids.ts';
import { initProducerId } from '../../regions/kafka/producer-fencing.ts';
import { describeProducers } from '../../regions/kafka/producers-of.ts';
import { type BatchProducer, markerOutcome } from '../../regions/kafka/record-batch.ts';
import { TransactionCalls } from '../../regions/kafka/transaction-calls.ts';
import type { TransactionOutcome } from '../../regions/kafka/transactions.ts';
import { writeTxnMarkersRequest } from '../../regions/kafka/write-txn-markers.ts';
import type { DecidedTransaction, OpenTransaction } from './decide-transactions.ts';
import { walkBatches } from './walk-batches.ts';

/** A transaction that the mirror had left open, and how it ended. */
export interface EndedTransaction extends Omit<OpenTransaction, 'owner'> {
  readonly wanted: TransactionOutcome;
  readonly because: DecidedTransaction['because'];
  /** As its marker in the log says; the coordinator may have aborted it before (its time-out passed). */
  readonly outcome: TransactionOutcome;
  readonly markerOffset: bigint;
  /** Its records below the promotion offset. Aborted, no read_committed reader sees them. Undefined: too many to look at. */
  readonly records: number | undefined;
}

const patienceMs = 10_000;
const countMs = 5_000;
/** Transactional ids that are asked about at a time. */
export const idsAtOnce = 16;

/**
 * Ends one of the mirror's transactions, and gives its marker as it stands in the log. The id's epoch is raised with
 * it: whatever a mirror still has under way for it is refused. `promotedAt`: where mirrored data ends in its partition;
 * every marker of an end stands there or later. `TransactionUnknown` for one that isn't the mirror's. Tries until the signal.
 */
export async function endTransaction(
  target: KafkaCluster,
  { transaction, outcome: wanted, because }: DecidedTransaction,
  promotedAt: bigint,
  signal: AbortSignal,
): Promise<EndedTransaction> {
  const { owner, transactionalId, ...rest } = transaction;
  if (owner !== 'mirror' || transactionalId === undefined) {
    throw new ArgusError(
      'TransactionUnknown',
      `the transaction of producer ${transaction.producerId} is not the mirror's`,
    );
  }
  await target.refresh([transaction.topic], signal);
  const records = await countRecords(target, transaction, promotedAt, signal);
  if (wanted === 'commit') await commit(target, { ...transaction, transactionalId });
  // Aborts what is open. Answered when the marker is written, and the epoch raised behind it.
  const raised = await initProducerId(target, transactionalId, signal);
  await markForgotten(target, transaction, raised, wanted, signal);
  for await (const batch of walkBatches(target, transaction, { from: promotedAt }, signal)) {
    if (!batch.control || batch.producerId !== transaction.producerId) continue;
    const outcome = markerOutcome(batch);
    if (outcome) {
      return { ...rest, transactionalId, wanted, because, outcome, markerOffset: batch.baseOffset, records };
    }
  }
  throw signal.reason;
}

/** One that its coordinator has ended meanwhile is no error: the marker tells how. */
async function commit(
  target: KafkaCluster,
  { transactionalId, producerId, producerEpoch }: OpenTransaction & { readonly transactionalId: string },
): Promise<void> {
  try {
    await new TransactionCalls(target, patienceMs).end(transactionalId, { producerId, producerEpoch }, 'commit');
  } catch (error) {
    if (!(error instanceof ArgusError && error.code === 'TransactionLost')) throw error;
  }
}

/**
 * A crash of the standby's broker can leave a transaction open in the log whose coordinator has noted its end: then its
 * marker is written straight to the partition's leader (ALTER on the cluster).
 */
async function markForgotten(
  target: KafkaCluster,
  transaction: OpenTransaction,
  raised: BatchProducer,
  outcome: TransactionOutcome,
  signal: AbortSignal,
): Promise<void> {
  const { topic, partition, producerId } = transaction;
  const [shown] = await describeProducers(target, [transaction]);
  const open = shown?.producers.find((p) => p.producerId === producerId && p.transactionStart >= 0n);
  if (!open) return;
  const known = raised.producerId === producerId ? raised.producerEpoch : open.producerEpoch + 1;
  const producerEpoch = Math.max(known, open.producerEpoch);
  const marker = { producerId, producerEpoch, coordinatorEpoch: Math.max(0, open.coordinatorEpoch), outcome };
  const request = writeTxnMarkersRequest(marker, [{ topic, partition }]);
  const [answer] = await target.send(target.leaderOf(transaction), 'control', request, { signal });
  if (answer && answer.errorCode !== 0) {
    throw partitionError(target.name, 'WriteTxnMarkers', transaction, answer.errorCode);
  }
}

async function countRecords(
  target: KafkaCluster,
  { topic, partition, producerId, firstOffset }: OpenTransaction,
  promotedAt: bigint,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (firstOffset === undefined) return 0;
  const soon = AbortSignal.any([signal, AbortSignal.timeout(countMs)]);
  const range = { from: firstOffset, to: promotedAt };
  let records = 0;
  try {
    for await (const batch of walkBatches(target, { topic, partition }, range, soon)) {
      if (batch.producerId === producerId && !batch.control) records += batch.recordCount;
    }
    return records;
  } catch (error) {
    if (signal.aborted || !soon.aborted) throw error;
    return undefined;
  }
}

/**
 * Raises the epoch of the mirror's transactional ids that have nothing open: a request of a mirror that has stopped,
 * and which a broker takes up only now, is refused and opens nothing. Gives how many. Harmless to a mirror that goes on.
 */
export async function closeIdleIds(
  target: KafkaCluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<number> {
  const idle = (await mirrorIds(target, partitions, [], signal)).filter((id) => !isUnfinished(id));
  await eachAtOnce(idle, idsAtOnce, (id) => initProducerId(target, id.transactionalId, signal));
  return idle.length;
}

/** Up to where read_committed readers get, ordered; equal to the log's end where nothing stands open. */
export async function lastStableOffsets(
  target: KafkaCluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly PartitionOffset[]> {
  await target.refresh([...new Set(partitions.map((p) => p.topic))], signal);
  const byLeader = Map.groupBy(partitions, (p) => target.leaderOf(p));
  const answers = await Promise.all(
    [...byLeader].map(([node, list]) =>
      target.send(node, 'control', listOffsetsRequest(list, latest, consumer, 'read_committed'), { signal }),
    ),
  );
  return answers
    .flat()
    .map(({ topic, partition, offset, errorCode }) => {
      if (errorCode !== 0) throw partitionError(target.name, 'ListOffsets', { topic, partition }, errorCode);
      return { topic, partition, offset };
    })
    .sort(byPartition);
}

/** The partitions in which readers still wait, by their last stable offsets and log ends. Pure. */
export function heldPartitions(
  stable: readonly PartitionOffset[],
  ends: readonly PartitionOffset[],
): readonly PartitionOffset[] {
  const end = new Map(ends.map((e) => [partitionKey(e), e.offset]));
  return stable.filter((s) => s.offset < (end.get(partitionKey(s)) ?? 0n));
}
