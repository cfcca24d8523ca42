import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';

export interface ConnectRestOptions {
  /** For messages. */
  readonly region: string;
  /** Root of the REST interface, e.g. `http://connect.singapore.example:8083`. */
  readonly url: string;
  readonly login?: { readonly username: string; readonly password: string } | undefined;
  /** Deadline of a call; default 10 s. */
  readonly timeoutMs?: number;
}

/** Where a connector or a task stands. `UNASSIGNED` while workers share the work out anew. */
export interface ConnectState {
  /** RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED, RESTARTING. */
  readonly state: string;
  readonly worker: string;
  /** First line of the stack trace, when it failed. */
  readonly failure?: string;
}

export interface ConnectorStatus {
  readonly connector: ConnectState;
  readonly tasks: readonly (ConnectState & { readonly id: number })[];
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** A Kafka Connect cluster. Errors: `ConnectUnreachable` (retryable), `ConnectRefused`. Every call is idempotent. */
export interface ConnectCluster {
  /** A connector's configuration; undefined when there is none of that name. */
  config(name: string, options?: CallOptions): Promise<Readonly<Record<string, string>> | undefined>;
  /** Makes the connector, or gives it this configuration. */
  configure(name: string, config: Readonly<Record<string, string>>, options?: CallOptions): Promise<void>;
  /** What the cluster's coordinator last heard; undefined when there is none of that name. */
  status(name: string, options?: CallOptions): Promise<ConnectorStatus | undefined>;
  /** Asks for it; whether it came so, `status` tells. `stop` ends the tasks as well (KIP-875). */
  ask(name: string, what: 'pause' | 'resume' | 'stop', options?: CallOptions): Promise<void>;
  /** Starts what failed of the connector and its tasks again (KIP-745). */
  restartFailed(name: string, options?: CallOptions): Promise<void>;
}

const part = { state: z.string(), worker_id: z.string(), trace: z.string().optional() };
const statusAnswer = z.object({
  connector: z.object(part),
  tasks: z.array(z.object({ ...part, id: z.number() })),
});
const refusal = z.object({ message: z.string() });

/**
 * Kafka Connect's REST interface. While the workers share their work out (409) a call is refused, retryable.
 * Source: Kafka documentation, "Kafka Connect / REST API" (4.3).
 */
export function connectRest(options: ConnectRestOptions): ConnectCluster {
  const root = options.url.replace(/\/$/, '');
  const { login } = options;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (login) headers.authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;

  /** The answer's JSON; undefined for 404. */
  async function request(
    what: string,
    method: string,
    path: string,
    call: CallOptions | undefined,
    body?: unknown,
  ): Promise<unknown> {
    call?.signal?.throwIfAborted();
    const deadline = AbortSignal.timeout(options.timeoutMs ?? 10_000);
    let status: number;
    let text: string;
    try {
      const response = await fetch(root + path, {
        method,
        headers,
        signal: call?.signal ? AbortSignal.any([call.signal, deadline]) : deadline,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      if (call?.signal?.aborted) throw call.signal.reason;
      throw new ArgusError(
        'ConnectUnreachable',
        `${what}: Kafka Connect of ${options.region} at ${root} did not answer`,
        {
          cause: error,
          hint: 'See whether its workers run and their REST port can be reached from here.',
          retryable: true,
        },
      );
    }
    if (status === 404) return undefined;
    const json = parse(text);
    if (status < 400) return json ?? {};
    const told = refusal.safeParse(json);
    const reason = firstLine(told.success ? told.data.message : text);
    throw new ArgusError(
      'ConnectRefused',
      `${what}: Kafka Connect of ${options.region} answered ${status}: ${reason}`,
      {
        retryable: status === 409 || status === 503,
        ...(status === 401 || status === 403 ? { hint: 'check mirror.mirrormaker.username and password' } : {}),
      },
    );
  }

  const pathOf = (name: string, rest: string) => `/connectors/${encodeURIComponent(name)}${rest}`;
  const strange = (what: string) =>
    new ArgusError('ConnectRefused', `${what}: ${root} did not answer like Kafka Connect`, {
      hint: 'check mirror.mirrormaker.connectUrl',
    });
  const there = (what: string, answer: unknown) => {
    if (answer === undefined) throw strange(what);
  };

  return {
    async config(name, call) {
      const answer = await request(`configuration of ${name}`, 'GET', pathOf(name, '/config'), call);
      if (answer === undefined) return undefined;
      const config = z.record(z.string(), z.string()).safeParse(answer);
      if (config.success) return config.data;
      throw strange(`configuration of ${name}`);
    },
    async configure(name, config, call) {
      const what = `configure ${name}`;
      there(what, await request(what, 'PUT', pathOf(name, '/config'), call, config));
    },
    async status(name, call) {
      const answer = await request(`status of ${name}`, 'GET', pathOf(name, '/status'), call);
      if (answer === undefined) return undefined;
      const status = statusAnswer.safeParse(answer);
      if (!status.success) throw strange(`status of ${name}`);
      const { connector, tasks } = status.data;
      return { connector: stateOf(connector), tasks: tasks.map((t) => ({ id: t.id, ...stateOf(t) })) };
    },
    async ask(name, what, call) {
      there(`${what} ${name}`, await request(`${what} ${name}`, 'PUT', pathOf(name, `/${what}`), call));
    },
    async restartFailed(name, call) {
      const path = pathOf(name, '/restart?includeTasks=true&onlyFailed=true');
      there(`restart ${name}`, await request(`restart ${name}`, 'POST', path, call));
    },
  };
}

function stateOf(answer: { state: string; worker_id: string; trace?: string | undefined }): ConnectState {
  const failure = answer.trace === undefined ? {} : { failure: firstLine(answer.trace) };
  return { state: answer.state, worker: answer.worker_id, ...failure };
}

const firstLine = (text: string) => (text.trim().split('\n')[0] ?? '').slice(0, 300);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
