import type { LabEvent } from '../ingest/event.ts';

interface Waiting {
  readonly event: LabEvent;
  /** When it may be forgotten unsent. */
  readonly expiresMs: number;
}

/**
 * The events that wait to be sent. A key whose events are in flight gives out no others until `release`, so its events
 * arrive in the order of their numbers.
 */
export class KeyQueues {
  readonly #keys: readonly string[];
  readonly #nextSeq: number[];
  readonly #prefix: string;
  readonly #busy = new Set<string>();
  #waiting: Waiting[] = [];
  #turn = 0;
  #forgotten = 0;

  /** `prefix` makes keys and ids of this client differ from those of every other one. */
  constructor(prefix: string, keys: number) {
    this.#prefix = prefix;
    this.#keys = Array.from({ length: keys }, (_, i) => `${prefix}-${String(i).padStart(4, '0')}`);
    this.#nextSeq = this.#keys.map(() => 1);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Events that were given up without being sent. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Makes `count` events, the keys taking turns. */
  create(count: number, expiresMs: number): void {
    for (let i = 0; i < count; i++) this.#push(this.#turn++ % this.#keys.length, expiresMs);
  }

  /** Makes one event for each key. */
  createForEveryKey(expiresMs: number): void {
    this.#keys.forEach((_, i) => {
      this.#push(i, expiresMs);
    });
  }

  /** The next events to send together, at most `max`, oldest first; their keys are in flight from now on. */
  take(max: number, nowMs: number): LabEvent[] {
    const taken: LabEvent[] = [];
    const ours = new Set<string>();
    const left: Waiting[] = [];
    for (const waiting of this.#waiting) {
      const { key } = waiting.event;
      if (waiting.expiresMs <= nowMs) this.#forgotten++;
      else if (taken.length < max && (ours.has(key) || !this.#busy.has(key))) {
        ours.add(key);
        this.#busy.add(key);
        taken.push(waiting.event);
      } else left.push(waiting);
    }
    this.#waiting = left;
    return taken;
  }

  /** Forgets what has waited too long. */
  expire(nowMs: number): void {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((waiting) => waiting.expiresMs > nowMs);
    this.#forgotten += before - this.#waiting.length;
  }

  /** The events of a request are settled: their keys may give out the next ones. */
  release(events: readonly LabEvent[]): void {
    for (const event of events) this.#busy.delete(event.key);
  }

  #push(keyIndex: number, expiresMs: number): void {
    const key = this.#keys[keyIndex]!;
    const seq = this.#nextSeq[keyIndex]!;
    this.#nextSeq[keyIndex] = seq + 1;
    this.#waiting.push({ event: { id: `${this.#prefix}.${keyIndex}.${seq}`, key, seq }, expiresMs });
  }
}
