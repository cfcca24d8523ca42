import { createHmac, hash } from 'node:crypto';
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { SignatureV4 } from '@smithy/signature-v4';
import { ArgusError } from '../../domain/errors.ts';
import type { StreamBody } from './object-store.ts';
import { S3Refusal } from './s3-errors.ts';

/** A bucket, and who asks. */
export interface S3Access {
  /** URL of the S3 API. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly pathStyle: boolean;
}

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** The whole key, with every prefix. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamBody;
  /** Of the body's bytes, in hex, where the caller has it already: it is signed, so that the server compares it. */
  readonly sha256?: string;
  /** How long a connection may carry nothing in either direction. */
  readonly idleMs: number;
}

export interface S3Answer {
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end or destroyed. */
  readonly body: IncomingMessage;
}

/**
 * Signed requests to a bucket, for what is asked often or carries much: a third of the SDK's CPU a request. Over plain
 * HTTP the SHA-256 of a body that is held in memory is always signed; TLS guards the bytes by itself.
 */
export interface S3Requests {
  /**
   * One attempt. Resolves at the head of an answer of success; any other is an `S3Refusal`, and whatever the connection
   * threw is thrown as it is. The signal ends it until then; a caller that reads the body has its own watch.
   */
  send(request: S3Request, signal: AbortSignal): Promise<S3Answer>;
  close(): void;
}

/** Source: RFC 3986, as the AWS signature wants it: `encodeURIComponent` leaves these as they are. */
const PLAIN = /[!'()*]/g;
const EMPTY_SHA256 = hash('sha256', '');
/** An error's text is never longer. */
const ERROR_BYTES = 64 * 1024;

/** How `@smithy/signature-v4` wants its hash. */
class Sha256 {
  readonly #secret: string | ArrayBuffer | ArrayBufferView | undefined;
  readonly #pieces: Uint8Array[] = [];
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret;
  }
  update(data: Uint8Array): void {
    this.#pieces.push(data);
  }
  async digest(): Promise<Uint8Array> {
    const [only] = this.#pieces;
    const data = only !== undefined && this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces);
    if (this.#secret === undefined) return hash('sha256', data, 'buffer');
    return createHmac('sha256', this.#secret as string | NodeJS.ArrayBufferView)
      .update(data)
      .digest();
  }
  reset(): void {
    this.#pieces.length = 0;
  }
}

/** Opens no connection yet. At most 64 at once; they are kept for the next requests. */
export function s3Requests(access: S3Access): S3Requests {
  const url = new URL(access.endpoint);
  const secure = url.protocol === 'https:';
  const agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: 64 });
  const folder = url.pathname.replace(/\/+$/, '');
  const hostname = access.pathStyle ? url.hostname : `${access.bucket}.${url.hostname}`;
  const host = url.port === '' ? hostname : `${hostname}:${url.port}`;
  const root = access.pathStyle ? `${folder}/${encodeS3Key(access.bucket)}` : folder;
  const { accessKeyId, secretAccessKey } = access;
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    region: access.region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  });

  return {
    async send(request, signal) {
      const { method, body, query = {} } = request;
      const streamed = body !== undefined && !(body instanceof Uint8Array);
      const sizeBytes = body === undefined ? 0 : streamed ? body.sizeBytes : body.length;
      const path = `${root}/${encodeS3Key(request.key)}`;
      const signed = await signer.sign({
        method,
        protocol: url.protocol,
        hostname,
        path,
        query: { ...query },
        headers: {
          ...request.headers,
          host,
          'x-amz-content-sha256': payloadHash(request, secure),
          ...(method === 'PUT' || method === 'POST' ? { 'content-length': String(sizeBytes) } : {}),
        },
      });
      signal.throwIfAborted();
      const text = Object.entries(query).map(([name, value]) => `${encodeSegment(name)}=${encodeSegment(value)}`);
      const wire = (secure ? https : http).request({
        agent,
        hostname,
        ...(url.port === '' ? {} : { port: url.port }),
        method,
        path: text.length === 0 ? path : `${path}?${text.join('&')}`,
        headers: signed.headers,
      });
      return exchange(wire, request, signal);
    },
    close() {
      agent.destroy();
    },
  };
}

/** A key as it stands in a path, and in `x-amz-copy-source`. */
export function encodeS3Key(key: string): string {
  return key.split('/').map(encodeSegment).join('/');
}

function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(PLAIN, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function payloadHash({ body, sha256 }: S3Request, secure: boolean): string {
  if (body === undefined) return EMPTY_SHA256;
  if (sha256 !== undefined) return sha256;
  if (secure || !(body instanceof Uint8Array)) return 'UNSIGNED-PAYLOAD';
  return hash('sha256', body);
}

/** Sends the body and waits for the answer's head. */
function exchange(wire: ClientRequest, { body, method, idleMs }: S3Request, signal: AbortSignal): Promise<S3Answer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    const onAbort = () => wire.destroy(asError(signal.reason));
    const settle = () => {
      answered = true;
      signal.removeEventListener('abort', onAbort);
      if (body !== undefined && !(body instanceof Uint8Array)) body.stream.destroy();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    wire.setTimeout(idleMs, () => wire.destroy(new Error(`no byte for ${idleMs / 1_000} s`)));
    wire.on('error', (error) => {
      // After an answer of refusal the server may break the connection on which the body was still being sent.
      if (answered) return;
      settle();
      reject(error);
    });
    wire.on('response', (answer) => {
      const cutOff = !wire.writableFinished;
      settle();
      const status = answer.statusCode ?? 0;
      if (status >= 200 && status < 300) {
        resolve({ headers: answer.headers, body: answer });
        return;
      }
      refusal(answer, method).then((error) => {
        if (cutOff) wire.destroy();
        reject(error);
      }, reject);
    });
    if (body === undefined || body instanceof Uint8Array) wire.end(body);
    else
      pump(body, wire, (error) => {
        if (!answered) wire.destroy(error);
      });
  });
}

/** Sends a streamed body. One that is not as long as was announced breaks the request before the server has all of it. */
function pump({ stream, sizeBytes }: StreamBody, wire: ClientRequest, fail: (error: Error) => void): void {
  let sent = 0;
  stream.on('data', (chunk: Uint8Array) => {
    sent += chunk.length;
    if (sent > sizeBytes) fail(bodyLengthDiffers(sent, sizeBytes));
    else if (!wire.write(chunk)) stream.pause();
  });
  wire.on('drain', () => stream.resume());
  stream.on('end', () => {
    if (sent === sizeBytes) wire.end();
    else fail(bodyLengthDiffers(sent, sizeBytes));
  });
  stream.on('error', fail);
  stream.on('close', () => {
    if (!wire.writableEnded) fail(new Error('the body was given up'));
  });
  stream.resume();
}

/** A body that is not what was announced; another attempt may find it whole. */
export function bodyLengthDiffers(bytes: number, announced: number): ArgusError {
  return new ArgusError('ObjectStoreFailed', `${bytes} bytes came of a body of ${announced}`, { retryable: true });
}

async function refusal(answer: IncomingMessage, method: string): Promise<S3Refusal> {
  let text = '';
  if (method !== 'HEAD') {
    answer.setEncoding('utf8');
    for await (const piece of answer) {
      text += piece;
      if (text.length > ERROR_BYTES) break;
    }
  } else answer.resume();
  return new S3Refusal(answer.statusCode ?? 0, text, answer.headers);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
