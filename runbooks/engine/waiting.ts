import type { Clock } from '../../domain/clock.ts';

/**
 * Time that a step spends on others: in its calls, and in the pauses between two looks. The last pause is not counted:
 * what it waited for may have been there at its beginning, so that it is the engine's own.
 */
export interface Waiting {
  /** Counts the call's time. */
  call<T>(call: () => Promise<T>): Promise<T>;
  /** Sleeps; counted once another look follows that doesn't find the effect either. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** In whole ms. */
  total(): number;
}

/** Counts by a monotonic clock. */
export function waiting(clock: Clock): Waiting {
  let counted = 0;
  let lastPause = 0;
  return {
    async call(call) {
      const from = clock.monotonic();
      try {
        return await call();
      } finally {
        counted += clock.monotonic() - from;
      }
    },
    async pause(ms, signal) {
      counted += lastPause;
      const from = clock.monotonic();
      await clock.sleep(ms, signal);
      lastPause = clock.monotonic() - from;
    },
    total: () => Math.round(counted),
  };
}
