import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions } from './kubernetes-api.ts';
import { answerError, noAnswerError, type Purpose } from './kubernetes-errors.ts';

export interface KubernetesRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  /** Ends the request and the reading of its answer. */
  readonly signal: AbortSignal;
}

export interface KubernetesAnswer {
  readonly status: number;
  /** The header of this name. */
  readonly retryAfter: string | undefined;
  text(): Promise<string>;
  stream(): ReadableStream<Uint8Array> | null;
}

/** HTTP to one API server, with credentials. */
export interface KubernetesTransport {
  readonly region: string;
  readonly server: string;
  /** That of the context, else `default`. */
  readonly namespace: string;
  send(request: KubernetesRequest): Promise<KubernetesAnswer>;
  /** Reads the credentials again from where they came. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/** One call: what is asked, and for messages what for. */
export interface Call extends Purpose {
  readonly method: KubernetesRequest['method'];
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** Requests with a deadline, each with as many attempts as the server itself asks for. */
export interface KubernetesRequests {
  /** The answer's JSON. Throws an `ArgusError` for everything but a success. */
  json(call: Call, options: CallOptions | undefined): Promise<unknown>;
  text(call: Call, options: CallOptions | undefined): Promise<string>;
  /** An answer that goes on; `signal` ends it. The deadline holds for its beginning. */
  stream(call: Call, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

/** What the server waits for when it doesn't say how long. */
const defaultPauseMs = 1_000;

/**
 * Requests over a transport. A server that is asked too often (429) is asked again when it says, within the deadline;
 * it did nothing, so that holds for every verb. Credentials that it refuses (401) are read again, once.
 */
export function kubernetesRequests(transport: KubernetesTransport, defaultTimeoutMs: number): KubernetesRequests {
  async function send(
    call: Call,
    options: CallOptions | undefined,
    bodySignal?: AbortSignal,
  ): Promise<{ readonly answer: KubernetesAnswer; readonly by: AbortSignal; readonly timeoutMs: number }> {
    const caller = options?.signal;
    const timeoutMs = options?.timeoutMs ?? defaultTimeoutMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    const endsAt = performance.now() + timeoutMs;
    const by = caller === undefined ? timeout : AbortSignal.any([caller, timeout]);
    let renewed = false;
    for (;;) {
      caller?.throwIfAborted();
      const answer = await reached(call, caller, timeoutMs, () =>
        bodySignal === undefined
          ? transport.send(requestOf(call, by))
          : // The deadline must not end a stream that has begun.
            withinDeadline(timeout, bodySignal, (signal) => transport.send(requestOf(call, signal))),
      );
      if (answer.status < 300) return { answer, by, timeoutMs };
      const text = await reached(call, caller, timeoutMs, () => answer.text());
      if (answer.status === 401 && !renewed) {
        renewed = true;
        await transport.renew();
        continue;
      }
      const pauseMs = pauseOf(answer.retryAfter);
      if (answer.status === 429 && performance.now() + pauseMs < endsAt) {
        await sleep(pauseMs, undefined, { signal: by }).catch(() => undefined);
        continue;
      }
      throw answerError({ ...describe(call), status: answer.status, text });
    }
  }

  const describe = (call: Call) => ({ ...call, region: transport.region, server: transport.server });

  /** What the transport gives, or the error of a server that can't be reached. */
  async function reached<T>(
    call: Call,
    caller: AbortSignal | undefined,
    timeoutMs: number,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (caller?.aborted) throw caller.reason;
      if (cause instanceof ArgusError) throw cause;
      throw noAnswerError({ ...describe(call), timeoutMs, cause });
    }
  }

  async function text(call: Call, options: CallOptions | undefined): Promise<string> {
    const { answer, timeoutMs } = await send(call, options);
    return reached(call, options?.signal, timeoutMs, () => answer.text());
  }

  return {
    text,
    async json(call, options) {
      const body = await text(call, options);
      try {
        return JSON.parse(body) as unknown;
      } catch {
        // A proxy's page, perhaps: its beginning says whose.
        throw answerError({ ...describe(call), status: 200, text: body });
      }
    },
    async stream(call, signal) {
      const { answer } = await send(call, { signal }, signal);
      const body = answer.stream();
      if (body === null) throw answerError({ ...describe(call), status: answer.status, text: '' });
      return body;
    },
  };
}

/** Runs with a signal that also fires at the timeout, until the work is done. */
async function withinDeadline<T>(
  timeout: AbortSignal,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onTimeout = () => controller.abort(timeout.reason);
  timeout.addEventListener('abort', onTimeout, { once: true });
  try {
    return await work(AbortSignal.any([signal, controller.signal]));
  } finally {
    timeout.removeEventListener('abort', onTimeout);
  }
}

function requestOf(call: Call, signal: AbortSignal): KubernetesRequest {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(name, `${value}`);
  return {
    method: call.method,
    path: query.size === 0 ? call.path : `${call.path}?${query}`,
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    ...(call.contentType === undefined ? {} : { contentType: call.contentType }),
    signal,
  };
}

/** Retry-After in milliseconds; Kubernetes gives seconds. */
function pauseOf(retryAfter: string | undefined): number {
  const seconds = Number(retryAfter);
  return retryAfter !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : defaultPauseMs;
}
