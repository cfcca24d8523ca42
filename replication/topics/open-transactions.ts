import { byPartition, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { isUnfinished, type MirrorId, mirrorIds } from '../../regions/kafka/mirror-ids.ts';
import { describeProducers } from '../../regions/kafka/producers-of.ts';
import type { OpenTransaction } from './decide-transactions.ts';
import { lastBatches } from './last-batches.ts';
import type { PartitionState } from './partition-state.ts';

/** Of which producer of the source a transaction is that the mirror left open, as it said when it stopped. */
export interface ToldTransaction extends TopicPartition {
  readonly transactionalId: string;
  readonly firstOffset: bigint;
  readonly sourceProducerId: bigint;
  readonly sourceProducerEpoch?: number;
}

/** What a mirror that stands still knows of the transactions that it leaves open. Pure. */
export function tellOpen(states: readonly PartitionState[]): readonly ToldTransaction[] {
  return states.flatMap(({ topic, partition, slots }) =>
    slots.flatMap(({ transactionalId, open }) => {
      if (open?.sourceProducerId === undefined) return [];
      const { firstOffset, sourceProducerId } = open;
      return [{ topic, partition, transactionalId, firstOffset, sourceProducerId }];
    }),
  );
}

/** A primary that may be dark is not waited for. */
const sourcePatienceMs = 1_500;

/**
 * Every transaction that stands open in these partitions of the standby, ordered. Reads only. Those of the mirror with
 * the source's producer, as the mirror told it or as the source's log shows it, where that can be read.
 */
export async function openTransactions(
  target: KafkaCluster,
  partitions: readonly TopicPartition[],
  origin: { readonly told: readonly ToldTransaction[]; readonly source: KafkaCluster | undefined },
  signal: AbortSignal,
): Promise<readonly OpenTransaction[]> {
  await target.refresh([...new Set(partitions.map((p) => p.topic))], signal);
  const shown = await describeProducers(target, partitions);
  for (const answer of shown) {
    if (answer.errorCode === kafkaError.none) continue;
    throw partitionError(target.name, 'DescribeProducers', answer, answer.errorCode);
  }
  const begun = shown.flatMap(({ topic, partition, producers }) =>
    producers
      .filter((p) => p.transactionStart >= 0n)
      .map(({ producerId, producerEpoch, transactionStart }) => {
        return { topic, partition, producerId, producerEpoch, firstOffset: transactionStart };
      }),
  );
  const ids = await mirrorIds(target, partitions, begun, signal);
  const own = new Map(ids.map((id) => [`${id.key} ${id.producerId}`, id]));
  const open: OpenTransaction[] = begun.map((t) => {
    const id = own.get(`${partitionKey(t)} ${t.producerId}`);
    return { ...t, producerEpoch: id?.producerEpoch ?? t.producerEpoch, ...mineOrNot(id), ...unknownOrigin };
  });
  // In a transaction that has no record here yet no reader waits; its marker comes all the same.
  const named = new Set(open.map((t) => t.transactionalId));
  for (const id of ids.filter((i) => isUnfinished(i) && !named.has(i.transactionalId))) {
    const { topic, partition, producerId, producerEpoch } = id;
    const who = { topic, partition, producerId, producerEpoch, firstOffset: undefined };
    open.push({ ...who, ...mineOrNot(id), ...unknownOrigin });
  }
  const known = open.map((t) => ({ ...t, ...toldOrigin(t, origin.told) }));
  return (await withSource(known, origin.source, signal)).sort(
    (a, b) => byPartition(a, b) || Number((a.firstOffset ?? -1n) - (b.firstOffset ?? -1n)),
  );
}

const unknownOrigin = { sourceProducerId: undefined, sourceProducerEpoch: undefined };

const mineOrNot = (id: MirrorId | undefined) =>
  id
    ? { owner: 'mirror' as const, transactionalId: id.transactionalId, sinceMs: id.startedAtMs }
    : { owner: 'foreign' as const, transactionalId: undefined, sinceMs: undefined };

/** What the mirror said counts only for the transaction that it was said of. */
function toldOrigin(open: OpenTransaction, told: readonly ToldTransaction[]) {
  const found = told.find((t) => t.transactionalId === open.transactionalId && t.firstOffset === open.firstOffset);
  if (!found) return {};
  return { sourceProducerId: found.sourceProducerId, sourceProducerEpoch: found.sourceProducerEpoch };
}

/** Both sides have the same record at a transaction's first offset: the source's batch tells its producer. */
async function withSource(
  open: readonly OpenTransaction[],
  source: KafkaCluster | undefined,
  signal: AbortSignal,
): Promise<OpenTransaction[]> {
  const asked = open.filter(
    (t) => t.owner === 'mirror' && t.firstOffset !== undefined && t.sourceProducerId === undefined,
  );
  if (!source || asked.length === 0) return [...open];
  const found = new Map<OpenTransaction, Pick<OpenTransaction, 'sourceProducerId' | 'sourceProducerEpoch'>>();
  const soon = AbortSignal.any([signal, AbortSignal.timeout(sourcePatienceMs)]);
  try {
    await source.refresh([...new Set(asked.map((t) => t.topic))], soon);
    for (const t of asked) {
      const at = t.firstOffset as bigint;
      const batch = (await lastBatches(source, [t], new Map([[partitionKey(t), at + 1n]]), soon)).get(partitionKey(t));
      // Where compaction took a batch's first records, the standby's begins inside it.
      if (!batch || batch.baseOffset > at || batch.lastOffset < at || !batch.transactional || batch.control) continue;
      // Read from the header itself: nothing else needs a batch's epoch.
      found.set(t, { sourceProducerId: batch.producerId, sourceProducerEpoch: batch.bytes.readInt16BE(51) });
    }
  } catch {
    // The source is dark, as it mostly is when this is asked: nobody can tell then.
    signal.throwIfAborted();
  }
  return open.map((t) => ({ ...t, ...found.get(t) }));
}
