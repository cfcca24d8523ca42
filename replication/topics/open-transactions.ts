import { ArgusError } from '../../domain/errors.ts';
import { byPartition, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { listTransactionsRequest } from '../../regions/kafka/describe-transactions.ts';
import { errorName, isTransient, kafkaError } from '../../regions/kafka/error-codes.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { partitionOfSlot } from '../../regions/kafka/mirror-transactions.ts';
import { TransactionCalls } from '../../regions/kafka/transaction-calls.ts';
import type { OpenTransaction } from './decide-transactions.ts';
import { lastBatches } from './last-batches.ts';
import type { PartitionState } from './partition-state.ts';
import { describeProducers } from './standby-producers.ts';

/** Of which producer of the source a transaction is that the mirror left open, as it said when it stopped. */
export interface ToldTransaction extends TopicPartition {
  readonly transactionalId: string;
  readonly firstOffset: bigint;
  readonly sourceProducerId: bigint;
  readonly sourceProducerEpoch?: number;
}

/** One of the mirror's transactional ids, as its coordinator knows it. */
export interface MirrorId {
  readonly transactionalId: string;
  /** `partitionKey` of the partition that it is for. */
  readonly key: string;
  readonly state: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly startedAtMs: number;
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

const patienceMs = 5_000;
const atOnce = 16;
/** A primary that may be dark is not waited for. */
const sourcePatienceMs = 1_500;

/** The mirror's transactional ids for these partitions, open or not. */
export async function mirrorIds(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly MirrorId[]> {
  const { brokers } = await cluster.refresh([...new Set(partitions.map((p) => p.topic))], signal);
  const wanted = new Set(partitions.map(partitionKey));
  const names: { readonly transactionalId: string; readonly key: string }[] = [];
  for (const node of brokers.keys()) {
    const answer = await cluster.send(node, 'control', listTransactionsRequest('all'), { signal });
    if (answer.errorCode !== kafkaError.none) {
      const message = `${cluster.name}: ListTransactions answered ${errorName(answer.errorCode)}`;
      throw new ArgusError('KafkaFailed', message, { retryable: isTransient(answer.errorCode) });
    }
    for (const { transactionalId } of answer.transactions) {
      const key = partitionOfSlot(transactionalId);
      if (key !== undefined && wanted.has(key)) names.push({ transactionalId, key });
    }
  }
  const calls = new TransactionCalls(cluster, patienceMs);
  const described = await eachAtOnce(names, async ({ transactionalId, key }): Promise<MirrorId[]> => {
    const known = await calls.describe(transactionalId);
    if (!known) return [];
    const { state, producerId, producerEpoch, startedAtMs } = known;
    return [{ transactionalId, key, state, producerId, producerEpoch, startedAtMs }];
  });
  return described.flat();
}

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
  const ids = await mirrorIds(target, partitions, signal);
  const own = new Map(ids.map((id) => [`${id.key} ${id.producerId}`, id]));
  const seen = new Set<string>();
  const open: OpenTransaction[] = [];
  for (const shown of await describeProducers(target, partitions)) {
    if (shown.errorCode !== kafkaError.none) {
      throw partitionError(target.name, 'DescribeProducers', shown, shown.errorCode);
    }
    const { topic, partition } = shown;
    for (const { producerId, producerEpoch, transactionStart } of shown.producers) {
      if (transactionStart < 0n) continue;
      const id = own.get(`${partitionKey(shown)} ${producerId}`);
      if (id) seen.add(id.transactionalId);
      const who = { producerId, producerEpoch: id?.producerEpoch ?? producerEpoch, firstOffset: transactionStart };
      open.push({ topic, partition, ...who, ...mineOrNot(id), ...unknownOrigin });
    }
  }
  for (const id of ids.filter((i) => isUnfinished(i) && !seen.has(i.transactionalId))) {
    const tp = partitions.find((p) => partitionKey(p) === id.key);
    const { producerId, producerEpoch } = id;
    if (tp) {
      const { topic, partition } = tp;
      const who = { producerId, producerEpoch, firstOffset: undefined };
      open.push({ topic, partition, ...who, ...mineOrNot(id), ...unknownOrigin });
    }
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

/** Its marker is still to come. */
export const isUnfinished = ({ state }: Pick<MirrorId, 'state'>): boolean =>
  state === 'Ongoing' || state.startsWith('Prepare');

/** What the mirror said counts only for the transaction that it was said of. */
function toldOrigin(open: OpenTransaction, told: readonly ToldTransaction[]) {
  const found = told.find((t) => t.transactionalId === open.transactionalId && t.firstOffset === open.firstOffset);
  if (!found) return {};
  return { sourceProducerId: found.sourceProducerId, sourceProducerEpoch: found.sourceProducerEpoch };
}

/** Both sides have the same batch at a transaction's first offset: the source's tells its producer. */
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
      if (batch?.baseOffset !== at || !batch.transactional || batch.control) continue;
      // Read from the header itself: nothing else needs a batch's epoch.
      found.set(t, { sourceProducerId: batch.producerId, sourceProducerEpoch: batch.bytes.readInt16BE(51) });
    }
  } catch {
    // The source is dark, as it mostly is when this is asked: nobody can tell then.
    signal.throwIfAborted();
  }
  return open.map((t) => ({ ...t, ...found.get(t) }));
}

/** Calls for each, some at once. */
export async function eachAtOnce<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += atOnce) {
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(call))));
  }
  return results;
}
