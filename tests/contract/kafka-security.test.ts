import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArgusError } from '../../domain/errors.ts';
import { KafkaCluster, parseAddress } from '../../regions/kafka/kafka-cluster.ts';
import { KafkaConnection } from '../../regions/kafka/kafka-connection.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { metadataRequest } from '../../regions/kafka/metadata.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { makeCertificate } from '../support/certificates.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';

const sessionMs = 2_500;
let secure: SecureBroker;
let mutual: SecureBroker;
let expired: SecureBroker;

beforeAll(async () => {
  secure = await startSecureBroker({ users: ['alice'], reauthMs: sessionMs });
  mutual = await startSecureBroker({ users: [], clientCertificates: true });
  expired = await startSecureBroker({ users: ['alice'], expired: true });
});
afterAll(() => Promise.all([secure, mutual, expired].map((b) => b?.broker.stop())));

/** Both ways into a cluster: the raw connections and the admin. */
const ways = {
  raw: async (endpoint: KafkaEndpoint) => {
    const cluster = new KafkaCluster({ ...endpoint, clientId: 't', connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 });
    try {
      await cluster.refresh([]);
    } finally {
      cluster.close();
    }
  },
  admin: async ({ name, bootstrap, security }: KafkaEndpoint) => {
    const admin = new PlatformaticAdmin({ region: name, bootstrap, security });
    try {
      await admin.describeTopics();
    } finally {
      await admin.close();
    }
  },
};

const failureOf = (outcome: Promise<void>) =>
  outcome.then(
    () => undefined,
    (error: unknown) => error as ArgusError,
  );

describe.each(Object.entries(ways))('a secured broker, by the %s way', (_way, enter) => {
  test.each(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] as const)(
    'lets in a user who logs in by %s',
    async (mechanism) => {
      await enter(secure.endpoint('mumbai', 'alice', { mechanism }));
    },
  );

  test('lets in a client with a certificate that it trusts', async () => {
    const client = makeCertificate('mirror', { signedBy: mutual.ca });
    await enter(mutual.endpoint('mumbai', '', { tls: { cert: client.cert, key: client.key } }));
  });

  test('is known by another name than its address when one is set', async () => {
    await enter(secure.endpoint('mumbai', 'alice', { tls: { servername: 'broker.test' } }));
  });

  test.each<[string, () => KafkaEndpoint, string, RegExp, RegExp]>([
    [
      'a wrong password',
      () => withSecurity(secure.endpoint('mumbai', 'alice'), 'sasl', { password: 'guessed' }),
      'KafkaDenied',
      /refused the login of alice by SCRAM-SHA-512: .*SASL_AUTHENTICATION_FAILED/,
      /sasl.password/,
    ],
    [
      'an unknown user',
      () => secure.endpoint('mumbai', 'mallory'),
      'KafkaDenied',
      /the login of mallory/,
      /sasl.username/,
    ],
    [
      'a certificate of an unknown authority',
      () => withSecurity(secure.endpoint('mumbai', 'alice'), 'tls', { ca: undefined }),
      'KafkaTls',
      /certificate is not trusted/,
      /tls\.ca/,
    ],
    [
      'a certificate for another name',
      () => secure.endpoint('mumbai', 'alice', { tls: { servername: 'elsewhere.test' } }),
      'KafkaTls',
      /for another name/,
      /tls\.servername/,
    ],
    ['an expired certificate', () => expired.endpoint('mumbai', 'alice'), 'KafkaTls', /has expired/, /renew/],
    [
      'a client without TLS',
      () => ({ name: 'mumbai', bootstrap: [secure.secureAddress] }),
      'KafkaTls',
      /requires TLS/,
      /set `tls`/,
    ],
    [
      'a client with TLS and without a login',
      () => withSecurity(secure.endpoint('mumbai', 'alice'), 'sasl', undefined),
      'KafkaUnreachable',
      /mumbai/,
      /set `sasl`/,
    ],
    [
      'a client without a certificate where one is required',
      () => mutual.endpoint('mumbai', ''),
      'KafkaTls',
      /refused this client's certificate/,
      /tls\.cert/,
    ],
    [
      'TLS where none is spoken',
      () => ({ ...secure.endpoint('mumbai', 'alice'), bootstrap: [secure.broker.address] }),
      'KafkaUnreachable',
      /mumbai/,
      /take `tls` out/,
    ],
    [
      'a login where none is wanted',
      () =>
        withSecurity({ ...secure.endpoint('mumbai', 'alice'), bootstrap: [secure.broker.address] }, 'tls', undefined),
      'KafkaDenied',
      /login by SCRAM-SHA-512/,
      /take `sasl` out/,
    ],
  ])('is told apart: %s', async (_what, endpoint, code, message, hint) => {
    const error = await failureOf(enter(endpoint()));
    expect(error).toBeInstanceOf(ArgusError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.stringMatching(hint) });
    expect(error?.exitCode).toBe(code === 'KafkaUnreachable' ? 1 : 2);
    expect(JSON.stringify([error?.message, error?.hint])).not.toMatch(/-password|guessed/);
  });
});

test.each(['SCRAM-SHA-512', 'PLAIN'] as const)(
  'a connection renews its login by %s before the session ends, in the midst of its requests',
  async (mechanism) => {
    const endpoint = secure.endpoint('mumbai', 'alice', { mechanism });
    const { security } = endpoint;
    const options = { region: 'mumbai', clientId: 't', connectTimeoutMs: 5_000, security };
    const connection = await KafkaConnection.open(parseAddress(secure.secureAddress), options);
    const until = performance.now() + sessionMs * 3;
    const answered: number[] = [];
    let asked = 0;
    // A broker closes a connection on whatever is asked after the session's end: without a renewal these would fail.
    const lanes = Array.from({ length: 8 }, async () => {
      while (performance.now() < until) {
        const turn = asked++;
        await connection.send(metadataRequest([]), { timeoutMs: 5_000 });
        answered.push(turn);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    });
    await Promise.all(lanes);
    connection.close();
    expect(answered).toEqual(Array.from({ length: asked }, (_, i) => i));
  },
);

/** The endpoint with some of its TLS or login settings changed; without them when `change` is undefined. */
function withSecurity(endpoint: KafkaEndpoint, part: 'tls' | 'sasl', change: object | undefined): KafkaEndpoint {
  const before = endpoint.security?.[part];
  const after = change && before ? { ...before, ...change } : undefined;
  return { ...endpoint, security: { ...endpoint.security, [part]: after } };
}
