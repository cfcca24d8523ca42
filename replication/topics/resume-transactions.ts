import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { type DescribedTransaction, endingStates } from '../../regions/kafka/describe-transactions.ts';
import { errorName, kafkaError } from '../../regions/kafka/error-codes.ts';
import { decideSlot, describeEverywhere } from '../../regions/kafka/mirror-ids.ts';
import { transactionalIdOf } from '../../regions/kafka/mirror-transactions.ts';
import { sequenceAfter } from '../../regions/kafka/record-batch.ts';
import { TransactionCalls } from '../../regions/kafka/transaction-calls.ts';
import { lastBatches } from './last-batches.ts';
import { type PartitionState, setAside } from './partition-state.ts';
import type { SessionContext } from './session-context.ts';
import { expectedSequence, type LogAtRest, ownEpochStop } from './standby-producers.ts';
import { newSlot } from './transaction-slots.ts';

const pauseMs = 20;
/** How many ids are looked through for an open transaction that belongs to none that is known. */
const searchedSlots = 16;

/** The mirror's transactional ids of one partition whose transactions stand open. */
export interface OpenSlots {
  readonly ids: readonly string[];
  /** Why it can't be told yet: a coordinator is not ready, or a marker still comes. */
  readonly unclear: string | undefined;
}

/** An id to ask for, and its number among those of its partition. */
interface Asked {
  readonly key: string;
  readonly id: string;
  readonly tp: TopicPartition;
  readonly slot: number | 'fill';
}

/**
 * The mirror's transactional ids whose transactions stand open, by `partitionKey`. Ask before the log ends. Those that
 * are being ended are waited for: their marker still comes. Every broker is asked for the ids by name, since one that
 * has just started would answer a question for a list with an empty one.
 */
export async function openSlots(
  context: SessionContext,
  nodes: readonly number[],
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, OpenSlots>> {
  const { target, clock, tuning } = context;
  const until = clock.monotonic() + tuning.requestTimeoutMs;
  const asked = (tp: TopicPartition, slot: number | 'fill'): Asked => {
    return { key: partitionKey(tp), id: transactionalIdOf(tp, slot), tp, slot };
  };
  const found = new Map<string, { ids: string[]; unclear: string | undefined }>();
  for (const p of partitions) found.set(partitionKey(p), { ids: [], unclear: undefined });
  let pending = partitions.flatMap((p) => [asked(p, 0), asked(p, 'fill')]);
  while (pending.length > 0) {
    const answers = await describeEverywhere(target, nodes, pending, signal);
    const next: Asked[] = [];
    let again = 0;
    for (const entry of pending) {
      const answer = answers.get(entry.id);
      const decision = decideSlot(answer);
      const partition = found.get(entry.key);
      if (decision === 'refused') {
        const what = `DescribeTransactions of ${entry.id} answered ${errorName(answer?.errorCode ?? -1)}`;
        throw new ArgusError('KafkaFailed', `${target.name}: ${what}`);
      }
      if (decision === 'wait') {
        again++;
        next.push(entry);
        continue;
      }
      if (decision === 'open') partition?.ids.push(entry.id);
      // Ids are taken from the lowest on: behind one that was never used there is none.
      if (decision !== 'unknown' && entry.slot !== 'fill') next.push(asked(entry.tp, entry.slot + 1));
    }
    pending = next;
    if (again === 0) continue;
    if (clock.monotonic() > until) {
      for (const { key, id } of pending) {
        const partition = found.get(key);
        const answer = answers.get(id);
        const why =
          answer?.errorCode === kafkaError.none ? `is in ${answer.state}` : 'has no coordinator that is ready';
        if (partition) partition.unclear = `the transactional id ${id} ${why}`;
      }
      break;
    }
    if (again === pending.length) await clock.sleep(pauseMs, signal);
  }
  return found;
}

/**
 * Takes up what an earlier session left in a partition: the sequence of the mirror's producer, and its open
 * transactions. What can't be gone on with stops the partition; what isn't clear yet sets it aside.
 */
export async function takeUp(
  context: SessionContext,
  state: PartitionState,
  log: LogAtRest,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  state.nextSequence = expectedSequence(log.producers, context.producer);
  state.stop ??= ownEpochStop(log.producers, context.producer);
  if (state.stop) return;
  const calls = new TransactionCalls(context.target, context.tuning.requestTimeoutMs);
  const open = new Map(log.producers.filter((p) => p.transactionStart >= 0n).map((p) => [p.producerId, p]));
  const clearSoon = (why: string) => setAside(state, 'target', why, context.clock.monotonic(), true);
  const take = async (id: string, known: DescribedTransaction) => {
    const { producerId, producerEpoch, timeoutMs } = known;
    const slot = newSlot(id);
    const shown = log.producers.find((p) => p.producerId === producerId && p.producerEpoch === producerEpoch);
    slot.timeoutMs = timeoutMs;
    slot.takenUp = true;
    // One that its coordinator takes for ended, without its marker, goes on under the next epoch.
    if (known.state === 'Ongoing') slot.producer = { producerId, producerEpoch };
    else slot.orphan = producerId;
    slot.nextSequence = shown && shown.lastSequence >= 0 ? sequenceAfter(shown.lastSequence, 1) : 0;
    const begun = open.get(producerId);
    open.delete(producerId);
    const fills = id === transactionalIdOf(state, 'fill');
    const firstOffset = begun?.transactionStart ?? log.end;
    const sourceProducerId = fills || !begun ? undefined : await sourceProducerAt(context, state, firstOffset, signal);
    const sinceMs = known.startedAtMs > 0 ? known.startedAtMs : context.clock.now();
    slot.open = { sourceProducerId, firstOffset, sinceMs };
    if (fills) state.filler = slot;
    else state.slots.push(slot);
    if (begun && !fills && sourceProducerId === undefined) {
      const detail = `the source no longer shows whose transaction began at ${firstOffset}, which stands open on the standby`;
      state.stop = { reason: 'TransactionLost', detail };
    }
  };
  for (const id of ids) {
    const known = await calls.describe(id);
    if (known?.state === 'Ongoing') await take(id, known);
    // A request of the earlier session came in meanwhile: its marker moves the log's end.
    else return clearSoon(`the transaction of ${id} was ended while it was looked at`);
  }
  // What is left is open in the log alone: a coordinator that has just started takes a transaction for ended, and writes
  // no marker, where it does not know the topic yet. Ids that weren't used for days are forgotten, also below others.
  const others = [...Array(searchedSlots).keys(), 'fill' as const].map((slot) => transactionalIdOf(state, slot));
  for (const id of others.filter((o) => !ids.includes(o))) {
    if (open.size === 0) break;
    const known = await calls.describe(id);
    if (!known || !open.has(known.producerId)) continue;
    if (endingStates.includes(known.state)) return clearSoon(`the transactional id ${id} is in ${known.state}`);
    await take(id, known);
  }
  const [foreign] = open.values();
  if (!foreign) return;
  const detail = `producer ${foreign.producerId} has a transaction open on the standby since ${foreign.transactionStart}, and it is not the mirror's (or DESCRIBE on the mirror's transactional ids is missing)`;
  state.stop ??= { reason: 'TransactionLost', detail };
}

/** Who wrote the source's transactional batch at an offset; both sides have the same there. */
async function sourceProducerAt(
  context: SessionContext,
  state: PartitionState,
  offset: bigint,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const found = await lastBatches(context.source, [state], new Map([[state.key, offset + 1n]]), signal);
  const batch = found.get(state.key);
  // Where compaction took the first records of a batch, the standby's begins inside it.
  const there = batch && batch.baseOffset <= offset && offset <= batch.lastOffset;
  return there && batch.transactional && !batch.control ? batch.producerId : undefined;
}
