import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArgusError } from '../../domain/errors.ts';
import { withFileLock } from './file-lock.ts';
import { group } from './memory-object-store.ts';
import type { ObjectInfo, ObjectStore, PutOptions, PutResult, StreamBody } from './object-store.ts';

/**
 * A folder of one machine's local disk as an object store, with the contract of a bucket, so that `state: file:…`
 * is as safe as `state: s3://…` among the processes of that machine (not over NFS). Contents are written to a
 * temporary file, synced and then linked or renamed: a reader sees the old object or the new one, also after a crash.
 * The ETag is a hash of the content. A key can't be both an object and a folder.
 */
export function fileObjectStore(root: string): ObjectStore {
  const etags = new Map<string, { readonly version: string; readonly etag: string }>();
  const temporary = join(root, '.tmp');
  const pathOf = (key: string) => join(root, ...key.split('/').map(encodeSegment));
  const fail = (operation: string, key: string, cause: unknown): never => {
    if (cause instanceof ArgusError) throw cause;
    const code = errno(cause);
    const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
    throw new ArgusError(denied ? 'ObjectStoreDenied' : 'ObjectStoreFailed', `${operation} ${key} in ${root}`, {
      cause,
      ...(denied ? { hint: 'Give the user who runs Argus write access to this folder.' } : {}),
    });
  };

  async function info(key: string): Promise<ObjectInfo | undefined> {
    const path = pathOf(key);
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    try {
      const found = await file.stat({ bigint: true });
      if (!found.isFile()) return undefined;
      const version = `${found.ino}:${found.mtimeNs}:${found.size}`;
      const known = etags.get(key);
      const etag = known?.version === version ? known.etag : hash(await file.readFile());
      etags.set(key, { version, etag });
      return { key, sizeBytes: Number(found.size), etag, modifiedAtMs: Number(found.mtimeMs) };
    } finally {
      await file.close();
    }
  }

  /** The content in a synced temporary file, and its ETag. */
  async function stage(key: string, body: Uint8Array | StreamBody, signal?: AbortSignal) {
    await mkdir(temporary, { recursive: true });
    const path = join(temporary, randomUUID());
    const hasher = createHash('sha256');
    const file = await open(path, 'wx');
    try {
      if (body instanceof Uint8Array) {
        hasher.update(body);
        await file.writeFile(body);
      } else {
        let written = 0;
        for await (const chunk of body.stream) {
          signal?.throwIfAborted();
          hasher.update(chunk);
          written += chunk.length;
          await file.writeFile(chunk);
        }
        if (written !== body.sizeBytes) {
          throw new ArgusError(
            'ObjectStoreFailed',
            `put ${key}: ${written} bytes came, ${body.sizeBytes} were announced`,
          );
        }
      }
      await file.sync();
      return { path, etag: hasher.digest('hex').slice(0, 32) };
    } catch (error) {
      await unlink(path);
      throw error;
    } finally {
      await file.close();
    }
  }

  async function put(key: string, body: Uint8Array | StreamBody, options: PutOptions): Promise<PutResult> {
    const target = pathOf(key);
    const staged = await stage(key, body, options.signal);
    try {
      await mkdir(dirname(target), { recursive: true });
      if (options.ifAbsent === true) {
        try {
          await link(staged.path, target);
        } catch (error) {
          if (errno(error) === 'EEXIST') return { kind: 'conflict' };
          throw error;
        }
      } else {
        const replaced = await withFileLock(join(root, '.locks'), hash(Buffer.from(key)), options.signal, async () => {
          if (options.ifMatch !== undefined && (await info(key))?.etag !== options.ifMatch) return false;
          await rename(staged.path, target);
          return true;
        });
        if (!replaced) return { kind: 'conflict' };
      }
      await syncDirectory(dirname(target));
      return { kind: 'written', etag: staged.etag };
    } finally {
      // Renamed away when it replaced the object.
      await unlink(staged.path).catch(() => {});
    }
  }

  return {
    uri: `file:${root}`,
    async get(key, options) {
      options?.signal?.throwIfAborted();
      try {
        const body = await readFile(pathOf(key));
        const found = await stat(pathOf(key));
        const etag = hash(body);
        return {
          body: new Uint8Array(body.buffer, body.byteOffset, body.length),
          info: { key, sizeBytes: body.length, etag, modifiedAtMs: found.mtimeMs },
        };
      } catch (error) {
        return isAbsent(error) ? undefined : fail('get', key, error);
      }
    },
    async open(key, options) {
      options?.signal?.throwIfAborted();
      try {
        const file = await open(pathOf(key), 'r');
        const sizeBytes = (await file.stat()).size;
        const described = await info(key);
        const stream = createReadStream('', { fd: file, autoClose: true });
        if (described === undefined) {
          stream.destroy();
          return undefined;
        }
        return { body: { stream, sizeBytes }, info: described };
      } catch (error) {
        return isAbsent(error) ? undefined : fail('open', key, error);
      }
    },
    async put(key, body, options = {}) {
      options.signal?.throwIfAborted();
      try {
        return await put(key, body, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        return fail('put', key, error);
      }
    },
    async head(key, options) {
      options?.signal?.throwIfAborted();
      try {
        return await info(key);
      } catch (error) {
        return isAbsent(error) ? undefined : fail('head', key, error);
      }
    },
    async list(prefix, options) {
      options?.signal?.throwIfAborted();
      try {
        // Only the folder that the prefix lies in is walked, with a delimiter only its first level.
        const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
        const keys: string[] = [];
        const shown: ObjectInfo[] = [];
        await walk(root, folder, options?.delimiter === undefined, keys);
        for (const key of keys) {
          if (!key.startsWith(prefix)) continue;
          // A folder stands for what it holds.
          const found = key.endsWith('/') ? { key, sizeBytes: 0, etag: '', modifiedAtMs: 0 } : await info(key);
          if (found !== undefined) shown.push(found);
        }
        return group(shown, prefix, options?.delimiter);
      } catch (error) {
        return fail('list', prefix, error);
      }
    },
    async copy(from, to, options) {
      const found = await this.open(from, options);
      if (found === undefined) return undefined;
      const { sizeBytes } = found.body;
      const put = await this.put(to, found.body, options);
      return put.kind === 'written' ? { sizeBytes, etag: put.etag } : undefined;
    },
    async delete(key, options) {
      options?.signal?.throwIfAborted();
      try {
        await withFileLock(join(root, '.locks'), hash(Buffer.from(key)), options?.signal, async () => {
          await unlink(pathOf(key));
          return true;
        });
        etags.delete(key);
      } catch (error) {
        options?.signal?.throwIfAborted();
        if (!isAbsent(error)) fail('delete', key, error);
      }
    },
    async close() {},
  };
}

/** Collects the keys below a folder; without `deep` one level, folders as `name/` when they hold anything. */
async function walk(root: string, folder: string, deep: boolean, keys: string[]): Promise<void> {
  const path = join(root, ...folder.split('/').slice(0, -1).map(encodeSegment));
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const key = folder + decodeURIComponent(entry.name === '%' ? '' : entry.name);
    if (entry.isFile()) keys.push(key);
    else if (!entry.isDirectory()) continue;
    else if (deep) await walk(root, `${key}/`, true, keys);
    else {
      const inside: string[] = [];
      await walk(root, `${key}/`, true, inside);
      if (inside.length > 0) keys.push(`${key}/`);
    }
  }
}

/** One segment of a key as a file name: leading dots, which are ours, and empty segments are told apart. */
function encodeSegment(segment: string): string {
  if (segment === '') return '%';
  return encodeURIComponent(segment).replace(/^\./, '%2E');
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function errno(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Also a key below an object, and a folder read as an object: neither is an object. */
function isAbsent(error: unknown): boolean {
  const code = errno(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}
