import { randomBytes } from 'node:crypto';
import { ArgusError } from '../../domain/errors.ts';
import { errorName } from './error-codes.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import type { KafkaSasl } from './kafka-security.ts';
import { scramClient } from './sasl-scram.ts';
import { WireReader, WireWriter } from './wire.ts';

/** A broker's answer to one message of an authentication. */
export interface SaslAnswer {
  readonly bytes: Buffer;
  /** How long the session lasts after the last message; 0 is for ever. Source: KIP-368. */
  readonly sessionLifetimeMs: number;
}

/** Runs a mechanism over `exchange`, which carries one message each way; gives the session's lifetime. */
export async function authenticateBy(
  { mechanism, username, password }: KafkaSasl,
  exchange: (message: Buffer) => Promise<SaslAnswer>,
): Promise<number> {
  // Source: RFC 4616.
  if (mechanism === 'PLAIN') return (await exchange(Buffer.from(`\0${username}\0${password}`))).sessionLifetimeMs;
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
  const scram = scramClient({ hash, username, password, nonce: randomBytes(18).toString('base64url') });
  const { bytes } = await exchange(scram.first);
  const last = await exchange(await scram.final(bytes));
  scram.verify(last.bytes);
  return last.sessionLifetimeMs;
}

/** Authenticates over `send` with the protocol's own frames. A refusal is `KafkaDenied`, exit code 2. */
export async function authenticate(
  broker: string,
  sasl: KafkaSasl,
  send: <T>(request: KafkaRequest<T>) => Promise<T>,
): Promise<number> {
  const { errorCode, mechanisms } = await send(saslHandshakeRequest(sasl.mechanism));
  if (errorCode !== 0) throw mechanismRefused(broker, sasl, errorCode, mechanisms);
  return authenticateBy(sasl, async (message) => {
    const answer = await send(saslAuthenticateRequest(message));
    if (answer.errorCode !== 0) throw loginRefused(broker, sasl, answer.errorCode, answer.errorMessage);
    return answer;
  });
}

/** Told apart from a missing right: there is nobody whose rights could be looked at. */
export function loginRefused(broker: string, sasl: KafkaSasl, code: number, detail: string | null): ArgusError {
  const text = detail ? `: ${detail}` : '';
  return new ArgusError(
    'KafkaDenied',
    `${broker} refused the login of ${sasl.username} by ${sasl.mechanism}: ${errorName(code)}${text}`,
    { exitCode: 2, hint: 'check sasl.username and the secret behind sasl.password of this region' },
  );
}

function mechanismRefused(broker: string, sasl: KafkaSasl, code: number, offered: readonly string[]): ArgusError {
  const message =
    code === 33
      ? `${broker} does not offer ${sasl.mechanism}; it offers ${offered.join(', ') || 'none'}`
      : `${broker} refused to begin a login by ${sasl.mechanism}: ${errorName(code)}`;
  const hint =
    code === 33
      ? 'set sasl.mechanism of this region to one of those'
      : 'this listener may want no login: take `sasl` out of this region, or use the port of a listener with SASL';
  return new ArgusError('KafkaDenied', message, { exitCode: 2, hint });
}

/**
 * SaslHandshake (key 17), version 1.
 *
 *     request: mechanism string
 *     response: error i16 | [mechanism string]
 *
 * Source: Kafka protocol guide; KIP-152.
 */
function saslHandshakeRequest(
  mechanism: string,
): KafkaRequest<{ readonly errorCode: number; readonly mechanisms: readonly string[] }> {
  return {
    name: 'SaslHandshake',
    apiKey: 17,
    apiVersion: 1,
    body: new WireWriter().string(mechanism),
    read: (bytes) => {
      const reader = new WireReader(bytes);
      return { errorCode: reader.int16(), mechanisms: reader.array(() => reader.string()) };
    },
  };
}

/**
 * SaslAuthenticate (key 36), version 1: the first that tells the session's lifetime.
 *
 *     request: auth bytes
 *     response: error i16 | message string? | auth bytes | lifetimeMs i64
 *
 * Source: Kafka protocol guide; KIP-368.
 */
function saslAuthenticateRequest(
  message: Buffer,
): KafkaRequest<SaslAnswer & { readonly errorCode: number; readonly errorMessage: string | null }> {
  return {
    name: 'SaslAuthenticate',
    apiKey: 36,
    apiVersion: 1,
    body: new WireWriter().bytes(message),
    read: (bytes) => {
      const reader = new WireReader(bytes);
      const [errorCode, errorMessage] = [reader.int16(), reader.nullableString()];
      return { errorCode, errorMessage, bytes: reader.bytes(), sessionLifetimeMs: Number(reader.int64()) };
    },
  };
}
