import type { Clock } from '../domain/clock.ts';
import { ArgusError, describeError } from '../domain/errors.ts';
import { failureKind } from './failure-kind.ts';

/**
 * What one look at a component gave. `failed`: it answered, or the connection was refused, and that is bad.
 * `unknown`: no answer within the deadline, or no way to it, so nothing can be said: a slow link and a dead region look
 * the same.
 */
export interface Probe {
  readonly status: 'ok' | 'failed' | 'unknown';
  readonly latencyMs: number;
  /** Why it is not ok, as a sentence for people. */
  readonly reason?: string;
  /** The `ArgusError` code, for decisions. `ProbeTimedOut` when the deadline passed. */
  readonly code?: string;
  readonly hint?: string;
}

/** A probe together with what it read; `value` is there exactly when `status` is `ok`. */
export interface ProbeOf<T> extends Probe {
  readonly value?: T;
}

export interface ProbeOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** After this the answer is `unknown`, whatever the call still does. */
  readonly deadlineMs?: number;
}

/** Runs one look with its own deadline (2 s by default). Never throws. */
export async function probe<T>(
  act: (options: { readonly signal: AbortSignal }) => Promise<T>,
  options: ProbeOptions,
): Promise<ProbeOf<T>> {
  const { clock, deadlineMs = 2_000 } = options;
  const from = clock.monotonic();
  const latencyMs = () => Math.round(clock.monotonic() - from);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const late = Symbol('late');
  const timer = new AbortController();
  try {
    const deadline = clock.sleep(deadlineMs, AbortSignal.any([signal, timer.signal])).then(() => late);
    const outcome = await Promise.race([act({ signal }), deadline]);
    if (outcome === late) {
      const reason = `no answer within ${deadlineMs / 1_000} s`;
      return { status: 'unknown', latencyMs: latencyMs(), reason, code: 'ProbeTimedOut' };
    }
    return { status: 'ok', latencyMs: latencyMs(), value: outcome as T };
  } catch (error) {
    const known = error instanceof ArgusError ? error : undefined;
    return {
      status: options.signal?.aborted ? 'unknown' : failureKind(error),
      latencyMs: latencyMs(),
      reason: known ? known.message : describeError(error),
      code: known?.code ?? 'ProbeFailed',
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
    };
  } finally {
    timer.abort();
    stop.abort();
  }
}
