import { ArgusError, describeError } from '../../domain/errors.ts';

/** What S3 servers call a key that they don't know or don't trust. versitygw answers 404 for an unknown access key. */
const DENIED = new Set([
  'AccessDenied',
  'AccountProblem',
  'AllAccessDisabled',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidSecurity',
  'InvalidToken',
  'RequestTimeTooSkewed',
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
