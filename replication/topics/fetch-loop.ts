import type { FetchedPartition } from '../../regions/kafka/fetch.ts';
import { FetchSession, type FetchSlot, newFetchSlot } from '../../regions/kafka/fetch-session.ts';
import { isAway } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaConnection } from '../../regions/kafka/kafka-connection.ts';
import { type FetchPlan, nextFetchBytes, planFetches } from './fetch-size.ts';
import { isRunning, type PartitionState, setAside } from './partition-state.ts';
import type { ProduceLane } from './produce-lane.ts';
import type { Fail, SessionContext } from './session-context.ts';

/** What the loops of one broker share. */
export interface FetchParts {
  readonly context: SessionContext;
  /** The partitions that the broker leads. */
  readonly states: readonly PartitionState[];
  readonly lane: ProduceLane;
  /** Takes in what was fetched of one partition. */
  readonly take: (state: PartitionState, fetched: FetchedPartition) => void;
  readonly signal: AbortSignal;
}

/** A partition of a loop. */
interface Slot extends FetchSlot {
  readonly state: PartitionState;
  /** What is asked for of it at most, unless the throttle allows less. */
  size: number;
  /** The last answer carried records of it. */
  busy: boolean;
}

/** What may be asked for now. */
interface Round {
  /** Partitions that are mirrored at all. */
  readonly running: number;
  readonly wanted: number;
  /** Partitions that want to be asked again soon: without room for more, or behind those that go first. */
  readonly held: number;
  /** After how long those that the throttle holds back may be asked; undefined when it holds back none. */
  readonly throttledMs: number | undefined;
}

const soonMs = 20;
/** A changed throttle is looked at after so long. */
const throttleLookMs = 200;
const seenPaceMs = 400;
/** Between two fetches, for each partition: a broker looks at all of a session each time. */
const paceMsPerPartition = 0.004;
/** Between two fetches while the standby has not taken what is there. */
const backlogPaceMs = 4;

/** Fetches the partitions that one broker of the source leads; over a distance on several connections. */
export async function fetchFromBroker(node: number, parts: FetchParts, fail: Fail): Promise<void> {
  const { context, states, signal } = parts;
  const { tuning, clock, source } = context;
  let sentAtMs = clock.now();
  const failed = (error: unknown) => {
    // A request that got no answer was sent when the source was already away.
    const timedOut = clock.now() - sentAtMs >= tuning.requestTimeoutMs;
    const elsewhere = context.states.some((s) => isRunning(s) && !states.includes(s));
    // One broker of several: the others go on, and `watchSource` finds out who leads these partitions next.
    if (isAway(error) && elsewhere && !signal.aborted) {
      for (const s of states) if (isRunning(s)) setAside(s, 'source', error.message, clock.monotonic(), true);
    } else fail('source', error, timedOut ? sentAtMs : clock.now());
  };
  try {
    const roundTripMs = await source.roundTripMs(node, 'fetch 0', signal);
    const plan = planFetches(roundTripMs, states.length, tuning);
    const loops = Array.from({ length: plan.connections }, async (_, i) => {
      const connection = await source.connection(node, `fetch ${i}`, signal);
      const mine = states.filter((_, at) => at % plan.connections === i);
      await new FetchLoop({ ...parts, states: mine }, plan, connection).run(() => {
        sentAtMs = clock.now();
      });
    });
    await Promise.all(loops.map((loop) => loop.catch(failed)));
  } catch (error) {
    failed(error);
  }
}

/** Fetches over one connection, in one session, and hands on what comes. */
class FetchLoop {
  readonly #parts: FetchParts;
  readonly #plan: FetchPlan;
  readonly #connection: KafkaConnection;
  readonly #slots: readonly Slot[];
  readonly #byKey: ReadonlyMap<string, Slot>;
  readonly #session: FetchSession;
  /** A partition that had more got nothing of the last answer: it goes before those that got something. */
  #starved = false;
  #seenAt = Number.NEGATIVE_INFINITY;

  constructor(parts: FetchParts, plan: FetchPlan, connection: KafkaConnection) {
    const { source } = parts.context;
    this.#parts = parts;
    this.#plan = plan;
    this.#connection = connection;
    this.#slots = parts.states.map((state) => {
      const slot = newFetchSlot(state, source.leaderEpochOf(state));
      return { ...slot, state, size: plan.partitionBytes.least, busy: false };
    });
    this.#byKey = new Map(this.#slots.map((slot) => [slot.state.key, slot]));
    this.#session = new FetchSession(this.#slots);
  }

  /** Until the signal, or until no partition is to be fetched any more. */
  async run(onSend: () => void): Promise<void> {
    const { lane, signal } = this.#parts;
    const { clock, tuning, throttle } = this.#parts.context;
    while (!signal.aborted) {
      const round = this.#choose();
      if (round.running === 0) return;
      if (round.wanted === 0) {
        lane.pump();
        const { throttledMs } = round;
        if (throttledMs !== undefined && round.held === 0) {
          await clock.sleep(Math.max(1, Math.min(throttleLookMs, throttledMs)), signal);
        } else await lane.room();
        continue;
      }
      onSend();
      const sentAt = clock.monotonic();
      // Partitions that are held back want to be asked again as soon as they have room.
      const maxWaitMs = Math.min(
        tuning.maxWaitMs,
        round.held > 0 ? soonMs : tuning.maxWaitMs,
        Math.max(soonMs, round.throttledMs ?? tuning.maxWaitMs),
      );
      const maxBytes = Math.min(this.#plan.answerBytes, throttle.whole(sentAt));
      const request = this.#session.next({ maxWaitMs, maxBytes });
      const answer = await this.#connection.send(request, { timeoutMs: tuning.requestTimeoutMs + maxWaitMs, signal });
      this.#parts.context.onAnswer('source');
      if (this.#session.take(answer)) this.#takeAll(answer.partitions);
      lane.pump();
      const pauseMs = this.#paceMs() - (clock.monotonic() - sentAt);
      if (pauseMs > 0) await clock.sleep(pauseMs, signal);
    }
  }

  /** Marks what is wanted of each partition next. */
  #choose(): Round {
    const { context, lane } = this.#parts;
    const { tuning, throttle, clock } = context;
    const now = clock.monotonic();
    const full = lane.full;
    const shut = throttle.whole(now) === 0;
    // Over a distance the next answer is on its way while the last one is written.
    const roomBytes = Math.max(tuning.partitionBufferBytes, this.#plan.partitionBytes.most);
    let [running, wanted, held] = [0, 0, 0];
    let throttledMs: number | undefined;
    for (const slot of this.#slots) {
      const { state } = slot;
      slot.wanted = false;
      if (!isRunning(state)) continue;
      running++;
      if (full || state.bufferedBytes >= roomBytes || (this.#starved && slot.busy)) held++;
      else if (shut || !throttle.isOpen(state.topic, now)) {
        throttledMs = Math.min(throttledMs ?? Number.POSITIVE_INFINITY, throttle.waitMs(state.topic, now));
      } else {
        wanted++;
        slot.wanted = true;
        slot.offset = state.fetchFrom;
        slot.maxBytes = Math.min(slot.size, throttle.capOf(state.topic));
      }
    }
    if (wanted === 0) this.#starved = false;
    return { running, wanted, held, throttledMs };
  }

  #takeAll(answers: readonly FetchedPartition[]): void {
    const { context, take } = this.#parts;
    const { least, most } = this.#plan.partitionBytes;
    const now = context.clock.monotonic();
    for (const slot of this.#slots) slot.busy = false;
    this.#starved = false;
    for (const answer of answers) {
      const slot = this.#byKey.get(`${answer.topic}-${answer.partition}`);
      if (!slot) continue;
      const { state } = slot;
      const receivedBytes = answer.records.length;
      if (receivedBytes > 0) context.throttle.spend(state.topic, receivedBytes, now);
      if (!isRunning(state)) continue;
      take(state, answer);
      const moreThere = state.fetchFrom < state.sourceEnd;
      slot.busy = receivedBytes > 0;
      if (receivedBytes === 0 && moreThere) this.#starved = true;
      slot.size = nextFetchBytes({ askedBytes: slot.size, receivedBytes, moreThere }, least, most);
    }
    if (now - this.#seenAt >= seenPaceMs) this.#seeAll(now);
  }

  /** A session answers only what is new: of all others nothing has changed. */
  #seeAll(now: number): void {
    this.#seenAt = now;
    for (const { told, state } of this.#slots) if (told && state.sourceSeenAt !== undefined) state.sourceSeenAt = now;
  }

  #paceMs(): number {
    const { context, lane } = this.#parts;
    const pace = lane.backlog ? Math.max(backlogPaceMs, context.tuning.fetchPaceMs) : context.tuning.fetchPaceMs;
    return Math.max(pace, this.#slots.length * paceMsPerPartition);
  }
}
