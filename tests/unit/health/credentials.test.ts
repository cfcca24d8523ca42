import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { credentialsOf } from '../../../health/credentials.ts';
import { judgeExpiry, probeExpiry } from '../../../health/probes/expiry.ts';
import { certificateEnd, serverCertificateEnd, serverCertificateNames } from '../../../regions/certificate-ends.ts';
import { makeCertificate } from '../../support/certificates.ts';

const dayMs = 86_400_000;
const warnMs = 14 * dayMs;

describe('what ends one day', () => {
  const nowMs = Date.UTC(2026, 10, 21);
  test.each([
    ['is well without an end', undefined, undefined],
    ['is well a month before', nowMs + 30 * dayMs, undefined],
    ['is told two weeks before', nowMs + 14 * dayMs, 'Expiring'],
    ['has ended at that very instant', nowMs, 'Expired'],
  ])('%s', (_name, end, code) => expect(judgeExpiry('token', end, { nowMs, warnMs })?.code).toBe(code));
  test('in days, and in hours when it comes close', () => {
    expect(judgeExpiry('token', nowMs + 3 * dayMs, { nowMs, warnMs })?.message).toMatch(/in 3 days$/);
    expect(judgeExpiry('token', nowMs + dayMs, { nowMs, warnMs })?.message).toMatch(/in 24 h$/);
  });
});

describe('a server with TLS', () => {
  const soon = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3 * dayMs);
  const past = new Date(Math.floor(Date.now() / 1_000) * 1_000 - dayMs);
  const names = ['127.0.0.1', 'Kafka.example', '*.brokers.example'];
  const servers = [soon, past].map((notAfter) => createServer(makeCertificate('server', { notAfter, names })));
  const ports: number[] = [];
  beforeAll(async () => {
    for (const server of servers) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      ports.push((server.address() as { port: number }).port);
    }
  });
  afterAll(() => {
    for (const server of servers) server.close();
  });
  const at = (i: number) => ({ host: '127.0.0.1', port: ports[i] as number });
  const options = { clock: wallClock, deadlineMs: 3_000 };

  test('shows until when its certificate is good, trusted or not, also when that is over', async () => {
    const signal = AbortSignal.timeout(5_000);
    expect(await serverCertificateEnd(at(0), { signal })).toBe(soon.getTime());
    expect(await serverCertificateEnd(at(1), { signal })).toBe(past.getTime());
    expect(certificateEnd(makeCertificate('x', { notAfter: soon }).cert)).toBe(soon.getTime());
  });

  test('shows the names for which its certificate is good', async () => {
    const signal = AbortSignal.timeout(5_000);
    expect(await serverCertificateNames(at(1), { signal })).toEqual(['kafka.example', '*.brokers.example']);
  });

  test('is told as it should be; one that is not there is unknown, since another probe tells that', async () => {
    const look = (i: number) =>
      probeExpiry(
        { what: 'certificate of x', end: (call) => serverCertificateEnd(at(i), call) },
        { nowMs: Date.now(), warnMs },
        options,
      );
    expect(await look(0)).toMatchObject({ status: 'failed', code: 'Expiring', endsAtMs: soon.getTime() });
    expect(await look(1)).toMatchObject({ status: 'failed', code: 'Expired' });
    const nobody = {
      what: 'certificate of x',
      end: (call: { signal: AbortSignal }) => serverCertificateEnd({ host: '127.0.0.1', port: 1 }, call),
    };
    expect(await probeExpiry(nobody, { nowMs: 0, warnMs }, options)).toMatchObject({ status: 'unknown' });
  });
});

test('every server with TLS, every certificate of our own and the token are looked at, each once', () => {
  const objects = { endpoint: 'https://store.test' };
  const config = {
    regions: {
      mumbai: { objects, flink: { rest: 'http://flink' } },
      singapore: { objects, flink: { rest: 'https://flink:8443' } },
    },
    probes: { ingress: { mumbai: 'https://ingest.test/healthz' } },
    state: { endpoint: 'https://state.test' },
  } as unknown as Parameters<typeof credentialsOf>[0];
  const pem = makeCertificate('client').cert;
  const tls = { ca: pem, cert: pem, key: 'secret' };
  const brokers = { name: 'mumbai', bootstrap: ['a:1', 'b:2'], security: { tls } };
  const plain = { name: 'singapore', bootstrap: ['c:3'] };
  const regions = [brokers, plain].map((b) => ({ name: b.name, brokers: b }));
  const found = credentialsOf(config, regions, { provider: { facts: async () => ({}) } } as never).map((c) => c.what);
  expect(found).toEqual([
    'certificate of https://store.test',
    'certificate of https://flink:8443',
    'certificate of https://ingest.test',
    'certificate of https://state.test',
    'certificate of Kafka of mumbai (a:1)',
    'certificate of Kafka of mumbai (b:2)',
    'client certificate for Kafka of mumbai',
    'authority that Kafka of mumbai is trusted by',
    'token of the DNS provider',
  ]);
});
