import { ArgusError } from '../../domain/errors.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { fillerBatch, fillerRecords } from '../../regions/kafka/filler-batch.ts';
import { partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { transactionalIdOf } from '../../regions/kafka/mirror-transactions.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import { describeProducers } from '../../regions/kafka/producers-of.ts';
import { type BatchProducer, type RecordBatch, sequenceAfter } from '../../regions/kafka/record-batch.ts';
import { TransactionCalls } from '../../regions/kafka/transaction-calls.ts';
import type { TransactionOutcome } from '../../regions/kafka/transactions.ts';
import { decideProduced, type Stop } from './continuity.ts';
import { MarkerWatch, markerStop } from './marker-watch.ts';
import { advance, leaveOpen, type PartitionState } from './partition-state.ts';
import { smallHole } from './plan-filling.ts';
import type { SessionContext } from './session-context.ts';
import { ownEpochStop } from './standby-producers.ts';
import { newSlot, type Slot, type Step, slotForNew } from './transaction-slots.ts';

/** With gzip it fits into what a topic takes by default. */
const largestFiller = 500_000;

/** `paused`: the session ends or may not write; the same step goes on when it is asked for again. */
export type StepResult = 'done' | 'paused' | Stop;

/**
 * Begins and ends the transactions of a partition on the standby, and fills the holes in its log. One step of a
 * partition at a time, while nothing of it is in flight. Errors: `TransactionLost`, `KafkaFailed`, `KafkaDenied`,
 * `KafkaUnreachable`.
 */
export class StepReplay {
  readonly #context: SessionContext;
  readonly #signal: AbortSignal;
  readonly #calls: TransactionCalls;
  readonly #markers: MarkerWatch;
  /** What is being begun ahead, by `partitionKey`. */
  readonly #ahead = new Map<string, Promise<void>>();
  #largestFiller = largestFiller;

  constructor(context: SessionContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
    this.#calls = new TransactionCalls(context.target, context.tuning.requestTimeoutMs);
    this.#markers = new MarkerWatch(context);
  }

  /**
   * Begins a transaction at the coordinator before its first record is to be sent; it takes no offset. What fails is met
   * again, and told, when it is needed.
   */
  async prepare(state: PartitionState): Promise<void> {
    const slot = slotForNew(state, this.#context.clock.monotonic());
    if (slot.open) return;
    const begun = this.#begin(state, slot, undefined).then(
      () => undefined,
      () => undefined,
    );
    this.#ahead.set(state.key, begun);
    await begun;
    this.#ahead.delete(state.key);
  }

  async #slotForNew(state: PartitionState): Promise<Slot> {
    await this.#ahead.get(state.key);
    return slotForNew(state, this.#context.clock.monotonic());
  }

  async run(
    state: PartitionState,
    batch: RecordBatch,
    step: Exclude<Step, { readonly kind: 'send' }>,
  ): Promise<StepResult> {
    switch (step.kind) {
      case 'begin':
        return this.#begin(state, step.slot ?? (await this.#slotForNew(state)), batch.producerId);
      case 'end':
        return this.#end(state, batch, step.slot, step.outcome);
      case 'fill':
        return this.#fill(state, step.to);
      case 'open':
        state.filler ??= newSlot(transactionalIdOf(state, 'fill'));
        return this.#begin(state, state.filler, undefined);
      case 'stop':
        return step.stop;
    }
  }

  async #begin(state: PartitionState, slot: Slot, sourceProducerId: bigint | undefined): Promise<StepResult> {
    slot.preparing = true;
    try {
      return await this.#beginAtCoordinator(state, slot, sourceProducerId);
    } finally {
      slot.preparing = false;
    }
  }

  async #beginAtCoordinator(
    state: PartitionState,
    slot: Slot,
    sourceProducerId: bigint | undefined,
  ): Promise<StepResult> {
    if (this.#paused(state, slot)) return 'paused';
    if (!slot.producer) {
      const stop = await this.#ready(state, slot);
      if (stop) return stop;
      if (this.#paused(state, slot)) return 'paused';
    }
    const producer = producerOf(slot);
    if (slot.orphan !== undefined && slot.orphan !== producer.producerId) {
      const what = `the standby gave ${slot.transactionalId} another producer than ${slot.orphan}, whose transaction stands open`;
      return { reason: 'TransactionLost', detail: what };
    }
    if (!slot.begun) await this.#calls.add(slot.transactionalId, producer, state);
    slot.begun = true;
    slot.orphan = undefined;
    const sinceMs = slot.open?.sinceMs ?? this.#context.clock.now();
    // One that waited for its first record begins where that stands.
    const waited = sourceProducerId !== undefined && slot.open?.sourceProducerId === undefined;
    const firstOffset = waited ? state.sendFrom : (slot.open?.firstOffset ?? state.sendFrom);
    slot.open = { sourceProducerId, firstOffset, sinceMs };
    return 'done';
  }

  /**
   * Makes the slot's producer known. A transaction that stands open under its id is gone on with, since raising the
   * epoch would abort it and write a marker. Afterwards it is looked whether a failover shut the mirror out: it raises
   * the epoch of the mirror's own producer first, and of every slot that exists then.
   */
  async #ready(state: PartitionState, slot: Slot): Promise<Stop | undefined> {
    const { target, producer } = this.#context;
    const known = await this.#calls.describe(slot.transactionalId);
    const made = known?.state === 'Ongoing' ? known : await this.#calls.init(slot.transactionalId);
    const [shown] = await describeProducers(target, [state]);
    if (!shown || shown.errorCode !== kafkaError.none) {
      throw partitionError(target.name, 'DescribeProducers', state, shown?.errorCode ?? -1);
    }
    const stop = ownEpochStop(shown.producers, producer);
    if (stop) return stop;
    const { producerId, producerEpoch, timeoutMs } = made;
    const mine = shown.producers.find((p) => p.producerId === producerId && p.producerEpoch === producerEpoch);
    slot.producer = { producerId, producerEpoch };
    slot.nextSequence = mine && mine.lastSequence >= 0 ? sequenceAfter(mine.lastSequence, 1) : 0;
    slot.timeoutMs = timeoutMs;
    slot.takenUp = known?.state === 'Ongoing';
    return undefined;
  }

  async #end(
    state: PartitionState,
    batch: RecordBatch,
    open: Slot | undefined,
    outcome: TransactionOutcome,
  ): Promise<StepResult> {
    let slot = open;
    if (!slot || slot.orphan !== undefined) {
      slot ??= await this.#slotForNew(state);
      const begun = await this.#begin(state, slot, batch.producerId);
      if (begun !== 'done') return begun;
    }
    return this.#mark(state, slot, outcome);
  }

  /**
   * Ends a slot's transaction, and waits until its marker has taken the next offset. That it is this one is looked at:
   * after a crash the standby's coordinator may write the marker of another transaction again, in its place.
   */
  async #mark(state: PartitionState, slot: Slot, outcome: TransactionOutcome): Promise<StepResult> {
    if (this.#paused(state, slot)) return 'paused';
    const { target, tuning } = this.#context;
    const producer = producerOf(slot);
    const offset = state.sendFrom;
    let next: BatchProducer;
    let marker: RecordBatch | undefined;
    // Asked for at once, so that it is answered as soon as the marker is there.
    const arrival = this.#markers.at(state, offset);
    arrival.catch(() => undefined); // Also when the end fails before anybody awaits it.
    try {
      next = await this.#calls.end(slot.transactionalId, producer, outcome);
      const late = setTimeout(() => this.#markers.forget(state), tuning.requestTimeoutMs);
      marker = await arrival.finally(() => clearTimeout(late));
      if (!marker) {
        const what = `the marker at ${offset} of ${state.key} was not written in time`;
        throw new ArgusError('KafkaFailed', `${target.name}: ${what}`, { retryable: true });
      }
    } catch (error) {
      this.#markers.forget(state);
      leaveOpen(state, offset + 1n);
      throw error;
    }
    const stop = markerStop(marker, { offset, producerId: producer.producerId, outcome });
    if (stop) return stop;
    slot.open = undefined;
    if (next.producerEpoch !== producer.producerEpoch || next.producerId !== producer.producerId) {
      slot.producer = next;
      slot.nextSequence = 0;
    } else if (slot.takenUp) {
      // An end that the earlier session sent may still come in: only another epoch keeps it off the next transaction.
      slot.producer = undefined;
    }
    slot.takenUp = false;
    slot.begun = false;
    slot.endedAt = this.#context.clock.monotonic();
    if (slot !== state.filler) state.slots = [...state.slots.filter((s) => s !== slot), slot];
    advance(state, offset + 1n);
    return 'done';
  }

  async #fill(state: PartitionState, to: bigint): Promise<StepResult> {
    state.filler ??= newSlot(transactionalIdOf(state, 'fill'));
    const slot = state.filler;
    while (state.sendFrom < to) {
      const begun = await this.#begin(state, slot, undefined);
      if (begun !== 'done') return begun;
      const records = placeholdersFor(to - state.sendFrom, (slot.open?.firstOffset ?? state.sendFrom) < state.sendFrom);
      const result = records === 0n ? await this.#mark(state, slot, 'abort') : await this.#place(state, slot, records);
      if (result !== 'done') return result;
      if (records === 0n) state.filled.markers++;
    }
    return 'done';
  }

  /** Sends one batch of placeholders, as many as wanted or as the broker takes. */
  async #place(state: PartitionState, slot: Slot, wanted: bigint): Promise<StepResult> {
    const { target, tuning } = this.#context;
    const { topic, partition, sendFrom } = state;
    const count = wanted < BigInt(this.#largestFiller) ? Number(wanted) : this.#largestFiller;
    const place = { producer: producerOf(slot), baseSequence: slot.nextSequence, transactional: true };
    const bytes = fillerBatch(fillerRecords(count, 'gzip'), place);
    const timeoutMs = Math.max(fillerTimeoutMs, tuning.requestTimeoutMs);
    const request = produceRequest([{ topic, partition, bytes }], timeoutMs, slot.transactionalId);
    const end = sendFrom + BigInt(count);
    const sending = target.send(target.leaderOf(state), 'produce', request, { timeoutMs: timeoutMs * 2 });
    const [answer] = await sending.catch((error: unknown) => {
      leaveOpen(state, end);
      throw error;
    });
    if (!answer) throw new ArgusError('KafkaFailed', `the answer to Produce left out ${state.key}`);
    const tooLarge = answer.errorCode === kafkaError.messageTooLarge;
    if (tooLarge && count > 1) {
      this.#largestFiller = Math.ceil(count / 2);
      return 'done';
    }
    const decision = decideProduced(sendFrom, answer, true);
    if (decision.kind === 'stop') return decision.stop;
    if (decision.kind !== 'appended') {
      leaveOpen(state, end);
      throw partitionError(target.name, 'Produce', state, answer.errorCode, answer.errorMessage);
    }
    slot.nextSequence = sequenceAfter(slot.nextSequence, count);
    state.filled.records += count;
    advance(state, end);
    return 'done';
  }

  /** A transaction for placeholders is ended also when the session ends. */
  #paused({ filler }: PartitionState, slot: Slot): boolean {
    const toEnd = slot === filler && slot.open !== undefined;
    return (this.#signal.aborted && !toEnd) || !this.#context.mayWrite();
  }
}

/** A large batch takes a small broker a third of a second. */
const fillerTimeoutMs = 30_000;

/**
 * How many placeholders still come before the marker that takes the hole's last offset; none: the marker is next.
 * `begun`: the open transaction holds some already, which would be seen if it were ended in the middle.
 */
export function placeholdersFor(missing: bigint, begun: boolean): bigint {
  return missing <= smallHole && !begun ? 0n : missing - 1n;
}

function producerOf(slot: Slot): BatchProducer {
  if (!slot.producer) throw new ArgusError('KafkaFailed', `${slot.transactionalId} was used before it was made ready`);
  return slot.producer;
}
