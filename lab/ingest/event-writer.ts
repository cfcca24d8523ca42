import type { EventResult, LabEvent } from './event.ts';
import type { PartitionAnswer } from './kafka-messages.ts';
import { partitionOf } from './partition.ts';
import { statusOfError } from './produce-outcome.ts';
import { encodeRecordBatch, type PlainRecord } from './record-batch.ts';

/** A connection through which one topic can be written. */
export interface TopicSession {
  readonly partitions: number;
  readonly closed: boolean;
  /**
   * Appends one batch a partition with acks=all, once. An error whose `sent` is false proves that nothing reached the
   * broker; any other error leaves open whether it did. After an error the session is closed.
   */
  produce(batches: ReadonlyMap<number, Buffer>): Promise<readonly PartitionAnswer[]>;
  close(): void;
}

/** Where sessions come from, and the bounds of the writer. */
export interface EventWriterOptions {
  /** The session to write through now; nothing while Kafka can't be reached. */
  session(): TopicSession | undefined;
  readonly now: () => number;
  /** Events that wait at most; more are refused. */
  readonly maxWaiting?: number;
  /** Events in one Produce at most. */
  readonly maxBatch?: number;
}

interface Waiting {
  readonly events: readonly LabEvent[];
  readonly deadlineMs: number;
  readonly resolve: (results: readonly EventResult[]) => void;
}

/**
 * Writes events in the order of their arrival: it collects while one Produce is in flight, then sends the next.
 * Nothing is ever sent twice; what fails is told as refused or unknown. Requests past their deadline aren't sent:
 * their client has given up and may already have sent a later event of the same key.
 */
export class EventWriter {
  readonly #options: Required<EventWriterOptions>;
  #queue: Waiting[] = [];
  #queued = 0;
  #running: Promise<void> | undefined;

  constructor(options: EventWriterOptions) {
    this.#options = { maxWaiting: 20_000, maxBatch: 5_000, ...options };
  }

  /** What became of each event, in the order given. Never rejects. */
  append(events: readonly LabEvent[], deadlineMs = Number.POSITIVE_INFINITY): Promise<readonly EventResult[]> {
    if (this.#options.session() === undefined || this.#queued + events.length > this.#options.maxWaiting) {
      return Promise.resolve(refused(events));
    }
    return new Promise((resolve) => {
      this.#queue.push({ events, deadlineMs, resolve });
      this.#queued += events.length;
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is in flight and nothing waits. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // One turn later, so that requests read in the same turn go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#take();
      const session = this.#options.session();
      const events = batch.flatMap((waiting) => waiting.events);
      if (events.length === 0) continue;
      const results = session === undefined ? refused(events) : await produceOnce(session, events, this.#options.now());
      let at = 0;
      for (const waiting of batch) {
        waiting.resolve(results.slice(at, at + waiting.events.length));
        at += waiting.events.length;
      }
    }
    this.#running = undefined;
  }

  /** The requests of the next Produce, oldest first; those past their deadline are refused here. */
  #take(): Waiting[] {
    const now = this.#options.now();
    const batch: Waiting[] = [];
    let size = 0;
    let taken = 0;
    for (const waiting of this.#queue) {
      if (size > 0 && size + waiting.events.length > this.#options.maxBatch) break;
      taken++;
      this.#queued -= waiting.events.length;
      if (waiting.deadlineMs <= now) {
        waiting.resolve(refused(waiting.events));
        continue;
      }
      batch.push(waiting);
      size += waiting.events.length;
    }
    this.#queue = this.#queue.slice(taken);
    return batch;
  }
}

async function produceOnce(session: TopicSession, events: readonly LabEvent[], nowMs: number): Promise<EventResult[]> {
  const byPartition = new Map<number, PlainRecord[]>();
  const places = events.map((event) => {
    const partition = partitionOf(event.key, session.partitions);
    const records = byPartition.get(partition) ?? [];
    byPartition.set(partition, records);
    records.push({ key: event.key, value: JSON.stringify({ id: event.id, key: event.key, seq: event.seq }) });
    return { partition, index: records.length - 1 };
  });
  const batches = new Map(
    [...byPartition].map(([partition, records]) => [partition, encodeRecordBatch(records, nowMs)]),
  );
  let answers: ReadonlyMap<number, PartitionAnswer>;
  try {
    answers = new Map((await session.produce(batches)).map((answer) => [answer.partition, answer]));
  } catch (error) {
    const sent = (error as { sent?: unknown }).sent !== false;
    return sent ? events.map(({ id }) => ({ id, status: 'unknown' })) : refused(events);
  }
  return events.map(({ id }, i) => {
    const { partition, index } = places[i]!;
    const answer = answers.get(partition);
    const status = answer === undefined ? 'unknown' : statusOfError(answer.error);
    if (answer === undefined || status !== 'acknowledged') return { id, status };
    return { id, status, partition, offset: answer.baseOffset + index };
  });
}

function refused(events: readonly LabEvent[]): EventResult[] {
  return events.map(({ id }) => ({ id, status: 'refused' }));
}
