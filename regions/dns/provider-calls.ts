import { type CallBudget, type CallLimit, fullBudget, takeCall } from '../../domain/call-budget.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { DnsCallOptions } from './dns-records.ts';

/** How calls to one provider are made. Time and chance come from outside where a test needs them. */
export interface ProviderCallOptions {
  /** In messages, e.g. `Cloudflare (zone example.com)`. */
  readonly label: string;
  /** For one call with all its repeats; 15 s when absent. */
  readonly deadlineMs?: number;
  readonly limit: CallLimit;
  /** What the provider's client threw, with the port's codes. */
  toError(error: unknown, what: string): ArgusError;
  /** How long the provider asks to be left alone. */
  retryAfterMs(error: unknown): number | undefined;
  readonly monotonic?: () => number;
  readonly random?: () => number;
}

/** What a call is given: its signal, and what it has to ask before each request that it sends. */
export interface ProviderCall {
  readonly signal: AbortSignal;
  /** Waits a little for room in the API's rate limit; `DnsUnreachable` when there is none for longer. */
  spend(): Promise<void>;
}

export interface ProviderCalls {
  /** Runs a call until it succeeds, fails for good, or its deadline has come. */
  run<T>(what: string, options: DnsCallOptions, call: (io: ProviderCall) => Promise<T>): Promise<T>;
}

const attempts = 4;
const firstWaitMs = 250;
/** A call waits this long for room at most. */
const longestSpendWaitMs = 2_000;

/** How long to wait before the call is made again: somewhere below a bound that doubles, and never less than asked for. Pure. */
export function waitBeforeRetry(attempt: number, retryAfterMs: number | undefined, random: number): number {
  return Math.max(retryAfterMs ?? 0, Math.round(firstWaitMs * 2 ** attempt * (0.5 + random / 2)));
}

/**
 * Calls with a deadline, few repeats of what may pass, and the provider's rate limit kept. The client's own repeats are
 * to be off: some obey any Retry-After and repeat what must not be repeated. A Retry-After beyond the deadline ends the
 * call at once, and whatever isn't urgent is not sent until then.
 */
export function providerCalls(options: ProviderCallOptions): ProviderCalls {
  const { label, limit, deadlineMs = 15_000, monotonic = () => performance.now(), random = Math.random } = options;
  let budget: CallBudget = fullBudget(limit, monotonic());
  let leftAloneUntilMs = 0;

  const busy = (waitMs: number) =>
    new ArgusError(
      'DnsUnreachable',
      `${label}: the API's rate limit leaves no room for another ${Math.ceil(waitMs / 1_000)} s`,
      {
        hint: 'what only looks waits; a run that moves names has a reserve',
        retryable: true,
      },
    );

  async function spend(urgent: boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      const atMs = monotonic();
      if (!urgent && atMs < leftAloneUntilMs) throw busy(leftAloneUntilMs - atMs);
      const taken = takeCall(budget, limit, { urgent, atMs });
      budget = taken.budget;
      if (taken.kind === 'taken') return;
      if (taken.waitMs > longestSpendWaitMs) throw busy(taken.waitMs);
      await sleep(taken.waitMs, signal);
      signal.throwIfAborted();
    }
  }

  return {
    async run(what, { signal, urgent = false }, call) {
      signal?.throwIfAborted();
      const title = `${label}: ${what}`;
      const endsAtMs = monotonic() + deadlineMs;
      const late = new ArgusError('DnsUnreachable', `${title}: no answer in ${deadlineMs} ms`, {
        hint: "try again; the provider's status page tells of outages",
        retryable: true,
      });
      const deadline = abortAfter(deadlineMs, late, signal);
      try {
        for (let attempt = 0; ; attempt++) {
          try {
            const io = { signal: deadline.signal, spend: () => spend(urgent, deadline.signal) };
            return await Promise.race([call(io), deadline.ended]);
          } catch (error) {
            if (deadline.signal.aborted) throw deadline.signal.reason;
            const failure = error instanceof ArgusError ? error : options.toError(error, title);
            const askedMs = options.retryAfterMs(error);
            if (askedMs !== undefined) leftAloneUntilMs = Math.max(leftAloneUntilMs, monotonic() + askedMs);
            const waitMs = waitBeforeRetry(attempt, askedMs, random());
            const again = failure.retryable && error !== failure && attempt + 1 < attempts;
            if (!again || monotonic() + waitMs >= endsAtMs) throw failure;
            await Promise.race([sleep(waitMs, deadline.signal), deadline.ended]);
          }
        }
      } finally {
        deadline.clear();
      }
    },
  };
}

/** A signal that ends after a while or with the caller's, and a promise that fails with it. */
function abortAfter(ms: number, reason: unknown, outer: AbortSignal | undefined) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(reason), ms);
  const onAbort = () => stop.abort(outer?.reason);
  outer?.addEventListener('abort', onAbort, { once: true });
  const ended = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
  });
  // Nobody may be waiting when it ends.
  ended.catch(() => undefined);
  return {
    signal: stop.signal,
    ended,
    clear() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
    },
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}
