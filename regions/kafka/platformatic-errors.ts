import { ArgusError } from '../../domain/errors.ts';
import { errorName, isDenied, isTransient } from './error-codes.ts';

/** What a failure of the library means for the caller. */
export interface AdminFailure {
  readonly error: ArgusError;
  /** The connections can't be trusted any more. */
  readonly connectionLost: boolean;
  /** The broker asks to be asked again: a coordinator that loads, a leader that moves. */
  readonly transient: boolean;
}

const groupHasMembers = [22, 25, 27, 82, 110, 113];

/**
 * Finds the protocol's error code inside the library's nested errors and turns it into an error of ours. Without a
 * code it is trouble with the connection, which the library reports under several names.
 */
export function readAdminFailure(cause: unknown, region: string, call: string, brokers: string): AdminFailure {
  if (cause instanceof ArgusError) {
    return { error: cause, connectionLost: cause.code === 'KafkaUnreachable', transient: cause.retryable };
  }
  const inner = flatten(cause);
  const answered = inner.find((e) => typeof e.apiCode === 'number' && e.apiCode !== 0);
  const where = `${region}: ${call} at ${brokers}`;
  if (answered) {
    const code = answered.apiCode as number;
    const text = typeof answered.serverErrorMessage === 'string' ? `: ${answered.serverErrorMessage}` : '';
    const message = `${where} answered ${errorName(code)}${text || `: ${String(answered.message)}`}`;
    return {
      error: new ArgusError(errorCodeOf(code), message, {
        cause,
        retryable: isTransient(code),
        ...(groupHasMembers.includes(code) && { hint: 'stop the consumers of this group on that region first' }),
      }),
      connectionLost: false,
      transient: isTransient(code),
    };
  }
  const refusedByClient = inner.find((e) => e.code === 'PLT_KFK_USER' && e.closed !== true);
  if (refusedByClient) {
    const error = new ArgusError('KafkaFailed', `${where} failed: ${String(refusedByClient.message)}`, { cause });
    return { error, connectionLost: false, transient: false };
  }
  const last = inner.at(-1);
  const error = new ArgusError('KafkaUnreachable', `${where} got no answer${last ? `: ${String(last.message)}` : ''}`, {
    hint: 'check that the broker runs and that this machine reaches its advertised address',
    retryable: true,
    cause,
  });
  return { error, connectionLost: true, transient: false };
}

function errorCodeOf(code: number): string {
  if (groupHasMembers.includes(code)) return 'GroupActive';
  return isDenied(code) ? 'KafkaDenied' : 'KafkaFailed';
}

/** An error with all that it holds in `errors` and `cause`, outermost first. */
function flatten(error: unknown, depth = 0): Record<string, unknown>[] {
  if (typeof error !== 'object' || error === null || depth > 6) return [];
  const fields = error as Record<string, unknown> & { errors?: unknown; cause?: unknown };
  const nested = Array.isArray(fields.errors) ? fields.errors : [];
  return [fields, ...nested.flatMap((e) => flatten(e, depth + 1)), ...flatten(fields.cause, depth + 1)];
}
