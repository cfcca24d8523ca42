import { GetBucketLifecycleConfigurationCommand, GetBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import type { BucketSettings, LifecycleRule } from './bucket-settings.ts';
import { s3Error, s3Failure } from './s3-errors.ts';
import type { S3Access } from './s3-requests.ts';

const timeoutMs = 10_000;

/**
 * Versioning and lifecycle rules of a bucket. A store that has neither as a feature has none in force. Errors as those of
 * an `ObjectStore`.
 */
export async function s3BucketSettings(access: S3Access, signal: AbortSignal): Promise<BucketSettings> {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey, pathStyle } = access;
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: pathStyle,
    maxAttempts: 2,
    // What goes wrong is thrown; the client would print some of it as well.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    requestHandler: { connectionTimeout: 3_000 },
  });
  const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const [versioning, rules] = await Promise.all([
      readVersioning(client, bucket, abortSignal),
      readRules(client, bucket, abortSignal),
    ]);
    return { versioning, rules };
  } catch (error) {
    signal.throwIfAborted();
    throw s3Error(`settings of s3://${bucket}`, endpoint, error);
  } finally {
    client.destroy();
  }
}

async function readVersioning(
  client: S3Client,
  bucket: string,
  abortSignal: AbortSignal,
): Promise<BucketSettings['versioning']> {
  try {
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: bucket }), { abortSignal });
    return Status === 'Enabled' ? 'on' : Status === 'Suspended' ? 'suspended' : 'off';
  } catch (error) {
    if (lacks(error)) return 'off';
    throw error;
  }
}

async function readRules(
  client: S3Client,
  bucket: string,
  abortSignal: AbortSignal,
): Promise<readonly LifecycleRule[]> {
  const command = new GetBucketLifecycleConfigurationCommand({ Bucket: bucket });
  const answer = await client.send(command, { abortSignal }).catch((error: unknown) => {
    if (lacks(error) || s3Failure(error).code === 'NoSuchLifecycleConfiguration') return { Rules: [] };
    throw error;
  });
  return (answer.Rules ?? [])
    .filter((rule) => rule.Status === 'Enabled')
    .map((rule, i) => {
      const expires = rule.Expiration?.Days ?? (rule.Expiration?.Date === undefined ? undefined : 0);
      const oldVersions = rule.NoncurrentVersionExpiration?.NoncurrentDays;
      return {
        id: rule.ID ?? `rule ${i + 1}`,
        prefix: rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? rule.Prefix ?? '',
        moves: (rule.Transitions ?? []).length > 0,
        ...(expires === undefined ? {} : { expiresAfterDays: expires }),
        ...(oldVersions === undefined ? {} : { oldVersionsAfterDays: oldVersions }),
      };
    });
}

/** The store doesn't know the question at all. */
const lacks = (error: unknown): boolean =>
  s3Failure(error).code === 'NotImplemented' || s3Failure(error).status === 501;
