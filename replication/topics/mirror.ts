import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../domain/clock.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { type PartitionOffset, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import type { BatchProducer } from '../../regions/kafka/record-batch.ts';
import { runSession } from './mirror-session.ts';
import { type MirrorStatus, type SideStatus, sampleRate, topicStatuses } from './mirror-status.ts';
import { type ToldTransaction, tellOpen } from './open-transactions.ts';
import { newPartitionState, type PartitionState, stopNow } from './partition-state.ts';
import type { Following } from './plan-following.ts';
import { type MirrorTuning, SessionFailure } from './session-context.ts';
import { ThrottleGate } from './throttle.ts';

/** One side of a mirror. */
export type MirrorEndpoint = KafkaEndpoint;

export interface MirrorOptions {
  readonly source: MirrorEndpoint;
  readonly target: MirrorEndpoint;
  /** The partitions to mirror, as `prepareTopics` gives them: they exist on both sides. */
  readonly partitions: readonly TopicPartition[];
  /** Topics among them that are not mirrored for now. */
  readonly held?: Following['held'];
  /** How fast the source may be read at first; `follow` changes it. */
  readonly throttle?: Following['throttle'];
  /** The mirror's producer on the standby; the same at every start of one epoch of roles. */
  readonly producer: BatchProducer;
  readonly clock: Clock;
  /** Told at least once a second while `run` lasts. */
  readonly onStatus?: (status: MirrorStatus) => void;
  readonly tuning?: Partial<MirrorTuning>;
  /** Asked before each batch is sent; false: nothing is sent any more. Always, when not given. */
  readonly mayWrite?: () => boolean;
}

export interface FreezeResult {
  /** The standby has every record that the source had when it was asked last. False when the source was away. */
  readonly drained: boolean;
  /** The standby's log ends after the last batch, asked at its brokers. */
  readonly endOffsets: readonly PartitionOffset[];
  /** Transactions that stand open on the standby, as far as the mirror knows whose they are. */
  readonly openTransactions: readonly ToldTransaction[];
}

const defaultTuning: MirrorTuning = {
  maxWaitMs: 500,
  fetchMaxBytes: 4 * 1024 * 1024,
  farFetchMaxBytes: 8 * 1024 * 1024,
  partitionMaxBytes: 1024 * 1024,
  bufferBytes: 16 * 1024 * 1024,
  partitionBufferBytes: 4 * 1024 * 1024,
  fetchPaceMs: 0,
  requestTimeoutMs: 3_000,
};

/** How often its status is told; more seldom where thousands of partitions make it long. */
const statusPaceMs = { few: 500, many: 900 } as const;
const many = 2_000;
const backoffMs = { first: 100, max: 1_000 } as const;
/** How long batches without an answer may take to appear on the standby, once nothing more is sent. */
const settleMs = 250;
const settleRounds = 8;

/** Mirrors partitions from the primary to the standby, offset for offset, until it is told to stop. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #tuning: MirrorTuning;
  #states: readonly PartitionState[] = [];
  /** What is to be mirrored from the next session on. */
  #wanted: Following;
  readonly #throttle: ThrottleGate;
  #source: SideStatus;
  #target: SideStatus;
  #connected = false;
  #frozen = false;
  /** Ends the session that runs, and any waiting between sessions; replaced whenever it was used. */
  #interrupt = new AbortController();
  #session: Promise<void> = Promise.resolve();

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#tuning = { ...defaultTuning, ...options.tuning };
    this.#wanted = { partitions: options.partitions, held: options.held ?? {} };
    this.#throttle = new ThrottleGate(options.throttle, options.clock.monotonic());
    this.#takeUp();
    this.#source = unseen(options.source.name);
    this.#target = unseen(options.target.name);
  }

  /** What the mirror knows now. */
  status(): MirrorStatus {
    const atMs = this.#options.clock.now();
    return {
      atMs,
      phase: this.#frozen ? 'frozen' : this.#connected ? 'mirroring' : 'connecting',
      source: this.#source,
      target: this.#target,
      topics: topicStatuses(this.#states, atMs, this.#source.reachable),
    };
  }

  /**
   * Runs until the signal is aborted; then it returns when no batch is in flight any more. Neither a side that is away
   * nor a stopped partition ends it. Call it once.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const ticking = new AbortController();
    const ticker = this.#tick(ticking.signal);
    const onAbort = () => this.#interrupt.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    let failures = 0;
    try {
      while (!signal.aborted) {
        const interrupted = this.#interrupt.signal;
        if (this.#frozen) {
          await untilAborted(interrupted);
          continue;
        }
        this.#connected = false;
        this.#takeUp();
        const session = this.#runSession(interrupted);
        this.#session = session.then(
          () => undefined,
          () => undefined, // Read below; here only its end counts.
        );
        const startedAt = clock.monotonic();
        const failure = await session;
        if (!failure) continue;
        failures = clock.monotonic() - startedAt > 5_000 ? 1 : failures + 1;
        const pause = Math.min(backoffMs.max, backoffMs.first * 2 ** Math.min(failures - 1, 10));
        await clock.sleep(pause, interrupted).catch(() => undefined); // Interrupted: look at once what is wanted.
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      ticking.abort();
      await ticker;
    }
  }

  /**
   * Goes on until nothing is missing, `drainMs` has passed or the source is away; then stops fetching, awaits every
   * batch in flight and asks the standby's log ends. From its return on nothing is written until `thaw`.
   * A standby that can't be asked is `KafkaUnreachable`. `FreezeUnproven`: batches were sent that nobody answered and
   * that are not in the standby's log; a broker may hold them and append them later, so only a fence makes sure. In
   * both cases the mirror stays frozen.
   */
  async freeze(drainMs: number): Promise<FreezeResult> {
    const drained = await this.#drain(drainMs);
    this.#frozen = true;
    this.#renewInterrupt();
    await this.#session;
    const endOffsets = await this.#readEnds();
    this.#notify();
    return { drained, endOffsets, openTransactions: tellOpen(this.#states) };
  }

  /** Goes on after a freeze. */
  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#renewInterrupt();
  }

  /**
   * Mirrors these partitions from now on. What is in flight is awaited, then a new session begins with all of them;
   * partitions that stay keep what is known of them. Another throttle alone is in force at once and ends nothing.
   */
  follow({ throttle, ...wanted }: Following): void {
    this.#throttle.set(throttle, this.#options.clock.monotonic());
    if (isDeepStrictEqual(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    if (!this.#frozen) this.#renewInterrupt();
  }

  #takeUp(): void {
    const { partitions, held } = this.#wanted;
    const known = new Map(this.#states.map((s) => [s.key, s]));
    this.#states = partitions.map((tp) => known.get(partitionKey(tp)) ?? newPartitionState(tp));
    for (const s of this.#states) {
      const hold = held[s.topic];
      if (hold) stopNow(s, hold);
      else if (s.stop?.reason === 'Paused' || s.stop?.reason === 'TopicRecreated') s.stop = undefined;
    }
  }

  async #runSession(signal: AbortSignal): Promise<SessionFailure | undefined> {
    const { clock, producer } = this.#options;
    try {
      await runSession(
        {
          source: this.#cluster(this.#options.source),
          target: this.#cluster(this.#options.target),
          states: this.#states,
          producer,
          tuning: this.#tuning,
          throttle: this.#throttle,
          clock,
          mayWrite: this.#options.mayWrite ?? (() => true),
          openLook: (side) => this.#cluster(this.#options[side]),
          onAnswer: (side) => this.#noteAnswer(side),
        },
        signal,
      );
      return undefined;
    } catch (error) {
      const failure = error instanceof SessionFailure ? error : new SessionFailure('target', error, clock.now());
      this.#noteFailure(failure);
      return failure;
    }
  }

  async #drain(drainMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const until = clock.monotonic() + drainMs;
    const cluster = this.#cluster(this.#options.source);
    const signal = AbortSignal.timeout(Math.max(1, drainMs));
    try {
      await cluster.refresh([...new Set(this.#states.map((s) => s.topic))], signal);
      while (clock.monotonic() < until && this.#source.firstFailureAtMs === undefined) {
        const { offsets, failures } = await cluster.listEnds(this.#states, signal);
        const missing = this.#states.filter((s) => s.mirroredEnd < (offsets.get(s.key) ?? 0n));
        // What can't be asked isn't waited for; the others are.
        if (missing.length === 0) return failures.size === 0 && this.#states.every((s) => !s.stop);
        if (missing.every((s) => s.stop)) return false;
        await clock.sleep(20, signal);
      }
      return false;
    } catch {
      return false; // The source is away or too slow: what is there counts, and the result says that it was not drained.
    } finally {
      cluster.close();
    }
  }

  async #readEnds(): Promise<readonly PartitionOffset[]> {
    const { clock, target } = this.#options;
    const cluster = this.#cluster(target);
    try {
      await cluster.refresh([...new Set(this.#states.map((s) => s.topic))]);
      for (let round = 0; ; round++) {
        const ends = await cluster.logEnds(this.#states);
        // At or past that end every unanswered batch is in the log, or its sequence is an old one that brokers refuse.
        const open = this.#states.find((s) => (ends.get(s.key) ?? 0n) < s.unansweredTo);
        if (!open) {
          for (const s of this.#states) s.mirroredEnd = ends.get(s.key) ?? s.mirroredEnd;
          return this.#states.map(({ topic, partition, mirroredEnd }) => ({ topic, partition, offset: mirroredEnd }));
        }
        if (round === settleRounds) {
          const what = `${open.key} ends at ${ends.get(open.key)}, batches up to ${open.unansweredTo} were not answered`;
          throw new ArgusError('FreezeUnproven', `${target.name}: ${what}`, {
            hint: "the failover fences the mirror's producer instead",
          });
        }
        await clock.sleep(settleMs);
      }
    } finally {
      cluster.close();
    }
  }

  #cluster(endpoint: KafkaEndpoint): KafkaCluster {
    const { requestTimeoutMs } = this.#tuning;
    return new KafkaCluster({
      ...endpoint,
      clientId: 'argus-mirror',
      connectTimeoutMs: requestTimeoutMs,
      requestTimeoutMs,
    });
  }

  #noteAnswer(side: 'source' | 'target'): void {
    const region = this.#options[side].name;
    const checkedAtMs = this.#options.clock.now();
    const seen = { region, reachable: true, checkedAtMs, firstFailureAtMs: undefined, error: undefined };
    if (side === 'source') {
      if (this.#source.firstFailureAtMs !== undefined) for (const s of this.#states) s.samples = [];
      this.#source = seen;
      this.#connected = true;
    } else this.#target = seen;
  }

  #noteFailure(failure: SessionFailure): void {
    this.#connected = false;
    const before = failure.side === 'source' ? this.#source : this.#target;
    const noted: SideStatus = {
      region: before.region,
      // A partition that has to be asked again is no outage of its region.
      reachable: !isOutage(failure.cause),
      checkedAtMs: this.#options.clock.now(),
      firstFailureAtMs: isOutage(failure.cause) ? (before.firstFailureAtMs ?? failure.atMs) : before.firstFailureAtMs,
      error: describeError(failure.cause),
    };
    if (failure.side === 'source') this.#source = noted;
    else this.#target = noted;
    this.#notify();
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      if (this.#connected) for (const s of this.#states) sampleRate(s, clock.monotonic());
      this.#notify();
      const paceMs = this.#states.length < many ? statusPaceMs.few : statusPaceMs.many;
      await clock.sleep(paceMs, signal).catch(() => undefined); // Aborted: the loop's condition ends it.
    }
  }

  #notify(): void {
    this.#options.onStatus?.(this.status());
  }

  #renewInterrupt(): void {
    const previous = this.#interrupt;
    this.#interrupt = new AbortController();
    previous.abort();
  }
}

function isOutage(cause: unknown): boolean {
  return cause instanceof ArgusError && cause.code === 'KafkaUnreachable';
}

function unseen(region: string): SideStatus {
  return { region, reachable: false, checkedAtMs: undefined, firstFailureAtMs: undefined, error: undefined };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
