import type { Readable } from 'node:stream';

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. Opaque: changes when the content is replaced. */
  readonly etag: string;
  readonly modifiedAtMs: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface CopyOptions extends CallOptions {
  /** The store that holds the original, of the same `account`; default the one that is asked. */
  readonly of?: ObjectStore;
}

export interface PutOptions extends CallOptions {
  /** Write only if no object has this key (`If-None-Match: *`). */
  readonly ifAbsent?: boolean;
  /** Write only over the object with this ETag (`If-Match`); a missing object fails the condition. */
  readonly ifMatch?: string;
  /** SHA-256 of a body that is no stream, in hex, where the caller knows it: what comes to a server is compared with it. */
  readonly sha256?: string;
  /** MD5 that a streamed body should have, in hex: a server to which another comes writes nothing (`ObjectDigestDiffers`). */
  readonly md5?: string;
  /** Size of the parts in which a large streamed body is sent, as far as the server allows it; else the store chooses. */
  readonly partBytes?: number;
}

export type PutResult =
  | { readonly kind: 'written'; readonly etag: string }
  /** The condition did not hold; nothing was written. */
  | { readonly kind: 'conflict' };

/** A body that is streamed: its exact length is known in advance. */
export interface StreamBody {
  readonly stream: Readable;
  readonly sizeBytes: number;
}

/**
 * One bucket (or folder) of an S3-compatible store. Every adapter passes `tests/contract/object-store.suite.ts`.
 *
 * A missing object is `undefined`, never an error. Errors are `ArgusError` with codes `ObjectStoreUnreachable`
 * (retryable), `ObjectStoreDenied`, `BucketMissing`, `ObjectStoreFailed`; message names operation, bucket and key.
 * Every call ends by its own deadline (10 s, streamed bodies: 60 s without progress) or by the signal.
 */
export interface ObjectStore {
  /** For people and URIs: `s3://bucket`, `file:/dir`, `memory:name`. No secrets. */
  readonly uri: string;
  /** Where it is asked, and as whom: stores of the same account can copy from one another. Absent: none can. */
  readonly account?: string;
  /** The whole object. Idempotent. */
  get(
    key: string,
    options?: CallOptions,
  ): Promise<{ readonly body: Uint8Array; readonly info: ObjectInfo } | undefined>;
  /** The object as a stream, for what may be large. The caller consumes or destroys it. */
  open(
    key: string,
    options?: CallOptions,
  ): Promise<{ readonly body: StreamBody; readonly info: ObjectInfo } | undefined>;
  /**
   * Creates or replaces the object, all or nothing. Idempotent without conditions. Of a streamed body that was cut off
   * a server may keep a part (versitygw 1.8.0 does now and then): after a failed `put` the size says so.
   */
  put(key: string, body: Uint8Array | StreamBody, options?: PutOptions): Promise<PutResult>;
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;
  /**
   * All objects whose key begins with `prefix`, ascending by key (all pages). With `delimiter: '/'` only those directly
   * below it, and the "folders" in `prefixes` (each ends in `/`). Strongly consistent.
   */
  list(
    prefix: string,
    options?: CallOptions & { readonly delimiter?: '/' },
  ): Promise<{ readonly objects: readonly ObjectInfo[]; readonly prefixes: readonly string[] }>;
  /**
   * Copies an object to another key of this store, replacing what is there; a server does it by itself, so that no byte
   * passes through here. `undefined`: there is no object to copy. Idempotent. Each part of a large one has its own
   * deadline (60 s).
   */
  copy(from: string, to: string, options?: CopyOptions): Promise<Pick<ObjectInfo, 'sizeBytes' | 'etag'> | undefined>;
  /** Removes the object; a missing one is no error. Idempotent. */
  delete(key: string, options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}
