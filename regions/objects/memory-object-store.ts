import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ArgusError } from '../../domain/errors.ts';
import type { ObjectInfo, ObjectStore, StreamBody } from './object-store.ts';

export interface MemoryObjectStoreOptions {
  /** What `uri` says; default `memory:<name>`. */
  readonly uri?: string;
  /** Gives `modifiedAtMs`. */
  readonly now?: () => number;
}

/** An object store in memory, for tests and simulations. `calls` records what was asked of it, as `get key`. */
export interface MemoryObjectStore extends ObjectStore {
  readonly calls: string[];
}

/** Makes an empty store; it lives as long as the value. */
export function memoryObjectStore(name: string, options: MemoryObjectStoreOptions = {}): MemoryObjectStore {
  const objects = new Map<string, { readonly body: Uint8Array; readonly info: ObjectInfo }>();
  const now = options.now ?? Date.now;
  const calls: string[] = [];
  const called = (operation: string, key: string, signal?: AbortSignal) => {
    calls.push(`${operation} ${key}`);
    signal?.throwIfAborted();
  };
  return {
    uri: options.uri ?? `memory:${name}`,
    calls,
    async get(key, call) {
      called('get', key, call?.signal);
      const found = objects.get(key);
      return found && { body: found.body.slice(), info: found.info };
    },
    async open(key, call) {
      called('open', key, call?.signal);
      const found = objects.get(key);
      if (found === undefined) return undefined;
      return {
        body: { stream: Readable.from([found.body], { objectMode: false }), sizeBytes: found.body.length },
        info: found.info,
      };
    },
    async put(key, body, call) {
      called('put', key, call?.signal);
      const bytes = body instanceof Uint8Array ? body.slice() : await collect(body, key);
      call?.signal?.throwIfAborted();
      const before = objects.get(key);
      if (call?.ifAbsent === true && before !== undefined) return { kind: 'conflict' };
      if (call?.ifMatch !== undefined && before?.info.etag !== call.ifMatch) return { kind: 'conflict' };
      const etag = createHash('md5').update(bytes).digest('hex');
      objects.set(key, { body: bytes, info: { key, sizeBytes: bytes.length, etag, modifiedAtMs: now() } });
      return { kind: 'written', etag };
    },
    async head(key, call) {
      called('head', key, call?.signal);
      return objects.get(key)?.info;
    },
    async list(prefix, call) {
      called('list', prefix, call?.signal);
      return group(
        [...objects.values()].map((o) => o.info),
        prefix,
        call?.delimiter,
      );
    },
    async copy(from, to, call) {
      called('copy', from, call?.signal);
      const found = objects.get(from);
      if (found === undefined) return undefined;
      const info = { ...found.info, key: to, modifiedAtMs: now() };
      objects.set(to, { body: found.body, info });
      return { sizeBytes: info.sizeBytes, etag: info.etag };
    },
    async delete(key, call) {
      called('delete', key, call?.signal);
      objects.delete(key);
    },
    async close() {},
  };
}

async function collect(body: StreamBody, key: string): Promise<Uint8Array> {
  const bytes = await buffer(body.stream);
  if (bytes.length !== body.sizeBytes) {
    throw new ArgusError(
      'ObjectStoreFailed',
      `put ${key}: ${bytes.length} bytes came, ${body.sizeBytes} were announced`,
    );
  }
  return new Uint8Array(bytes);
}

/** What a listing shows of these objects: those under the prefix by key, with a delimiter only the level below it. */
export function group(
  objects: readonly ObjectInfo[],
  prefix: string,
  delimiter?: '/',
): { readonly objects: readonly ObjectInfo[]; readonly prefixes: readonly string[] } {
  const below = objects.filter((o) => o.key.startsWith(prefix)).sort((a, b) => byteOrder(a.key, b.key));
  if (delimiter === undefined) return { objects: below, prefixes: [] };
  const direct: ObjectInfo[] = [];
  const prefixes = new Set<string>();
  for (const object of below) {
    const end = object.key.indexOf(delimiter, prefix.length);
    if (end < 0) direct.push(object);
    else prefixes.add(object.key.slice(0, end + 1));
  }
  return { objects: direct, prefixes: [...prefixes] };
}

/** S3 orders keys by their UTF-8 bytes. */
function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
