import { Transform } from 'node:stream';
import type { Clock } from '../../domain/clock.ts';
import { fullBucket, refill, spend, untilOpen } from '../../domain/token-bucket.ts';

/** How fast bytes may be copied, of all copies that share it together. */
export interface CopyPace {
  /** Resolves when so many bytes may pass, in the order in which they are asked for. */
  pass(bytes: number, signal?: AbortSignal): Promise<void>;
}

/** A pace of so many bytes a second, as they stand in the store; a quarter of a second's worth may come at once. */
export function copyPace(bytesPerSecond: number, clock: Pick<Clock, 'monotonic' | 'sleep'>): CopyPace {
  let bucket = fullBucket(bytesPerSecond, clock.monotonic());
  let last: Promise<void> = Promise.resolve();

  async function turn(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    for (;;) {
      bucket = refill(bucket, bytesPerSecond, clock.monotonic());
      const waitMs = untilOpen(bucket, bytesPerSecond);
      if (waitMs === 0) break;
      await clock.sleep(waitMs, signal);
    }
    bucket = spend(bucket, bytes);
  }

  return {
    pass(bytes, signal) {
      const mine = last.then(() => turn(bytes, signal));
      // One that is given up holds nobody up behind it.
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

/** A stream whose bytes pass at that pace. */
export function pacedStream(pace: CopyPace, signal: AbortSignal | undefined): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      pace.pass(chunk.length, signal).then(() => done(null, chunk), done);
    },
  });
}
