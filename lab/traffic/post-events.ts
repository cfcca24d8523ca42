import { type Agent, request } from 'node:http';
import { deadlineHeader, type EventResult, type EventStatus, type LabEvent } from '../ingest/event.ts';

/** What became of one request. */
export interface PostOutcome {
  readonly statusOf: (event: LabEvent) => EventStatus;
  /** Absent when no complete answer came. */
  readonly answeredAtMs?: number;
  /** The region that answered. */
  readonly by?: string;
}

/** Where and how a request goes out. */
export interface PostOptions {
  readonly agent: Agent;
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/**
 * Posts events once. Without a connection they are refused; when a connection stood and no complete answer came in
 * time, they are unknown. Never rejects.
 */
export function postEvents(events: readonly LabEvent[], options: PostOptions): Promise<PostOutcome> {
  const body = JSON.stringify(events);
  return new Promise((resolve) => {
    let connected = false;
    const post = request({
      agent: options.agent,
      host: options.address,
      port: options.port,
      method: 'POST',
      path: '/events',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        [deadlineHeader]: options.now() + options.timeoutMs,
      },
    });
    const timer = setTimeout(() => post.destroy(new Error('no answer in time')), options.timeoutMs);
    const give = (outcome: PostOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const fail = (): void => give({ statusOf: () => (connected ? 'unknown' : 'refused') });
    post.on('socket', (socket) => {
      if (!socket.connecting) connected = true;
      else
        socket.once('connect', () => {
          connected = true;
        });
    });
    post.on('error', fail);
    post.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        give(readAnswer(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'), options.now()));
      });
    });
    post.end(body);
  });
}

/** What an answer says about each event: its result; refused after a 4xx; unknown where the answer is silent. */
export function readAnswer(httpStatus: number, text: string, answeredAtMs: number): PostOutcome {
  let body: { region?: unknown; results?: unknown } = {};
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    // An answer that can't be read says nothing about the events: they stay unknown.
  }
  const results = new Map<string, EventStatus>();
  if (Array.isArray(body.results)) for (const { id, status } of body.results as EventResult[]) results.set(id, status);
  const silent: EventStatus = httpStatus >= 400 && httpStatus < 500 ? 'refused' : 'unknown';
  return {
    statusOf: (event) => results.get(event.id) ?? silent,
    answeredAtMs,
    ...(typeof body.region === 'string' && { by: body.region }),
  };
}
