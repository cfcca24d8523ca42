import { ArgusError } from '../../domain/errors.ts';
import { errorName } from '../../regions/kafka/error-codes.ts';
import type { KafkaConnection } from '../../regions/kafka/kafka-connection.ts';
import { type ProducedPartition, produceRequest } from '../../regions/kafka/produce.ts';
import { patchForProduce, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import { decideProduced } from './continuity.ts';
import { acknowledge, dropQueue, type PartitionState, setAside, stopNow } from './partition-state.ts';
import type { SessionContext } from './session-context.ts';

/** As many as a broker remembers of a producer: a repeated one is recognised. Source: KIP-98, KAFKA-5494. */
const maxInFlight = 5;

interface Sent {
  readonly state: PartitionState;
  readonly batch: RecordBatch;
}

/**
 * Sends queued batches to the standby: one batch of each partition in a request, in order, up to five in flight for a
 * partition. Each answer's offset is compared with the source's.
 */
export class ProduceLane {
  readonly #context: SessionContext;
  readonly #fail: (cause: unknown) => void;
  readonly #connections = new Map<number, KafkaConnection>();
  readonly #signal: AbortSignal;
  #requests = 0;
  #waiting: (() => void)[] = [];
  #failed = false;

  /** Once the signal is aborted nothing more is sent; what is in flight is still awaited by `settled`. */
  constructor(context: SessionContext, signal: AbortSignal, fail: (cause: unknown) => void) {
    this.#context = context;
    this.#signal = signal;
    this.#fail = fail;
  }

  /** Opens one connection to each broker that leads. All requests of the lane go over these: a later one would reorder. */
  async open(states: readonly PartitionState[], signal: AbortSignal): Promise<void> {
    const { target } = this.#context;
    for (const node of new Set(states.map((s) => target.leaderOf(s)))) {
      this.#connections.set(node, await target.connection(node, 'produce', signal));
    }
  }

  /** No more memory for batches until some are acknowledged. */
  get full(): boolean {
    const { states, tuning } = this.#context;
    return states.reduce((bytes, s) => bytes + s.bufferedBytes, 0) >= tuning.bufferBytes;
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
    const { states, target, mayWrite } = this.#context;
    while (!this.#signal.aborted && !this.#failed && mayWrite()) {
      const requests = new Map<number, Sent[]>();
      for (const state of states) {
        if (state.stop || state.unsure || state.inFlight >= maxInFlight) continue;
        const batch = state.queue.shift();
        if (!batch) continue;
        const node = target.leaderOf(state);
        const list = requests.get(node);
        if (list) list.push({ state, batch });
        else requests.set(node, [{ state, batch }]);
      }
      if (requests.size === 0) return;
      for (const [node, sent] of requests) this.#send(node, sent);
    }
  }

  /** Resolves when no request is in flight: each was answered or its connection is gone. */
  async settled(): Promise<void> {
    while (this.#requests > 0) await this.room();
  }

  #send(node: number, sent: readonly Sent[]): void {
    const { producer, tuning } = this.#context;
    for (const { state, batch } of sent) {
      patchForProduce(batch, producer);
      state.inFlight++;
    }
    const connection = this.#connections.get(node);
    const batches = sent.map(({ state, batch }) => ({
      topic: state.topic,
      partition: state.partition,
      bytes: batch.bytes,
    }));
    this.#requests++;
    const answered = connection
      ? connection.send(produceRequest(batches, tuning.requestTimeoutMs), { timeoutMs: tuning.requestTimeoutMs * 2 })
      : Promise.reject(new ArgusError('KafkaFailed', `no connection to broker ${node}`, { retryable: true }));
    answered
      .then((answers) => this.#take(sent, answers))
      .catch((error: unknown) => {
        for (const { state, batch } of sent) leaveOpen(state, batch);
        this.#giveUp(error);
      })
      .finally(() => {
        this.#requests--;
        for (const { state, batch } of sent) {
          state.inFlight--;
          state.bufferedBytes -= batch.bytes.length;
          const { pendingStop, queue, inFlight, unsure } = state;
          if (pendingStop && queue.length === 0 && inFlight === 0 && !unsure && !this.#failed) {
            stopNow(state, pendingStop);
          }
        }
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const wake of waiting) wake();
        this.pump();
      });
  }

  #take(sent: readonly Sent[], answers: readonly ProducedPartition[]): void {
    this.#context.onAnswer('target');
    for (const { state, batch } of sent) {
      const answer = answers.find((a) => a.partition === state.partition && a.topic === state.topic);
      if (!answer) throw new ArgusError('KafkaFailed', `the answer to Produce left out ${state.key}`);
      this.#decide(state, batch, answer);
    }
  }

  #decide(state: PartitionState, batch: RecordBatch, answer: ProducedPartition): void {
    const expected = batch.baseOffset;
    const decision = decideProduced(expected, answer);
    if (decision.kind === 'unsure') leaveOpen(state, batch);
    // After the first doubt the answers to what was sent behind it say nothing more.
    if (state.unsure || state.stop) return;
    switch (decision.kind) {
      case 'appended':
        acknowledge(state, batch);
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
    // Its log end has to be asked before it goes on; the other partitions need not wait for that.
    state.unsure = true;
    dropQueue(state);
    const { target, clock } = this.#context;
    const why = `${target.name}: Produce to ${state.key} answered ${errorName(answer.errorCode)}`;
    setAside(state, 'target', why, clock.monotonic());
  }

  #giveUp(error: unknown): void {
    this.#failed = true;
    this.#fail(error);
  }
}

/** Notes that nobody knows whether a batch was appended, or still will be. */
function leaveOpen(state: PartitionState, batch: RecordBatch): void {
  const end = batch.lastOffset + 1n;
  if (end > state.unansweredTo) state.unansweredTo = end;
}
