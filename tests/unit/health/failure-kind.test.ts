import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { ArgusError } from '../../../domain/errors.ts';
import { type FailureKind, failureKind } from '../../../health/failure-kind.ts';
import { probe } from '../../../health/probe.ts';
import { nodeResolver } from '../../../regions/dns/node-resolver.ts';
import { flinkRestJobs } from '../../../regions/flink/flink-rest-jobs.ts';
import { KafkaCluster } from '../../../regions/kafka/kafka-cluster.ts';
import { PlatformaticAdmin } from '../../../regions/kafka/platformatic-admin.ts';
import { s3ObjectStore } from '../../../regions/objects/s3-object-store.ts';

const coded = (code: string, extra: object = {}) => Object.assign(new Error('words'), { code, ...extra });

describe('what a failure shows of the other side', () => {
  const kinds: readonly (readonly [string, FailureKind])[] = [
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'HPE_INVALID_CONSTANT', 'ESERVFAIL', 'EREFUSED'].map(
      (code) => [code, 'failed'] as const,
    ),
    ...['ERR_SSL_WRONG_VERSION_NUMBER', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'].map(
      (code) => [code, 'failed'] as const,
    ),
    ...[
      'ETIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'EAI_AGAIN',
      'ENOTFOUND',
      'ETIMEOUT',
      'EMFILE',
      'EADDRNOTAVAIL',
    ].map((code) => [code, 'unknown'] as const),
    ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'ERR_TLS_HANDSHAKE_TIMEOUT', 'SOMETHING_NEW'].map(
      (code) => [code, 'unknown'] as const,
    ),
  ];
  test.each(kinds)('%s is %s, however deep clients have wrapped it', (code, kind) => {
    const inner = coded(code);
    expect(failureKind(inner)).toBe(kind);
    expect(failureKind(new TypeError('fetch failed', { cause: inner }))).toBe(kind);
    expect(failureKind(new AggregateError([inner]))).toBe(kind);
    const wrapped = new ArgusError('FlinkUnreachable', 'x', { cause: new TypeError('fetch failed', { cause: inner }) });
    expect(failureKind(wrapped)).toBe(kind);
  });

  test('a deadline is unknown, an answer that is wrong is failed, a bug of our own is no failure of theirs', () => {
    expect(failureKind(new DOMException('late', 'TimeoutError'))).toBe('unknown');
    expect(failureKind(new ArgusError('FlinkRefused', 'answered 500'))).toBe('failed');
    expect(failureKind(new ArgusError('KafkaUnreachable', 'no cause is known'))).toBe('unknown');
    expect(failureKind(new ArgusError('KafkaUnreachable', 'hung up', { heard: true }))).toBe('failed');
    expect(failureKind(new ArgusError('KafkaUnreachable', 'silent', { heard: false }))).toBe('unknown');
    expect(failureKind(new TypeError('x is not a function'))).toBe('unknown');
    expect(failureKind(undefined)).toBe('unknown');
  });

  test('one address that refused counts beside one without a route', () => {
    expect(failureKind(new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')]))).toBe('failed');
    expect(failureKind(new AggregateError([coded('ENETUNREACH'), coded('ETIMEDOUT')]))).toBe('unknown');
  });

  test('anything can be asked about, also what refers to itself', () => {
    fc.assert(fc.property(fc.anything(), (thing) => ['failed', 'unknown'].includes(failureKind(thing))));
    const loop = coded('SOMETHING_NEW');
    Object.assign(loop, { cause: loop });
    expect(failureKind(loop)).toBe('unknown');
  });
});

describe('each client, at a server that', () => {
  const servers: Server[] = [];
  const ports: Record<string, number> = {};
  const listen = (name: string, server: Server) =>
    new Promise<void>((resolve) => {
      servers.push(server);
      server.on('connection', (socket) => socket.on('error', () => undefined));
      server.listen(0, '127.0.0.1', () => {
        ports[name] = (server.address() as { port: number }).port;
        resolve();
      });
    });
  beforeAll(async () => {
    await listen('is silent', createServer());
    await listen(
      'hangs up',
      createServer((socket) => void socket.once('data', () => socket.destroy())),
    );
    await listen(
      'resets',
      createServer((socket) => void socket.once('data', () => socket.resetAndDestroy())),
    );
    const other = createServer((socket) => void socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    await listen('speaks something else', other);
    const gone = createServer();
    await listen('is not there', gone);
    await new Promise((resolve) => gone.close(resolve));
  });
  afterAll(() => {
    for (const server of servers) server.close();
  });

  const at = (server: string) => `127.0.0.1:${ports[server]}`;
  const timeouts = { connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  type Look = (server: string, signal: AbortSignal) => Promise<unknown>;
  const clients: Readonly<Record<string, Look>> = {
    'Kafka, own framing': (server, signal) =>
      new KafkaCluster({ name: 'mumbai', bootstrap: [at(server)], clientId: 'test', ...timeouts }).refresh([], signal),
    'Kafka, admin': async (server, signal) => {
      const admin = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [at(server)] });
      return admin.describeTopics(undefined, { signal }).finally(() => admin.close());
    },
    Flink: (server, signal) => flinkRestJobs({ region: 'mumbai', url: `http://${at(server)}` }).list({ signal }),
    'S3, data path': (server, signal) => store(server).get('key', { signal }),
    'S3, list': (server, signal) => store(server).list('key', { signal }),
  };
  const store = (server: string) =>
    s3ObjectStore({
      endpoint: `http://${at(server)}`,
      region: 'auto',
      bucket: 'bucket',
      accessKeyId: 'k',
      secretAccessKey: 's',
      pathStyle: true,
    });
  const expected: Readonly<Record<string, FailureKind>> = {
    'is not there': 'failed',
    'hangs up': 'failed',
    resets: 'failed',
    'speaks something else': 'failed',
    'is silent': 'unknown',
  };
  const cases = Object.keys(clients).flatMap((client) => Object.entries(expected).map((e) => [client, ...e] as const));
  test.concurrent.each(cases)('%s: %s: %s', async (client, server, kind) => {
    const look = clients[client] as Look;
    const seen = await probe(({ signal }) => look(server, signal), { clock: wallClock, deadlineMs: 1_500 });
    expect(seen).toMatchObject({ status: kind });
  });

  test('DNS: a server that is not there, or silent, is unknown: packets have no refusal', async () => {
    const seen = await probe(({ signal }) => nodeResolver(at('is silent')).resolve('a.test', 'A', { signal }), {
      clock: wallClock,
      deadlineMs: 300,
    });
    expect(['unknown', 'failed']).toContain(seen.status);
  });
});
