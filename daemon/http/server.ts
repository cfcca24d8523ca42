import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ArgusError } from '../../domain/errors.ts';
import { type AccessSettings, refusal } from './access.ts';
import { openApiRoute } from './openapi.ts';
import { type Problem, problemBody } from './problem.ts';
import { type Answer, type Asked, jsonType, type Route } from './route.ts';
import { wrongTokens } from './wrong-tokens.ts';

/** Files read, secrets resolved. */
export interface HttpSettings {
  readonly access: AccessSettings;
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

export interface ListenOptions extends HttpSettings {
  readonly host: string;
  readonly port: number;
}

const bodyBytes = 1024 * 1024;
const headerBytes = 16 * 1024;
const requestMs = 10_000;
/** Readers that keep their connection, some more that come and go, and nothing beyond that memory has to bear. */
const connections = 4_000;

/** No script, style or picture but the daemon's own; nobody frames the page. Source: CSP level 3, fetch metadata's neighbours. */
const guardHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** Serves the routes, and the document that describes them. Resolves when it listens; `ListenFailed` (exit code 2) when it can't. */
export async function serveRoutes(
  routes: readonly Route[],
  options: ListenOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = newServer(options);
  const guesses = wrongTokens();
  const all = [...routes, openApiRoute(routes)];
  for (const route of all) register(app, route, options.access, guesses);
  const methods = new Map<string, string[]>();
  for (const { path, method } of all) {
    const allowed = method === 'GET' ? ['GET', 'HEAD'] : [method];
    methods.set(path, [...(methods.get(path) ?? []), ...allowed]);
  }
  app.setNotFoundHandler((request, reply) => {
    const allow = [...methods].find(([path]) => matches(path, request.url))?.[1];
    if (allow === undefined) return refuse(reply, { status: 404, code: 'NotFound', message: 'there is no such page' });
    reply.header('allow', allow.join(', '));
    return refuse(reply, { status: 405, code: 'MethodNotAllowed', message: `${request.method} is not served here` });
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => refuse(reply, problemOf(error)));
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (cause) {
    await app.close();
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ArgusError('ListenFailed', `the daemon can't listen on ${options.host}:${options.port} (${code})`, {
      cause,
      exitCode: 2,
      hint: 'change daemon.host or daemon.port; does another daemon run already?',
    });
  }
  // A connection that can't be accepted (no file descriptors left) must not end the daemon.
  app.server.on('error', () => undefined);
  const { port } = app.server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls ? 'https' : 'http'}://${host}:${port}`,
    async close() {
      await app.close();
    },
  };
}

function newServer({ tls }: HttpSettings): FastifyInstance {
  const server = { maxHeaderSize: headerBytes, headersTimeout: requestMs, keepAliveTimeout: 65_000 };
  const settings = {
    logger: false,
    bodyLimit: bodyBytes,
    requestTimeout: requestMs,
    forceCloseConnections: true,
  } as const;
  const app = tls
    ? (fastify({
        ...settings,
        https: {
          ...server,
          cert: tls.cert,
          key: tls.key,
          minVersion: 'TLSv1.2',
          handshakeTimeout: requestMs,
          // A certificate is asked for; whether one is needed depends on the endpoint.
          ...(tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: false }),
        },
      }) as unknown as FastifyInstance)
    : fastify({ ...settings, http: server });
  app.server.maxConnections = connections;
  // Also what a page of another site can send without asking first.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(guardHeaders);
  });
  return app;
}

function register(
  app: FastifyInstance,
  route: Route,
  access: AccessSettings,
  guesses: ReturnType<typeof wrongTokens>,
): void {
  app.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    async onRequest(request, reply) {
      const shown = request.headers.authorization;
      const barredMs =
        route.access === 'open' || shown === undefined ? 0 : guesses.barredMs(request.ip, performance.now());
      if (barredMs > 0) {
        reply.header('retry-after', Math.ceil(barredMs / 1_000));
        return refuse(reply, {
          status: 429,
          code: 'TooManyTries',
          message: 'too many wrong tokens came from this address',
        });
      }
      const problem = refusal(access, route.access, credentialsOf(request));
      if (problem === undefined) return;
      if (problem.status === 401) {
        if (shown !== undefined) guesses.note(request.ip, performance.now());
        // Only reading is offered to a browser's own question for a password.
        reply.header('www-authenticate', route.access === 'read' ? 'Basic realm="argus", Bearer' : 'Bearer');
      }
      return refuse(reply, problem);
    },
    async handler(request, reply) {
      const body = route.body?.safeParse(request.body);
      if (body && !body.success) {
        const [issue] = body.error.issues;
        const where = issue?.path.map(String).join('.') ?? '';
        const message = `the body is not what is expected here: ${where ? `${where}: ` : ''}${issue?.message}`;
        return refuse(reply, { status: 400, code: 'BadRequest', message });
      }
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const answer = await route.handle({
        params: (request.params ?? {}) as Asked['params'],
        query: (request.query ?? {}) as Asked['query'],
        body: body?.data,
        etag: request.headers['if-none-match'],
        signal: AbortSignal.any([gone.signal, AbortSignal.timeout(requestMs)]),
      });
      return send(reply, answer, request);
    },
  });
}

function send(reply: FastifyReply, answer: Answer, request: FastifyRequest): FastifyReply {
  if ('stream' in answer) {
    reply.hijack();
    const raw = reply.raw;
    const headers = { ...guardHeaders, 'content-type': answer.type, 'cache-control': 'no-store' };
    raw.writeHead(200, { ...headers, 'x-accel-buffering': 'no' });
    // HEAD asks for the headers alone.
    if (request.method === 'HEAD') {
      raw.end();
      return reply;
    }
    raw.flushHeaders();
    raw.on('error', () => undefined);
    const left = answer.stream({
      get waitingBytes() {
        return raw.writableLength;
      },
      write: (text) => void raw.write(text),
      end: () => void raw.destroy(),
    });
    raw.once('close', left);
    return reply;
  }
  reply.headers({ 'cache-control': answer.etag === undefined ? 'no-store' : 'no-cache', ...answer.headers });
  if (answer.etag !== undefined) {
    reply.header('etag', answer.etag);
    if (request.headers['if-none-match'] === answer.etag) return reply.code(304).send();
  }
  return reply.code(answer.status).type(answer.type).send(answer.body);
}

function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).header('cache-control', 'no-store').type(jsonType).send(problemBody(problem));
}

function credentialsOf(request: FastifyRequest) {
  const { authorization, origin, host } = request.headers;
  const socket = request.raw.socket as Partial<TLSSocket>;
  const name = socket.authorized === true ? socket.getPeerCertificate?.()?.subject?.CN : undefined;
  const certificate = Array.isArray(name) ? name[0] : name;
  return { authorization, origin, host, ...(certificate === undefined ? {} : { certificate }) };
}

/** What fastify says of a request that it does not take; anything else is the daemon's own failure, and says nothing. */
function problemOf(error: FastifyError): Problem {
  const status = error.statusCode ?? 500;
  switch (status) {
    case 400:
      return { status, code: 'BadRequest', message: 'the body is no JSON, or its length is not what was announced' };
    case 413:
      return { status, code: 'TooLarge', message: `a body may have ${bodyBytes} bytes` };
    case 415:
      return { status, code: 'UnsupportedMediaType', message: 'send application/json' };
    default:
      return status < 500
        ? { status, code: 'BadRequest', message: 'this request is not served' }
        : { status: 500, code: 'Failed', message: 'the daemon could not answer this; its log says why' };
  }
}

function matches(path: string, url: string): boolean {
  const asked = (url.split('?')[0] ?? '').split('/');
  const parts = path.split('/');
  return parts.length === asked.length && parts.every((part, i) => part.startsWith('{') || part === asked[i]);
}
