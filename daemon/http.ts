import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ArgusError } from '../domain/errors.ts';

/** What the daemon's pages are made from, asked at each request. */
export interface Pages {
  /** Prometheus' text format. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** `ok: false` answers 503. */
  health(): { readonly ok: boolean } & Readonly<Record<string, unknown>>;
}

/** Serves /metrics and /healthz. Resolves when it listens; `ListenFailed` (exit code 2) when it can't. */
export async function servePages(
  pages: Pages,
  options: { readonly host: string; readonly port: number },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (path === '/metrics') {
      try {
        const { contentType, body } = await pages.metrics();
        response.writeHead(200, { 'content-type': contentType }).end(body);
      } catch {
        response.writeHead(500).end();
      }
    } else if (path === '/healthz') {
      const health = pages.health();
      response.writeHead(health.ok ? 200 : 503, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(health)}\n`);
    } else response.writeHead(404).end();
  });
  server.requestTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new ArgusError('ListenFailed', `the daemon can't listen on ${options.host}:${options.port} (${cause.code})`, {
          cause,
          exitCode: 2,
          hint: 'change daemon.host or daemon.port; does another daemon run already?',
        }),
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
  // A connection that can't be accepted (no file descriptors left) must not end the daemon.
  server.on('error', () => undefined);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
