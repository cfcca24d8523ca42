import { ArgusError } from '../../domain/errors.ts';
import { listTransactionsRequest } from '../../regions/kafka/describe-transactions.ts';
import { errorName, isTransient, kafkaError } from '../../regions/kafka/error-codes.ts';
import { partitionOfSlot, transactionalIdOf } from '../../regions/kafka/mirror-transactions.ts';
import { sequenceAfter } from '../../regions/kafka/record-batch.ts';
import { TransactionCalls } from '../../regions/kafka/transaction-calls.ts';
import { lastBatches } from './last-batches.ts';
import { type PartitionState, setAside } from './partition-state.ts';
import type { SessionContext } from './session-context.ts';
import { expectedSequence, type LogAtRest, ownEpochStop } from './standby-producers.ts';
import { newSlot } from './transaction-slots.ts';

const pauseMs = 20;
/** How long an open transaction may seem to be a stranger's before the partition is stopped for it. */
const foreignPatienceMs = 15_000;

/**
 * The mirror's transactional ids whose transactions stand open, by partition (`partitionKey`). Those that are being
 * ended are waited for: their marker still comes. Ask before the log ends.
 */
export async function openSlots(
  context: SessionContext,
  nodes: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { target, clock, tuning } = context;
  const until = clock.monotonic() + tuning.requestTimeoutMs;
  for (;;) {
    const answers = await Promise.all(
      nodes.map((node) => target.send(node, 'control', listTransactionsRequest('unfinished'), { signal })),
    );
    const failed = answers.find((a) => a.errorCode !== kafkaError.none)?.errorCode ?? kafkaError.none;
    const own = answers.flatMap((a) => a.transactions).filter((t) => partitionOfSlot(t.transactionalId) !== undefined);
    const ending = own.find((t) => t.state !== 'Ongoing');
    if (failed === kafkaError.none && !ending) {
      const ids = own.map((t) => t.transactionalId);
      return Map.groupBy(ids, (id) => partitionOfSlot(id) ?? '');
    }
    if ((failed !== kafkaError.none && !isTransient(failed)) || clock.monotonic() > until) {
      const what = ending ? `${ending.transactionalId} stays in ${ending.state}` : errorName(failed);
      throw new ArgusError('KafkaFailed', `${target.name}: ListTransactions: ${what}`, { retryable: true });
    }
    await clock.sleep(pauseMs, signal);
  }
}

/**
 * Takes up what an earlier session left in a partition: the sequence of the mirror's producer, and its open
 * transactions. What can't be gone on with stops the partition.
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
  for (const id of ids) {
    const known = await calls.describe(id);
    if (known?.state !== 'Ongoing') continue;
    const slot = newSlot(id);
    const shown = log.producers.find(
      (p) => p.producerId === known.producerId && p.producerEpoch === known.producerEpoch,
    );
    slot.producer = { producerId: known.producerId, producerEpoch: known.producerEpoch };
    slot.nextSequence = shown && shown.lastSequence >= 0 ? sequenceAfter(shown.lastSequence, 1) : 0;
    slot.timeoutMs = known.timeoutMs;
    const begun = open.get(known.producerId);
    open.delete(known.producerId);
    const fills = id === transactionalIdOf(state, 'fill');
    const firstOffset = begun?.transactionStart ?? log.end;
    const sourceProducerId = fills || !begun ? undefined : await sourceProducerAt(context, state, firstOffset, signal);
    slot.open = { sourceProducerId, firstOffset, sinceMs: known.startedAtMs };
    if (fills) state.filler = slot;
    else state.slots.push(slot);
    if (begun && !fills && sourceProducerId === undefined) {
      const detail = `the source no longer shows whose transaction began at ${firstOffset}, which stands open on the standby`;
      state.stop = { reason: 'TransactionLost', detail };
    }
  }
  const [foreign] = open.values();
  if (!foreign) {
    state.foreignSince = undefined;
    return;
  }
  const detail = `producer ${foreign.producerId} has a transaction open on the standby since ${foreign.transactionStart}, and it is not the mirror's (or DESCRIBE on the mirror's transactional ids is missing)`;
  // A broker that was just started lists no transactions before its coordinator has taken up its work, and gives no error.
  const now = context.clock.monotonic();
  state.foreignSince ??= now;
  if (now - state.foreignSince < foreignPatienceMs) setAside(state, 'target', detail, now, true);
  else state.stop ??= { reason: 'TransactionLost', detail };
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
  return batch?.baseOffset === offset && batch.transactional && !batch.control ? batch.producerId : undefined;
}
