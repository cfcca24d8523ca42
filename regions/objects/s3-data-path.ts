import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions, ObjectInfo, ObjectStore, PutOptions, PutResult, StreamBody } from './object-store.ts';
import { s3Error, s3Failure, s3MayPass } from './s3-errors.ts';
import { createS3Uploads } from './s3-multipart.ts';
import { bodyLengthDiffers, type S3Access, type S3Answer, type S3Request, s3Requests } from './s3-requests.ts';
import { withRetries } from './with-retries.ts';

export interface S3DataPathOptions extends S3Access {
  /** Before every key: empty, or ending in a slash. */
  readonly root: string;
  /** Deadline of a call. */
  readonly timeoutMs: number;
  /** How long a streamed body may stand still. */
  readonly idleMs: number;
  /** A streamed body that is larger is sent in parts; default 200 MiB. */
  readonly multipartAboveBytes?: number;
}

/** The part of an object store that carries the bytes. */
export type S3DataPath = Pick<ObjectStore, 'get' | 'open' | 'head' | 'put' | 'close'>;

/** Where rclone, too, begins to send in parts. */
const MULTIPART_ABOVE = 200 << 20;

/** Reads and writes of a bucket without the SDK. */
export function s3DataPath(options: S3DataPathOptions): S3DataPath {
  const { endpoint, bucket, root, timeoutMs, idleMs } = options;
  const requests = s3Requests(options);
  const send = (request: Omit<S3Request, 'idleMs'>, signal: AbortSignal) =>
    requests.send({ ...request, idleMs }, signal);
  const uploads = createS3Uploads(send);

  /** Runs one call with its deadline, if it has one; a caller's abort is thrown as its own reason. */
  async function call<T>(
    operation: string,
    key: string,
    signal: AbortSignal | undefined,
    deadlineMs: number | undefined,
    run: (stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      deadlineMs === undefined
        ? undefined
        : setTimeout(() => stop.abort(new Error(`no answer for ${deadlineMs / 1_000} s`)), deadlineMs);
    try {
      return await run(stop.signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const reason = stop.signal.aborted ? stop.signal.reason : error;
      throw s3Error(`${operation} s3://${bucket}/${root}${key}`, endpoint, reason);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** One object's answer; `undefined` when there is none. */
  async function find(key: string, stop: AbortSignal): Promise<S3Answer | undefined> {
    try {
      return await send({ method: 'GET', key: root + key }, stop);
    } catch (error) {
      if (s3Failure(error).code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  function head(key: string, o: CallOptions = {}): Promise<ObjectInfo | undefined> {
    return call('head', key, o.signal, timeoutMs, (stop) =>
      withRetries(
        async () => {
          try {
            const { headers, body } = await send({ method: 'HEAD', key: root + key }, stop);
            body.resume();
            return describe(key, headers);
          } catch (error) {
            if (s3Failure(error).status !== 404) throw error;
            // An answer without body doesn't tell a missing object from a missing bucket or an unknown access key.
            const found = await find(key, stop);
            found?.body.destroy();
            return found && describe(key, found.headers);
          }
        },
        s3MayPass,
        stop,
      ),
    );
  }

  return {
    get(key, o) {
      return call('get', key, o?.signal, timeoutMs, (stop) =>
        withRetries(
          async () => {
            const found = await find(key, stop);
            return found && { body: await whole(found, stop), info: describe(key, found.headers) };
          },
          s3MayPass,
          stop,
        ),
      );
    },
    async open(key, o) {
      // The deadline is for the answer's head only; the body has its own watch.
      const found = await call('open', key, o?.signal, timeoutMs, (stop) =>
        withRetries(() => find(key, stop), s3MayPass, stop),
      );
      if (found === undefined) return undefined;
      const info = describe(key, found.headers);
      const broken = (error: unknown) => s3Error(`open s3://${bucket}/${root}${key}`, endpoint, error);
      return {
        body: { stream: bodyStream(found.body, info.sizeBytes, broken, o?.signal), sizeBytes: info.sizeBytes },
        info,
      };
    },
    head,
    put(key, body, o = {}) {
      return body instanceof Uint8Array ? putBytes(key, body, o) : putStream(key, body, o);
    },
    async close() {
      requests.close();
    },
  };

  function putBytes(key: string, body: Uint8Array, o: PutOptions): Promise<PutResult> {
    const digest = o.sha256 === undefined ? {} : { sha256: o.sha256 };
    return call('put', key, o.signal, timeoutMs, (stop) => {
      const attempt = () => write({ key, body, ...digest }, o, stop);
      // A conditional write that is sent again could meet its own first success.
      return isConditional(o) ? attempt() : withRetries(attempt, s3MayPass, stop);
    });
  }

  /** Progress is its only deadline: a large body takes as long as it takes. */
  function putStream(key: string, body: StreamBody, o: PutOptions): Promise<PutResult> {
    return call('put', key, o.signal, undefined, async (stop) => {
      const onAbort = () => body.stream.destroy();
      stop.addEventListener('abort', onAbort, { once: true });
      try {
        if (!isConditional(o) && body.sizeBytes > (options.multipartAboveBytes ?? MULTIPART_ABOVE)) {
          return { kind: 'written', etag: await uploads.upload(root + key, body, o.partBytes, stop) };
        }
        return await write({ key, body }, o, stop);
      } catch (error) {
        // What broke the body says more than what that did to the request.
        if (body.stream.errored instanceof ArgusError) throw body.stream.errored;
        // A server that refuses may break the connection on which the body still comes, before its answer is read.
        if (s3Failure(error).status === undefined && !stop.aborted) {
          await head(key, o).catch((refused: unknown) => {
            if (refused instanceof ArgusError && !refused.retryable) throw refused;
          });
        }
        throw error;
      } finally {
        stop.removeEventListener('abort', onAbort);
        body.stream.destroy();
      }
    });
  }

  async function write(
    what: Pick<S3Request, 'key' | 'body' | 'sha256'>,
    o: PutOptions,
    stop: AbortSignal,
  ): Promise<PutResult> {
    const headers = {
      ...(o.md5 === undefined ? {} : { 'content-md5': Buffer.from(o.md5, 'hex').toString('base64') }),
      ...(o.ifAbsent === true ? { 'if-none-match': '*' } : {}),
      ...(o.ifMatch === undefined ? {} : { 'if-match': `"${o.ifMatch}"` }),
    };
    try {
      const answer = await send({ method: 'PUT', ...what, key: root + what.key, headers }, stop);
      answer.body.resume();
      return { kind: 'written', etag: bareEtag(answer.headers.etag) };
    } catch (error) {
      const { code, status } = s3Failure(error);
      const refused = status === 412 || (o.ifMatch !== undefined && code === 'NoSuchKey');
      if (isConditional(o) && refused) return { kind: 'conflict' };
      throw error;
    }
  }
}

function isConditional(o: PutOptions): boolean {
  return o.ifAbsent === true || o.ifMatch !== undefined;
}

/** The answer's body in one piece; one that is cut off is an error. */
function whole({ headers, body }: S3Answer, stop: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const onAbort = () => body.destroy();
    stop.addEventListener('abort', onAbort, { once: true });
    const pieces: Buffer[] = [];
    body.on('data', (piece: Buffer) => pieces.push(piece));
    body.on('error', reject);
    body.on('close', () => {
      stop.removeEventListener('abort', onAbort);
      const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
      const announced = sizeOf(headers) ?? bytes.length;
      if (body.complete && bytes.length === announced) {
        resolve(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
      } else reject(new Error(`${bytes.length} of ${announced} bytes came`));
    });
    if (stop.aborted) onAbort();
  });
}

/** An answer's body for a reader elsewhere: whole, or broken with the port's error. */
function bodyStream(
  body: IncomingMessage,
  sizeBytes: number,
  broken: (error: unknown) => ArgusError,
  signal: AbortSignal | undefined,
): Readable {
  let passed = 0;
  const onAbort = () => stream.destroy(signal?.reason);
  const stream = new Readable({
    read() {
      body.resume();
    },
    destroy(error, done) {
      signal?.removeEventListener('abort', onAbort);
      body.destroy();
      done(error);
    },
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  body.on('data', (chunk: Buffer) => {
    passed += chunk.length;
    if (!stream.push(chunk)) body.pause();
  });
  body.on('end', () => {
    if (passed === sizeBytes) stream.push(null);
    else stream.destroy(bodyLengthDiffers(passed, sizeBytes));
  });
  body.on('error', (error) => stream.destroy(broken(error)));
  body.pause();
  return stream;
}

function describe(key: string, headers: IncomingHttpHeaders): ObjectInfo {
  return {
    key,
    sizeBytes: sizeOf(headers) ?? 0,
    etag: bareEtag(headers.etag),
    modifiedAtMs: Date.parse(headers['last-modified'] ?? '') || 0,
  };
}

function sizeOf(headers: IncomingHttpHeaders): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

/** An ETag as the port has it: without quotes. */
export function bareEtag(etag: string | undefined): string {
  return (etag ?? '').replace(/^W\//, '').replaceAll('"', '');
}
