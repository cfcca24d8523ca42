import type { Clock } from '../../../domain/clock.ts';

export interface VirtualClock extends Clock {
  /** This process' sleep: its monotonic time goes on without its timers being run. */
  jump(ms: number): void;
}

/** A clock whose time goes on only when everybody sleeps; then at once to the next that is to wake. */
export function virtualClock(startMs = 1_800_000_000_000): VirtualClock {
  let elapsed = 0;
  let pumping = false;
  const sleepers = new Set<{ readonly at: number; wake(): void }>();
  const pump = () => {
    if (pumping) return;
    pumping = true;
    const turn = (quiet: number) =>
      setImmediate(() => {
        if (quiet < 3) return turn(quiet + 1);
        pumping = false;
        const next = [...sleepers].sort((a, b) => a.at - b.at)[0];
        if (next === undefined) return;
        elapsed = Math.max(elapsed, next.at);
        sleepers.delete(next);
        next.wake();
        if (sleepers.size > 0) pump();
      });
    turn(0);
  };
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    jump(ms) {
      elapsed += ms;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { at: elapsed + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
        pump();
      }),
  };
}
