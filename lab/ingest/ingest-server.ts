import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadlineHeader, parseEvents } from './event.ts';
import { EventWriter } from './event-writer.ts';
import type { BrokerLogin } from './kafka-messages.ts';
import { TopicLink } from './topic-link.ts';

/** Where the service listens and what it writes to. */
export interface IngestOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** `host:port` of the region's broker. */
  readonly bootstrap: string;
  readonly topic: string;
  /** How it logs in to the broker (PLAIN); absent: not at all. */
  readonly login?: BrokerLogin;
  /** The region's name, told in every answer. */
  readonly region: string;
}

/** A running ingest service. */
export interface IngestServer {
  readonly port: number;
  /** Takes no more requests, waits at most two seconds for what is in flight. */
  close(): Promise<void>;
}

const maxBodyBytes = 64 << 10;

/**
 * Starts the service: `POST /events` and `GET /healthz`. It listens at once and for good; while Kafka can't be reached
 * events are refused with 503. An answer of 202 or 503 holds a result for every event.
 */
export async function startIngest(options: IngestOptions): Promise<IngestServer> {
  const link = new TopicLink(options);
  const writer = new EventWriter({ session: () => link.session(), now: Date.now });
  const server = createServer({ keepAliveTimeout: 10_000 }, (request, response) => {
    route(request, response, { link, writer, region: options.region }).catch((error: unknown) => {
      if (!response.headersSent) send(response, 400, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    await link.close();
    throw error;
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.race([writer.idle(), sleep(2_000, undefined, { ref: false })]);
      await link.close();
      await writer.idle();
      server.closeIdleConnections();
      await Promise.race([closed, sleep(500, undefined, { ref: false })]);
      server.closeAllConnections();
    },
  };
}

interface Context {
  readonly link: TopicLink;
  readonly writer: EventWriter;
  readonly region: string;
}

async function route(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { region } = context;
  if (request.method === 'GET' && request.url === '/healthz') {
    return send(response, 200, { region, kafka: context.link.session() === undefined ? 'unreachable' : 'connected' });
  }
  if (request.url !== '/events') return send(response, 404, { error: 'POST /events or GET /healthz' });
  if (request.method !== 'POST') return send(response, 405, { error: 'POST' });
  const events = parseEvents(await bodyOf(request));
  const deadline = Number(request.headers[deadlineHeader] ?? Number.POSITIVE_INFINITY);
  const results = await context.writer.append(events, Number.isNaN(deadline) ? undefined : deadline);
  const accepted = results.some((result) => result.status === 'acknowledged');
  send(response, accepted ? 202 : 503, { region, results });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error(`the body is at most ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
