import pRetry from 'p-retry';
import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { ChannelRequest } from './channel-request.ts';

export interface DeliveryLimits {
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** After the first attempt. */
  readonly retries: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** From the first attempt on, all together. */
  readonly patienceMs: number;
}

export const usualLimits: DeliveryLimits = {
  timeoutMs: 10_000,
  retries: 6,
  firstPauseMs: 1_000,
  longestPauseMs: 30_000,
  patienceMs: 180_000,
};

/** What a message's journey ended with; its text holds no part of the URL. */
class DeliveryError extends ArgusError {
  /** The service asked for so much patience. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryable: boolean, retryAfterMs?: number) {
    super('NotDelivered', message, { retryable });
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Gives a request to its service, again after time-outs, broken connections, 408, 425, 429 and 5xx, with growing pauses
 * and jitter, or the pause that the service asks for. Rejects with `NotDelivered` when it is given up.
 */
export async function deliver(
  request: ChannelRequest,
  limits: DeliveryLimits,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  await pRetry(() => attempt(request, limits.timeoutMs, clock, signal), {
    retries: limits.retries,
    minTimeout: limits.firstPauseMs,
    maxTimeout: limits.longestPauseMs,
    maxRetryTime: limits.patienceMs,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => error instanceof DeliveryError && error.retryable,
    onFailedAttempt: async ({ error, retriesLeft }) => {
      const asked = error instanceof DeliveryError ? error.retryAfterMs : undefined;
      if (asked !== undefined && retriesLeft > 0) await clock.sleep(Math.min(asked, limits.patienceMs), signal);
    },
  });
}

async function attempt(
  { url, headers, body }: ChannelRequest,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    // Read to its end, so that the connection can be used again; what it says may quote what was sent.
    await answer.arrayBuffer();
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) throw new DeliveryError(`no answer within ${timeoutMs / 1_000} s`, true);
    throw new DeliveryError(`no connection (${codeOf(error)})`, true);
  }
  if (answer.ok) return;
  const { status } = answer;
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500;
  throw new DeliveryError(
    `status ${status}`,
    retryable,
    retryable ? retryAfterMs(answer.headers.get('retry-after'), clock.now()) : undefined,
  );
}

/** Seconds, or an instant. Source: RFC 9110, section 10.2.3. Undefined: the service asks for nothing that can be read. */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** An error's code, never its text: that may quote the URL. */
function codeOf(error: unknown): string {
  for (let e: unknown = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) {
    const { code } = e as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
  }
  return 'unknown error';
}
