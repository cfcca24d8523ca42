import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KafkaEndpoint, KafkaSasl, KafkaTls } from '../../regions/kafka/kafka-security.ts';
import { type Certificate, makeCertificate } from './certificates.ts';
import { freePort, startTestBroker, type TestBroker } from './kafka-broker.ts';

/** A broker with a second listener: TLS, a login, and nothing allowed to whom no ACL allows it. */
export interface SecureBroker {
  /** The first listener, without any security; there everybody is a super user. */
  readonly broker: TestBroker;
  readonly secureAddress: string;
  /** The authority that signed the broker's certificate; it signs those of clients as well. */
  readonly ca: Certificate;
  /** How a user of `users` reaches the secure listener. */
  endpoint(
    region: string,
    user: string,
    options?: { readonly mechanism?: KafkaSasl['mechanism']; readonly tls?: Partial<KafkaTls> },
  ): KafkaEndpoint;
}

export interface SecureBrokerOptions {
  /** Their password is `<name>-password`. */
  readonly users: readonly string[];
  /** Sessions on the secure listener end after this. */
  readonly reauthMs?: number;
  /** Client certificates: the listener is `SSL` then, without a login. */
  readonly clientCertificates?: boolean;
  readonly expired?: boolean;
}

const mechanisms = ['SCRAM-SHA-512', 'SCRAM-SHA-256'] as const;

/** Starts one; stop it by `broker.stop()`. */
export async function startSecureBroker(options: SecureBrokerOptions): Promise<SecureBroker> {
  const { users, reauthMs, clientCertificates = false, expired = false } = options;
  const ca = makeCertificate('argus test authority');
  const own = makeCertificate('broker', {
    signedBy: ca,
    names: ['127.0.0.1', 'broker.test'],
    ...(expired && { notAfter: new Date(Date.now() - 86_400_000) }),
  });
  const port = await freePort();
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const plain = users.map((u) => `user_${u}="${u}-password"`).join(' ');
  const broker = await startTestBroker(
    {},
    {
      secure: async (dir) => {
        await writeFile(join(dir, 'broker.pem'), own.key + own.cert);
        await writeFile(join(dir, 'ca.pem'), ca.cert);
        return {
          port,
          format: users.flatMap((u) =>
            mechanisms.flatMap((m) => ['--add-scram', `${m}=[name=${u},password=${u}-password]`]),
          ),
          settings: {
            'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:${clientCertificates ? 'SSL' : 'SASL_SSL'}`,
            'ssl.keystore.type': 'PEM',
            'ssl.keystore.location': join(dir, 'broker.pem'),
            'ssl.truststore.type': 'PEM',
            'ssl.truststore.location': join(dir, 'ca.pem'),
            ...(clientCertificates && { 'listener.name.secure.ssl.client.auth': 'required' }),
            'listener.name.secure.sasl.enabled.mechanisms': [...mechanisms, 'PLAIN'].join(','),
            'listener.name.secure.scram-sha-512.sasl.jaas.config': scram,
            'listener.name.secure.scram-sha-256.sasl.jaas.config': scram,
            'listener.name.secure.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain};`,
            ...(reauthMs !== undefined && { 'connections.max.reauth.ms': `${reauthMs}` }),
            'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
            'super.users': 'User:ANONYMOUS',
          },
        };
      },
    },
  );
  const secureAddress = `127.0.0.1:${port}`;
  return {
    broker,
    secureAddress,
    ca,
    endpoint: (name, user, { mechanism = 'SCRAM-SHA-512', tls = {} } = {}) => ({
      name,
      bootstrap: [secureAddress],
      security: {
        tls: { ca: ca.cert, ...tls },
        ...(!clientCertificates && { sasl: { mechanism, username: user, password: `${user}-password` } }),
      },
    }),
  };
}
