import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { Log } from './log.ts';

/** A background task that can be ended. */
export interface Task {
  /** Aborts the task and resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Pauses after failures double from the first to the last; a run longer than the last begins anew. */
  readonly backoffMs?: { readonly first: number; readonly last: number };
}

/** Runs `act` again and again, with a growing pause after each failure, until stopped. Says each kind of failure once. */
export function supervise(act: (signal: AbortSignal) => Promise<void>, options: SuperviseOptions): Task {
  const { clock, log, name } = options;
  const { first, last } = options.backoffMs ?? { first: 500, last: 10_000 };
  const stop = new AbortController();
  const loop = async () => {
    let pause = first;
    let said: string | undefined;
    while (!stop.signal.aborted) {
      const from = clock.monotonic();
      try {
        await act(stop.signal);
        said = undefined;
      } catch (error) {
        if (stop.signal.aborted) return;
        const why = describeError(error);
        if (why !== said) log.warn({ task: name }, `${name} stopped: ${why}; it is tried again`);
        said = why;
      }
      if (stop.signal.aborted) return;
      if (clock.monotonic() - from > last) pause = first;
      await clock.sleep(pause, stop.signal).catch(() => undefined);
      pause = Math.min(pause * 2, last);
    }
  };
  const ended = loop();
  return {
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

/** Runs `tick` every `periodMs`, one at a time, until the signal. A failing tick is the caller's to catch. */
export async function every(
  periodMs: number,
  tick: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const from = clock.monotonic();
    await tick();
    const rest = periodMs - (clock.monotonic() - from);
    // The only rejection is the signal's.
    await clock.sleep(Math.max(rest, 10), signal).catch(() => undefined);
  }
}
