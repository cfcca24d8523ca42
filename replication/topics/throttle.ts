import type { Throttle } from '../../domain/mirror-config.ts';
import {
  allowance,
  burstOf,
  fullBucket,
  refill,
  spend,
  type TokenBucket,
  untilOpen,
} from '../../domain/token-bucket.ts';

/** However low the limit: fewer bytes of a partition are not worth a request. */
const leastBytes = 16 * 1024;

interface Limit {
  bytesPerSecond: number;
  bucket: TokenBucket;
}

/** How fast the source may be read, as a whole and by topic. What is in force can be changed at any time. */
export class ThrottleGate {
  #whole: Limit | undefined;
  #topics: ReadonlyMap<string, Limit> = new Map();

  constructor(throttle: Throttle | undefined, atMs: number) {
    this.set(throttle, atMs);
  }

  /** Takes over other limits; a limit that stays keeps what was spent of it. */
  set(throttle: Throttle | undefined, atMs: number): void {
    this.#whole = changed(this.#whole, throttle?.bytesPerSecond, atMs);
    const topics = Object.entries(throttle?.topics ?? {});
    this.#topics = new Map(
      topics.flatMap(([topic, rate]) => {
        const limit = changed(this.#topics.get(topic), rate, atMs);
        return limit ? [[topic, limit] as const] : [];
      }),
    );
  }

  /** What may be asked for of all topics together now; infinite without a limit. */
  whole(atMs: number): number {
    return allowed(this.#whole, atMs);
  }

  /** Whether a topic may be asked for now, by its own limit alone. */
  isOpen(topic: string, atMs: number): boolean {
    return this.#topics.size === 0 || allowed(this.#topics.get(topic), atMs) > 0;
  }

  /** What to ask for of a partition at most; infinite when its topic has no limit. */
  capOf(topic: string): number {
    const limit = this.#topics.size === 0 ? undefined : this.#topics.get(topic);
    return limit ? Math.max(leastBytes, burstOf(limit.bytesPerSecond)) : Number.POSITIVE_INFINITY;
  }

  /** Notes that so much came from the source. */
  spend(topic: string, bytes: number, atMs: number): void {
    for (const limit of [this.#whole, this.#topics.get(topic)]) {
      if (limit) limit.bucket = spend(refill(limit.bucket, limit.bytesPerSecond, atMs), bytes);
    }
  }

  /** After how long the topic may be asked for; 0: now. */
  waitMs(topic: string, atMs: number): number {
    return Math.max(wait(this.#whole, atMs), wait(this.#topics.get(topic), atMs));
  }
}

function changed(before: Limit | undefined, bytesPerSecond: number | undefined, atMs: number): Limit | undefined {
  if (bytesPerSecond === undefined) return undefined;
  if (!before) return { bytesPerSecond, bucket: fullBucket(bytesPerSecond, atMs) };
  // What was earned until now was earned at the old rate.
  return { bytesPerSecond, bucket: refill(refill(before.bucket, before.bytesPerSecond, atMs), bytesPerSecond, atMs) };
}

function allowed(limit: Limit | undefined, atMs: number): number {
  if (!limit) return Number.POSITIVE_INFINITY;
  limit.bucket = refill(limit.bucket, limit.bytesPerSecond, atMs);
  return allowance(limit.bucket, limit.bytesPerSecond);
}

function wait(limit: Limit | undefined, atMs: number): number {
  return limit ? untilOpen(refill(limit.bucket, limit.bytesPerSecond, atMs), limit.bytesPerSecond) : 0;
}
