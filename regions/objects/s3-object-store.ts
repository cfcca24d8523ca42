import { DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { ObjectInfo, ObjectStore } from './object-store.ts';
import { bareEtag, s3DataPath } from './s3-data-path.ts';
import { s3Error, s3Failure } from './s3-errors.ts';
import type { S3Access } from './s3-requests.ts';
import { serverCopy } from './s3-server-copy.ts';

export interface S3ObjectStoreOptions extends S3Access {
  /** Everything lies below this key prefix, which no caller sees; default none. Without slashes at its ends. */
  readonly prefix?: string;
  /** Deadline of a call; default 10 s. */
  readonly timeoutMs?: number;
  /** How long a streamed body may stand still; default 60 s. */
  readonly idleMs?: number;
  /** An object larger than this is copied inside the store in parts of this size; default 256 MiB. */
  readonly copyPartBytes?: number;
  /** A streamed body that is larger is sent in parts; default 200 MiB. */
  readonly multipartAboveBytes?: number;
}

/**
 * A bucket of an S3-compatible store. Only the given credentials are used, never those of the environment. What carries
 * bytes goes by `s3DataPath`; the SDK lists, copies inside the store and deletes.
 */
export function s3ObjectStore(options: S3ObjectStoreOptions): ObjectStore {
  const { bucket, endpoint } = options;
  const timeoutMs = options.timeoutMs ?? 10_000;
  const idleMs = options.idleMs ?? 60_000;
  const root = options.prefix === undefined || options.prefix === '' ? '' : `${options.prefix}/`;
  const data = s3DataPath({ ...options, root, timeoutMs, idleMs });
  const client = new S3Client({
    endpoint,
    region: options.region,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    forcePathStyle: options.pathStyle,
    // Not every server takes the checksums that the client would add by itself.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    // What goes wrong is thrown; the client would print some of it as well.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    requestHandler: { connectionTimeout: Math.min(3_000, timeoutMs) },
  });
  const at = (key: string) => ({ Bucket: bucket, Key: root + key });

  /** Runs one call with its deadline; a caller's abort is thrown as its own reason. */
  async function call<T>(
    operation: string,
    key: string,
    signal: AbortSignal | undefined,
    run: (abortSignal: AbortSignal) => Promise<T>,
    deadline: AbortSignal = AbortSignal.timeout(timeoutMs),
  ): Promise<T> {
    signal?.throwIfAborted();
    const both = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    try {
      return await Promise.race([run(both), rejection(both)]);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw s3Error(`${operation} s3://${bucket}/${root}${key}`, endpoint, deadline.aborted ? deadline.reason : error);
    }
  }

  return {
    uri: `s3://${bucket}${root === '' ? '' : `/${options.prefix}`}`,
    account: `${endpoint} ${options.accessKeyId}`,
    ...data,
    async list(prefix, o) {
      const objects: ObjectInfo[] = [];
      const prefixes: string[] = [];
      for (let token: string | undefined, more = true; more; ) {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: root + prefix,
          ...(o?.delimiter === undefined ? {} : { Delimiter: o.delimiter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        });
        const page = await call('list', prefix, o?.signal, (abortSignal) => client.send(command, { abortSignal }));
        for (const entry of page.Contents ?? []) {
          objects.push({
            key: (entry.Key ?? '').slice(root.length),
            sizeBytes: entry.Size ?? 0,
            etag: bareEtag(entry.ETag),
            modifiedAtMs: entry.LastModified?.getTime() ?? 0,
          });
        }
        for (const entry of page.CommonPrefixes ?? []) prefixes.push((entry.Prefix ?? '').slice(root.length));
        token = page.NextContinuationToken;
        more = page.IsTruncated === true && token !== undefined;
      }
      return { objects, prefixes };
    },
    async copy(from, to, o) {
      const original = o?.of ?? this;
      const found = await original.head(from, o);
      if (found === undefined) return undefined;
      const { sizeBytes } = found;
      const partBytes = options.copyPartBytes ?? 256 << 20;
      const at = placeOf(original.uri, from);
      const paths = { fromBucket: at.bucket, fromKey: at.key, bucket, key: root + to };
      const etag = await serverCopy(client, { ...paths, sizeBytes, partBytes }, (run) =>
        call('copy', from, o?.signal, run, AbortSignal.timeout(idleMs)),
      ).catch(async (error: unknown) => {
        // It may have been removed since it was seen.
        if ((await original.head(from, o)) === undefined) return undefined;
        throw error;
      });
      return etag === undefined ? undefined : { sizeBytes, etag: bareEtag(etag) };
    },
    async delete(key, o) {
      await call('delete', key, o?.signal, async (abortSignal) => {
        try {
          await client.send(new DeleteObjectCommand(at(key)), { abortSignal });
        } catch (error) {
          if (s3Failure(error).code !== 'NoSuchKey') throw error;
        }
      });
    },
    async close() {
      client.destroy();
      await data.close();
    },
  };
}

/** Where a key of a store lies, by the store's URI. */
function placeOf(uri: string, key: string): { readonly bucket: string; readonly key: string } {
  const [bucket = '', ...folders] = uri.replace(/^s3:\/\//, '').split('/');
  return { bucket, key: [...folders, key].join('/') };
}

/** Rejects when the signal is aborted, for what does not listen itself. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
