import { ArgusError } from '../../domain/errors.ts';
import { missingRight, missingRightHint, type Subject } from './access.ts';
import { errorName, isDenied, isTransient } from './error-codes.ts';
import type { TopicDescription } from './kafka-admin.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import { loginRefused } from './sasl.ts';
import { reachHint, readTlsFailure, tlsRequired, unreachable } from './transport-errors.ts';

/** What a failure of the library means for the caller. */
export interface AdminFailure {
  readonly error: ArgusError;
  /** The connections can't be trusted any more. */
  readonly connectionLost: boolean;
  /** The broker asks to be asked again: a coordinator that loads, a leader that moves. */
  readonly transient: boolean;
}

/** Where the call went. */
interface Asked {
  readonly region: string;
  readonly bootstrap: readonly string[];
  readonly security?: KafkaSecurity | undefined;
}

const groupHasMembers = [22, 25, 27, 82, 110, 113];
/** UNSUPPORTED_SASL_MECHANISM, SASL_AUTHENTICATION_FAILED. */
const loginCodes = [33, 58];

/**
 * Finds the protocol's error code inside the library's nested errors and turns it into an error of ours. Without a
 * code it is trouble with the connection, which the library reports under several names.
 */
export function readAdminFailure(cause: unknown, asked: Asked, call: string, subject: Subject = {}): AdminFailure {
  const { region, bootstrap, security } = asked;
  const brokers = bootstrap.join(',');
  if (cause instanceof ArgusError) {
    return { error: cause, connectionLost: cause.code === 'KafkaUnreachable', transient: cause.retryable };
  }
  const inner = flatten(cause);
  const answered = inner.find((e) => typeof e.apiCode === 'number' && e.apiCode !== 0);
  const where = `${region}: ${call} at ${brokers}`;
  const unusable = transportFailure(inner, `${region}'s Kafka at ${brokers}`, security);
  if (unusable) return { error: unusable, connectionLost: true, transient: false };
  if (answered) {
    const code = answered.apiCode as number;
    const text = typeof answered.serverErrorMessage === 'string' ? `: ${answered.serverErrorMessage}` : '';
    const right = isDenied(code) ? missingRight(call, code, subject) : undefined;
    const message = `${where} answered ${errorName(code)}${right ? `; ${right}` : text || `: ${String(answered.message)}`}`;
    return {
      error: new ArgusError(errorCodeOf(code), message, {
        cause,
        retryable: isTransient(code),
        ...(isDenied(code) && { hint: missingRightHint }),
        ...(groupHasMembers.includes(code) && { hint: 'stop the consumers of this group on that region first' }),
      }),
      // ILLEGAL_SASL_STATE: a login was tried, or left out, where the listener wants the other.
      connectionLost: code === 34,
      transient: isTransient(code),
    };
  }
  const refusedByClient = inner.find(
    (e) => e.code === 'PLT_KFK_USER' && e.closed !== true && !String(e.message).includes('TLS'),
  );
  if (refusedByClient) {
    const error = new ArgusError('KafkaFailed', `${where} failed: ${String(refusedByClient.message)}`, { cause });
    return { error, connectionLost: false, transient: false };
  }
  const last = inner.at(-1);
  const text = `${where} got no answer${last ? `: ${String(last.message)}` : ''}`;
  const error = unreachable(text, cause, reachHint, heardOf(last));
  return { error, connectionLost: true, transient: false };
}

/** The library tells a broker that hung up and its own time-outs by the same code. */
function heardOf(last: Record<string, unknown> | undefined): boolean | undefined {
  if (last?.code !== 'PLT_KFK_NETWORK') return undefined;
  return last.constructor.name !== 'TimeoutError';
}

/** What an operator has to change before any call can succeed: TLS or the login. */
function transportFailure(
  inner: readonly Record<string, unknown>[],
  broker: string,
  security: KafkaSecurity | undefined,
): ArgusError | undefined {
  const own = inner.find((e) => e instanceof ArgusError);
  if (own instanceof ArgusError) return own;
  if (inner.some((e) => e.message === 'Broker requires TLS.')) return tlsRequired(broker);
  const login = inner.find((e) => loginCodes.includes(e.apiCode as number));
  if (login && security?.sasl) {
    const text = typeof login.serverErrorMessage === 'string' ? login.serverErrorMessage : null;
    return loginRefused(broker, security.sasl, login.apiCode as number, text);
  }
  for (const e of security?.tls ? inner : []) {
    const failure = readTlsFailure(broker, e);
    if (failure) return failure;
  }
  return undefined;
}

function errorCodeOf(code: number): string {
  if (groupHasMembers.includes(code)) return 'GroupActive';
  return isDenied(code) ? 'KafkaDenied' : 'KafkaFailed';
}

/** LEADER_NOT_AVAILABLE, REPLICA_NOT_AVAILABLE. */
const leaderCodes: readonly unknown[] = [0, 5, 9];

/**
 * The topics in an answer that the library throws away because a partition of one has no leader now, which says nothing
 * of the others. Any other failure is thrown on.
 */
export function topicsDespiteLeaders(cause: unknown): readonly TopicDescription[] {
  const answer = flatten(cause).find((e) => Array.isArray((e.response as { topics?: unknown } | undefined)?.topics));
  const topics = (answer?.response as { topics: readonly AnsweredTopic[] } | undefined)?.topics;
  const usable = topics?.every(
    (t) => t.errorCode === 0 && t.partitions.every((p) => leaderCodes.includes(p.errorCode)),
  );
  if (!topics || !usable) throw cause;
  return topics.map(({ name, topicId, partitions }) => ({ name, topicId, partitions: partitions.length }));
}

interface AnsweredTopic {
  readonly errorCode: number;
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly { readonly errorCode: number }[];
}

/** An error with all that it holds in `errors` and `cause`, outermost first. */
function flatten(error: unknown, depth = 0): Record<string, unknown>[] {
  if (typeof error !== 'object' || error === null || depth > 6) return [];
  const fields = error as Record<string, unknown> & { errors?: unknown; cause?: unknown };
  const nested = Array.isArray(fields.errors) ? fields.errors : [];
  return [fields, ...nested.flatMap((e) => flatten(e, depth + 1)), ...flatten(fields.cause, depth + 1)];
}
