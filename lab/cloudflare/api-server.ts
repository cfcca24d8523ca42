import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { routeRequest } from './api-routes.ts';
import type { DnsZone } from './dns-zone.ts';
import { type Fault, FaultList, parseFaults } from './faults.ts';
import { Balancers } from './load-balancers.ts';
import { ZoneError } from './record-rules.ts';

/** A running API. */
export interface ApiServer {
  readonly port: number;
  readonly faults: FaultList;
  close(): Promise<void>;
}

const maxBodyBytes = 1 << 20;

/**
 * Serves a zone as Cloudflare's API does, under `/client/v4` and without that prefix; port 0 takes a free one.
 * `PUT /_faults` (one fault or a list), `GET` and `DELETE` are the control of faults; they need no token.
 */
export async function startApiServer(
  zone: DnsZone,
  token: string,
  host: string,
  port: number,
  balancers = new Balancers(),
): Promise<ApiServer> {
  const faults = new FaultList();
  const server = createServer((request, response) => {
    serve(request, response, { zone, balancers, token, faults }).catch((error: unknown) => fail(response, error));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    faults,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Context {
  readonly zone: DnsZone;
  readonly balancers: Balancers;
  readonly token: string;
  readonly faults: FaultList;
}

async function serve(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://lab');
  const method = request.method ?? 'GET';
  const text = await bodyOf(request);
  if (url.pathname === '/_faults') return control(method, text, response, context.faults);

  const fault = context.faults.take(method, url.pathname);
  if (fault !== undefined && fault.afterEffect !== true) return inject(fault, response);
  const call = { method, path: url.pathname.replace(/^\/client\/v4/, ''), query: url.searchParams, text };
  const answer = routeRequest(call, request.headers.authorization, context);
  if (fault !== undefined) return inject(fault, response);
  send(response, 200, answer);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new ZoneError(413, 6000, 'Request body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function control(method: string, text: string, response: ServerResponse, faults: FaultList): void {
  if (method === 'PUT') {
    try {
      faults.set(parseFaults(JSON.parse(text)));
    } catch (error) {
      send(response, 400, { error: error instanceof Error ? error.message : String(error) });
      return;
    }
  } else if (method === 'DELETE') faults.set([]);
  send(response, 200, { faults: faults.pending() });
}

async function inject(fault: Fault, response: ServerResponse): Promise<void> {
  if (fault.reset === true) {
    response.socket?.resetAndDestroy();
    return;
  }
  if (fault.hang === true) {
    // The caller gives up first; an hour only bounds what a forgotten connection costs.
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    await sleep(3_600_000, undefined, { signal: gone.signal, ref: false }).catch(() => undefined);
    response.destroy();
    return;
  }
  const status = fault.status ?? 500;
  if (fault.retryAfter !== undefined) response.setHeader('retry-after', String(fault.retryAfter));
  const [code, message] =
    status === 429 ? [971, 'Please wait and consider throttling your request speed'] : [10000, 'Injected fault'];
  send(response, status, envelopeOf(code, message));
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const status = error instanceof ZoneError ? error.status : 500;
  const code = error instanceof ZoneError ? error.code : 10000;
  send(response, status, envelopeOf(code, error instanceof Error ? error.message : String(error)));
}

function envelopeOf(code: number, message: string): unknown {
  return { success: false, errors: [{ code, message }], messages: [], result: null };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
