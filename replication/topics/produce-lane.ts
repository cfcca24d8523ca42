import { ArgusError, describeError } from '../../domain/errors.ts';
import { errorName } from '../../regions/kafka/error-codes.ts';
import type { KafkaConnection } from '../../regions/kafka/kafka-connection.ts';
import { type ProducedPartition, produceRequest } from '../../regions/kafka/produce.ts';
import { patchForProduce, type RecordBatch, sequenceAfter, sequenceOf } from '../../regions/kafka/record-batch.ts';
import { spread } from '../../regions/kafka/transaction-calls.ts';
import { decideProduced } from './continuity.ts';
import { fillStep, readyHead, takePlaceholders } from './fill-step.ts';
import { acknowledge, dropQueue, leaveOpen, type PartitionState, setAside, stopNow } from './partition-state.ts';
import { StepReplay } from './replay-step.ts';
import type { SessionContext } from './session-context.ts';
import { needsSlotAhead, nextStep, type Slot, type Step } from './transaction-slots.ts';

/** As many as a broker remembers of a producer: a repeated one is recognised. Source: KIP-98, KAFKA-5494. */
const maxInFlight = 5;

interface Sent {
  readonly state: PartitionState;
  readonly batch: RecordBatch;
}

/** What goes to one broker at once: of one transaction, or all outside of any. */
interface Sending {
  readonly node: number;
  readonly lane: string;
  readonly slot: Slot | undefined;
  readonly sent: Sent[];
}

/**
 * Sends queued batches to the standby: one batch of each partition in a request, in order, up to five in flight for a
 * partition. Each answer's offset is compared with the source's.
 */
export class ProduceLane {
  readonly #context: SessionContext;
  readonly #fail: (cause: unknown) => void;
  /** By the broker's node id and the lane. */
  readonly #connections = new Map<string, Promise<KafkaConnection>>();
  readonly #signal: AbortSignal;
  readonly #replay: StepReplay;
  /** Partitions with batches that are queued or in flight; with thousands of idle ones no look goes over all. */
  readonly #active = new Set<PartitionState>();
  /** Partitions whose running step begins a transaction. */
  readonly #beginning = new Set<PartitionState>();
  #requests = 0;
  #waiting: (() => void)[] = [];
  #failed = false;

  /**
   * Once the signal is aborted nothing more is sent; what is in flight is still awaited by `settled`. Only where
   * placeholders are in an open transaction it goes on to the next hole, to end that: nobody else would.
   */
  constructor(context: SessionContext, signal: AbortSignal, fail: (cause: unknown) => void) {
    this.#context = context;
    this.#signal = signal;
    this.#fail = fail;
    this.#replay = new StepReplay(context, signal);
  }

  /** Opens one connection to each broker that leads. */
  async open(states: readonly PartitionState[], signal: AbortSignal): Promise<void> {
    const { target } = this.#context;
    for (const node of new Set(states.map((s) => target.leaderOf(s)))) {
      await this.#connection(node, plainLane, signal);
    }
  }

  /** All requests of a lane go over the connection that it had first: a later one would reorder. */
  #connection(node: number, lane: string, signal?: AbortSignal): Promise<KafkaConnection> {
    const key = `${node} ${lane}`;
    const known = this.#connections.get(key);
    if (known) return known;
    const opening = this.#context.target.connection(node, lane, signal);
    this.#connections.set(key, opening);
    return opening;
  }

  /** No more memory for batches until some are acknowledged. */
  get full(): boolean {
    let bytes = 0;
    for (const s of this.#active) bytes += s.bufferedBytes;
    return bytes >= this.#context.tuning.bufferBytes;
  }

  /** Batches wait behind others of their partition. */
  get backlog(): boolean {
    for (const s of this.#active) if (s.queue.length > 0) return true;
    return false;
  }

  /** Looks after a partition from now on, until all that is queued of it was sent and answered. */
  offer(state: PartitionState): void {
    if (state.bufferedBytes > 0) this.#active.add(state);
  }

  /** Resolves when a request has ended, and thereby some memory is free. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#requests > 0) this.#waiting.push(resolve);
      // Nothing is in flight that could wake us: let the loop look again, but not in a tight circle.
      else setTimeout(resolve, 10);
    });
  }

  /** Sends all that may be sent now. */
  pump(): void {
    const { target, mayWrite, clock } = this.#context;
    while (!this.#failed && mayWrite()) {
      const ending = this.#signal.aborted;
      const requests = new Map<string, Sending>();
      for (const state of this.#active) {
        if (state.bufferedBytes === 0) this.#active.delete(state);
        if (state.stop || state.unsure || state.busy || state.inFlight >= maxInFlight) {
          if (state.busy && !ending) this.#lookAhead(state);
          continue;
        }
        const batch = readyHead(state);
        if (!batch || (ending && !state.filler?.open)) continue;
        const next = nextStep(state, batch);
        const step = next.kind === 'fill' ? fillStep(state, next.to, clock.now(), ending) : next;
        if (step.kind !== 'send' && step.kind !== 'place') {
          if (state.inFlight === 0 && (!ending || step.kind === 'fill')) this.#runStep(state, batch, step);
          else if (!ending) this.#lookAhead(state);
          continue;
        }
        const sent = { state, batch: step.kind === 'place' ? takePlaceholders(state, step.to) : batch };
        if (step.kind === 'send') state.queue.shift();
        if (!ending) this.#lookAhead(state);
        const [node, lane, { slot }] = [target.leaderOf(state), laneOf(state), step];
        const key = `${node} ${lane} ${slot?.transactionalId ?? ''}`;
        const sending = requests.get(key);
        if (sending) sending.sent.push(sent);
        else requests.set(key, { node, lane, slot, sent: [sent] });
      }
      if (requests.size === 0) return;
      for (const sending of requests.values()) this.#send(sending);
    }
  }

  /** Does what must stand alone in its partition; the batch stays at the head of the queue until it is done. */
  #runStep(state: PartitionState, batch: RecordBatch, step: Exclude<Step, { readonly kind: 'send' }>): void {
    state.busy = true;
    if (step.kind === 'begin' || (step.kind === 'end' && !step.slot)) this.#beginning.add(state);
    this.#requests++;
    this.#replay
      .run(state, batch, step)
      .then((result) => {
        if (result === 'paused' || state.stop) return;
        if (result !== 'done') {
          stopNow(state, result);
        } else if (state.sendFrom > batch.lastOffset) {
          state.queue.shift();
          state.bufferedBytes -= batch.bytes.length;
          acknowledge(state, batch);
        }
      })
      .catch((error: unknown) => this.#stepFailed(state, error))
      .finally(() => {
        state.busy = false;
        this.#beginning.delete(state);
        this.#ended([state]);
      });
  }

  /**
   * Begins the next transaction of a partition while another is under way; none beyond those that are queued, since the
   * standby's coordinator would abort it when its time-out passes.
   */
  #lookAhead(state: PartitionState): void {
    if (this.#beginning.has(state) || !needsSlotAhead(state)) return;
    this.#requests++;
    void this.#replay.prepare(state).finally(() => this.#ended([state]));
  }

  #stepFailed(state: PartitionState, error: unknown): void {
    const code = error instanceof ArgusError ? error.code : undefined;
    if (code === 'TransactionLost') stopNow(state, { reason: code, detail: describeError(error) });
    else if (code === 'KafkaFailed' || code === 'KafkaDenied') this.#putOff(state, describeError(error));
    else this.#giveUp(error);
  }

  /** Resolves when no request is in flight: each was answered or its connection is gone. */
  async settled(): Promise<void> {
    this.pump();
    while (this.#requests > 0) await this.room();
  }

  #send({ node, lane, slot, sent }: Sending): void {
    const { producer, tuning } = this.#context;
    for (const { state, batch } of sent) {
      const sequence = slot ? slot.nextSequence : (state.nextSequence ?? sequenceOf(batch.baseOffset));
      patchForProduce(batch, slot?.producer ?? producer, sequence);
      const next = sequenceAfter(sequence, batch.recordCount);
      if (slot) slot.nextSequence = next;
      else state.nextSequence = next;
      state.sendFrom = batch.lastOffset + 1n;
      state.inFlight++;
    }
    const batches = sent.map(({ state, batch }) => ({
      topic: state.topic,
      partition: state.partition,
      bytes: batch.bytes,
    }));
    this.#requests++;
    const request = produceRequest(batches, tuning.requestTimeoutMs, slot?.transactionalId ?? null);
    const answered = this.#connection(node, lane).then((connection) =>
      connection.send(request, { timeoutMs: tuning.requestTimeoutMs * 2 }),
    );
    answered
      .then((answers) => this.#take(sent, answers, slot))
      .catch((error: unknown) => {
        for (const { state, batch } of sent) leaveOpen(state, batch.lastOffset + 1n);
        this.#giveUp(error);
      })
      .finally(() => {
        for (const { state, batch } of sent) {
          state.inFlight--;
          state.bufferedBytes -= batch.bytes.length;
        }
        this.#ended(sent.map(({ state }) => state));
      });
  }

  /** After each request or step: a stop that waited for it takes effect, and what waits for room goes on. */
  #ended(states: readonly PartitionState[]): void {
    this.#requests--;
    for (const state of states) {
      const { pendingStop, queue, inFlight, unsure } = state;
      if (pendingStop && queue.length === 0 && inFlight === 0 && !unsure && !this.#failed) stopNow(state, pendingStop);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
    this.pump();
  }

  #take(sent: readonly Sent[], answers: readonly ProducedPartition[], slot: Slot | undefined): void {
    this.#context.onAnswer('target');
    for (const [i, { state, batch }] of sent.entries()) {
      const isOf = (a: ProducedPartition | undefined) => a?.partition === state.partition && a.topic === state.topic;
      // Of one topic the answers come in the order of the batches.
      const answer = isOf(answers[i]) ? answers[i] : answers.find(isOf);
      if (!answer) throw new ArgusError('KafkaFailed', `the answer to Produce left out ${state.key}`);
      this.#decide(state, batch, answer, slot);
    }
  }

  #decide(state: PartitionState, batch: RecordBatch, answer: ProducedPartition, slot: Slot | undefined): void {
    const expected = batch.baseOffset;
    const decision = decideProduced(expected, answer, slot !== undefined);
    if (decision.kind === 'unsure') leaveOpen(state, batch.lastOffset + 1n);
    // After the first doubt the answers to what was sent behind it say nothing more.
    if (state.unsure || state.stop) return;
    switch (decision.kind) {
      case 'appended':
        acknowledge(state, batch);
        if (slot && slot === state.filler) state.filled.records += batch.recordCount;
        return;
      case 'stop':
        stopNow(state, decision.stop);
        return;
      case 'outOfOrder':
        if (state.doubtAt === expected) {
          const detail = `the standby refused the sequence of ${expected} twice`;
          stopNow(state, { reason: 'SequenceRefused', detail });
          return;
        }
        state.doubtAt = expected;
        break;
      case 'unsure':
        break;
    }
    const why = `${this.#context.target.name}: Produce to ${state.key} answered ${errorName(answer.errorCode)}`;
    this.#putOff(state, why);
  }

  /** Its log end has to be asked before it goes on; the other partitions need not wait for that. */
  #putOff(state: PartitionState, why: string): void {
    state.unsure = true;
    dropQueue(state);
    setAside(state, 'target', why, this.#context.clock.monotonic());
  }

  #giveUp(error: unknown): void {
    this.#failed = true;
    this.#fail(error);
  }
}

const plainLane = 'produce';
const transactionLanes = 4;

/**
 * The connection for a partition's batches. A broker takes up a connection's next request only when it has answered the
 * last one, and the first of a transaction waits for the coordinator: with transactions, partitions get several.
 * A partition has its first slot only while nothing of it is in flight.
 */
function laneOf({ key, slots }: PartitionState): string {
  return slots.length === 0 ? plainLane : `${plainLane} ${spread(key, transactionLanes)}`;
}
