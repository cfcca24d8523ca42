import type { Readable, Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { CallOptions, ObjectInfo, ObjectStore, PutResult, StreamBody } from './object-store.ts';
import { progressStream } from './progress-stream.ts';
import { s3Error, s3Failure } from './s3-errors.ts';
import { serverCopy } from './s3-server-copy.ts';

export interface S3ObjectStoreOptions {
  /** URL of the S3 API. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly pathStyle: boolean;
  /** Everything lies below this key prefix, which no caller sees; default none. Without slashes at its ends. */
  readonly prefix?: string;
  /** Deadline of a call; default 10 s. */
  readonly timeoutMs?: number;
  /** How long a streamed body may stand still; default 60 s. */
  readonly idleMs?: number;
  /** An object larger than this is copied inside the store in parts of this size; default 256 MiB. */
  readonly copyPartBytes?: number;
}

/**
 * A bucket of an S3-compatible store. Only the given credentials are used, never those of the environment. Checksums
 * are left to what the API demands: the client's default trailer breaks streamed uploads on some servers and R2.
 */
export function s3ObjectStore(options: S3ObjectStoreOptions): ObjectStore {
  const { bucket, endpoint } = options;
  const timeoutMs = options.timeoutMs ?? 10_000;
  const idleMs = options.idleMs ?? 60_000;
  const root = options.prefix === undefined || options.prefix === '' ? '' : `${options.prefix}/`;
  const client = (maxAttempts: number) =>
    new S3Client({
      endpoint,
      region: options.region,
      credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
      forcePathStyle: options.pathStyle,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts,
      // What goes wrong is thrown; the client would print some of it as well.
      logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
      requestHandler: { connectionTimeout: Math.min(3_000, timeoutMs) },
    });
  const retrying = client(3);
  // A conditional write that is sent again could meet its own first success, and a stream can't be sent again.
  const once = client(1);
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

  async function find(key: string, abortSignal: AbortSignal): Promise<GetObjectCommandOutput | undefined> {
    try {
      return await retrying.send(new GetObjectCommand(at(key)), { abortSignal });
    } catch (error) {
      if (s3Failure(error).code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  return {
    uri: `s3://${bucket}${root === '' ? '' : `/${options.prefix}`}`,
    get(key, o) {
      return call('get', key, o?.signal, async (abortSignal) => {
        const found = await find(key, abortSignal);
        if (found === undefined) return undefined;
        const stream = found.Body as Readable;
        const onAbort = () => stream.destroy();
        abortSignal.addEventListener('abort', onAbort, { once: true });
        try {
          const body = await buffer(stream);
          const announced = found.ContentLength ?? body.length;
          if (body.length !== announced) throw new Error(`${body.length} of ${announced} bytes came`);
          return { body: new Uint8Array(body.buffer, body.byteOffset, body.length), info: describe(key, found) };
        } finally {
          abortSignal.removeEventListener('abort', onAbort);
        }
      });
    },
    async open(key, o) {
      // The deadline is for the answer's head only; the body has its own watch.
      const head = new AbortController();
      const answered = new AbortController();
      const found = await call('open', key, o?.signal, async (abortSignal) => {
        const onAbort = () => head.abort(abortSignal.reason);
        abortSignal.addEventListener('abort', onAbort, { once: true, signal: answered.signal });
        return find(key, head.signal);
      });
      answered.abort();
      if (found === undefined) return undefined;
      const source = found.Body as Readable;
      const sizeBytes = found.ContentLength ?? 0;
      const stream = progressStream(`open s3://${bucket}/${root}${key}`, sizeBytes, idleMs);
      join(source, stream, o?.signal);
      return { body: { stream, sizeBytes }, info: describe(key, found) };
    },
    async put(key, body, o = {}) {
      const conditional = o.ifAbsent === true || o.ifMatch !== undefined;
      const streamed = !(body instanceof Uint8Array);
      const stalled = new AbortController();
      const stream = streamed ? upload(key, body, stalled, o) : undefined;
      const command = new PutObjectCommand({
        ...at(key),
        Body: stream ?? (body as Uint8Array),
        ContentLength: streamed ? body.sizeBytes : body.length,
        ...(o.ifAbsent === true ? { IfNoneMatch: '*' } : {}),
        ...(o.ifMatch === undefined ? {} : { IfMatch: `"${o.ifMatch}"` }),
      });
      const sender = conditional || streamed ? once : retrying;
      const send = async (abortSignal: AbortSignal): Promise<PutResult> => {
        try {
          const answer = await sender.send(command, { abortSignal });
          return { kind: 'written', etag: bare(answer.ETag) };
        } catch (error) {
          const { code, status } = s3Failure(error);
          const refused = status === 412 || (o.ifMatch !== undefined && code === 'NoSuchKey');
          if (conditional && refused) return { kind: 'conflict' };
          throw stream?.errored ?? error;
        }
      };
      try {
        return await call('put', key, o.signal, send, streamed ? stalled.signal : undefined);
      } finally {
        if (streamed) {
          stalled.abort();
          stream?.destroy();
          body.stream.destroy();
        }
      }
    },
    head(key, o) {
      return call('head', key, o?.signal, async (abortSignal) => {
        try {
          const found = await retrying.send(new HeadObjectCommand(at(key)), { abortSignal });
          return describe(key, found);
        } catch (error) {
          if (s3Failure(error).status !== 404) throw error;
          // An answer without body doesn't tell a missing object from a missing bucket or an unknown access key.
          const found = await find(key, abortSignal);
          (found?.Body as Readable | undefined)?.destroy();
          return found && describe(key, found);
        }
      });
    },
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
        const page = await call('list', prefix, o?.signal, (abortSignal) => retrying.send(command, { abortSignal }));
        for (const entry of page.Contents ?? []) {
          objects.push({
            key: (entry.Key ?? '').slice(root.length),
            sizeBytes: entry.Size ?? 0,
            etag: bare(entry.ETag),
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
      const found = await this.head(from, o);
      if (found === undefined) return undefined;
      const { sizeBytes } = found;
      const partBytes = options.copyPartBytes ?? 256 << 20;
      const paths = { fromBucket: bucket, fromKey: root + from, bucket, key: root + to };
      const etag = await serverCopy(retrying, { ...paths, sizeBytes, partBytes }, (run) =>
        call('copy', from, o?.signal, run, AbortSignal.timeout(idleMs)),
      ).catch(async (error: unknown) => {
        // It may have been removed since it was seen.
        if ((await this.head(from, o)) === undefined) return undefined;
        throw error;
      });
      return etag === undefined ? undefined : { sizeBytes, etag: bare(etag) };
    },
    async delete(key, o) {
      await call('delete', key, o?.signal, async (abortSignal) => {
        try {
          await retrying.send(new DeleteObjectCommand(at(key)), { abortSignal });
        } catch (error) {
          if (s3Failure(error).code !== 'NoSuchKey') throw error;
        }
      });
    },
    async close() {
      retrying.destroy();
      once.destroy();
    },
  };

  /** The body with its watch: no progress for a while aborts the request; the last byte starts the answer's deadline. */
  function upload(key: string, body: StreamBody, stalled: AbortController, o: CallOptions): Transform {
    const stream = progressStream(`put s3://${bucket}/${root}${key}`, body.sizeBytes, idleMs);
    let answer: NodeJS.Timeout | undefined;
    stream.once('error', (error) => stalled.abort(error));
    stream.once('end', () => {
      answer = setTimeout(() => stalled.abort(new Error('no answer to a complete body')), idleMs);
    });
    stalled.signal.addEventListener('abort', () => clearTimeout(answer), { once: true });
    join(body.stream, stream, o.signal);
    return stream;
  }
}

function describe(
  key: string,
  found: {
    readonly ContentLength?: number | undefined;
    readonly ETag?: string | undefined;
    readonly LastModified?: Date | undefined;
  },
): ObjectInfo {
  return {
    key,
    sizeBytes: found.ContentLength ?? 0,
    etag: bare(found.ETag),
    modifiedAtMs: found.LastModified?.getTime() ?? 0,
  };
}

function bare(etag: string | undefined): string {
  return (etag ?? '').replace(/^W\//, '').replaceAll('"', '');
}

/** Pipes, and carries errors and the abort both ways without a listener that throws. */
function join(from: Readable, to: Transform, signal: AbortSignal | undefined): void {
  const onAbort = () => to.destroy(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  from.on('error', (error) => to.destroy(error));
  to.on('close', () => {
    signal?.removeEventListener('abort', onAbort);
    from.destroy();
  });
  from.pipe(to);
}

/** Rejects when the signal is aborted, for what does not listen itself. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
