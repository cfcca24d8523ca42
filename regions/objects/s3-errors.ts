import type { IncomingHttpHeaders } from 'node:http';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { xmlText } from './s3-xml.ts';

/** What S3 servers call a key that they don't know or don't trust. versitygw answers 404 for an unknown access key. */
const DENIED = new Set([
  'AccessDenied',
  'AccountProblem',
  'AllAccessDisabled',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidSecurity',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'XAdminUserNotFound',
]);

/** Server answers that may be better a moment later. */
const PASSING = new Set([
  'ConditionalRequestConflict',
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
]);

/** An answer that is no success, of a request that the SDK did not send. */
export class S3Refusal extends Error {
  readonly Code: string;
  readonly $metadata: { readonly httpStatusCode: number };
  /** By how much this machine's clock is ahead of the server's, in milliseconds; NaN where it doesn't tell. */
  readonly aheadMs: number;
  /** Where the bucket really is, as a redirect tells. */
  readonly bucketRegion: string | undefined;
  constructor(status: number, body: string, headers: IncomingHttpHeaders) {
    super(xmlText(body, 'Message') ?? `status ${status}`);
    this.Code = xmlText(body, 'Code') ?? '';
    this.$metadata = { httpStatusCode: status };
    this.aheadMs = Date.now() - Date.parse(headers.date ?? '');
    const region = headers['x-amz-bucket-region'];
    this.bucketRegion = typeof region === 'string' ? region : undefined;
  }
}

/** The name and HTTP status of an error of the S3 client; no status when no answer came. */
export function s3Failure(error: unknown): { readonly code: string; readonly status: number | undefined } {
  if (!(error instanceof Error)) return { code: '', status: undefined };
  const code = 'Code' in error && typeof error.Code === 'string' ? error.Code : error.name;
  const metadata = '$metadata' in error ? (error.$metadata as { readonly httpStatusCode?: number }) : undefined;
  return { code, status: metadata?.httpStatusCode };
}

/** The port's error for whatever the S3 client threw. `what` names operation, bucket and key. */
export function s3Error(what: string, endpoint: string, error: unknown): ArgusError {
  if (error instanceof ArgusError) return error;
  const { code, status } = s3Failure(error);
  if (code === 'RequestTimeTooSkewed') {
    const byMs = error instanceof S3Refusal ? error.aheadMs : Number.NaN;
    const how = Number.isNaN(byMs)
      ? 'differ too much'
      : `differ by ${Math.round(Math.abs(byMs) / 1_000)} s: this one is ${byMs > 0 ? 'ahead' : 'behind'}`;
    return new ArgusError('ObjectStoreDenied', `${what}: the clocks of ${endpoint} and of this machine ${how}`, {
      cause: error,
      hint: "Set this machine's clock (NTP): the store refuses requests that are signed for another time.",
      exitCode: 2,
    });
  }
  if (DENIED.has(code) || status === 401 || status === 403) {
    return new ArgusError('ObjectStoreDenied', `${what}: ${endpoint} refused the credentials (${code})`, {
      cause: error,
      hint: 'Check the access key, its secret and its rights on this bucket.',
      exitCode: 2,
    });
  }
  if (code === 'AuthorizationHeaderMalformed') {
    return new ArgusError('ObjectStoreDenied', `${what}: ${endpoint} refused the signature (${describeError(error)})`, {
      cause: error,
      hint: "Set objects.region to what this store expects: 'auto' is R2's, others want e.g. us-east-1.",
      exitCode: 2,
    });
  }
  if (code === 'NoSuchBucket') {
    return new ArgusError('BucketMissing', `${what}: there is no such bucket at ${endpoint}`, {
      cause: error,
      hint: 'Create the bucket, or correct its name in the configuration.',
      exitCode: 2,
    });
  }
  if (code === 'BadDigest') {
    return new ArgusError('ObjectDigestDiffers', `${what}: other bytes came to ${endpoint} than were announced`, {
      cause: error,
      retryable: true,
    });
  }
  if (status === 301 || status === 307 || status === 308) {
    const where = error instanceof S3Refusal && error.bucketRegion ? `, in the region ${error.bucketRegion}` : '';
    return new ArgusError('ObjectStoreFailed', `${what}: ${endpoint} says that the bucket is elsewhere${where}`, {
      cause: error,
      hint: 'Set objects.endpoint and objects.region to where the bucket is.',
      exitCode: 2,
    });
  }
  if (status === undefined) {
    return new ArgusError('ObjectStoreUnreachable', `${what}: ${endpoint} did not answer (${describeError(error)})`, {
      cause: error,
      hint: 'See whether the object store runs and can be reached from here.',
      retryable: true,
    });
  }
  return new ArgusError('ObjectStoreFailed', `${what}: ${endpoint} answered ${status} ${code}`, {
    cause: error,
    retryable: status >= 500 || status === 429 || PASSING.has(code),
  });
}

/** Whether the same request may be answered otherwise a moment later: no answer, an overloaded server. */
export function s3MayPass(error: unknown): boolean {
  return s3Error('', '', error).retryable;
}
