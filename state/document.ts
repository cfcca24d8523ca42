import type { z } from 'zod';
import { ArgusError } from '../domain/errors.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';

/** A document of the state that isn't what Argus writes. Needs a person: guessing at roles or leases could promote twice. */
export class StateCorrupt extends ArgusError {
  readonly key: string;

  constructor(store: ObjectStore, key: string, why: string, cause?: unknown) {
    super('StateCorrupt', `state object ${key} in ${store.uri} can't be used: ${why}`, {
      hint: `look at ${key}: restore it from the bucket's versions, or move it away if you know that it is void`,
      cause,
      exitCode: 4,
    });
    this.key = key;
  }
}

export interface Document<T> {
  readonly value: T;
  readonly etag: string;
  readonly modifiedAtMs: number;
}

/** The validated document under a key, undefined when there is none; `StateCorrupt` names the key of a bad one. */
export async function readDocument<S extends z.ZodType>(
  store: ObjectStore,
  key: string,
  schema: S,
  options: CallOptions = {},
): Promise<Document<z.output<S>> | undefined> {
  const found = await store.get(key, options);
  if (found === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(found.body).toString('utf8'));
  } catch (error) {
    throw new StateCorrupt(store, key, 'not JSON', error);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.map(String).join('.');
    throw new StateCorrupt(store, key, `${where ? `${where}: ` : ''}${issue?.message ?? 'wrong shape'}`);
  }
  return { value: parsed.data, etag: found.info.etag, modifiedAtMs: found.info.modifiedAtMs };
}

/** A value as the bytes of a state document; offsets (bigint) become decimal strings. */
export function encodeDocument(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? v.toString() : v), 2)}\n`);
}

const attempts = 5;

/**
 * Changes a document that several may change, or makes it from `empty`, and gives what it then is: `change` is asked
 * again when another came between. `StateContended` when that goes on and on.
 */
export async function changeDocument<S extends z.ZodType>(
  store: ObjectStore,
  key: string,
  schema: S,
  empty: z.output<S>,
  change: (value: z.output<S>) => z.output<S>,
  options: CallOptions = {},
): Promise<z.output<S>> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const there = await readDocument(store, key, schema, options);
    const next = change(there?.value ?? empty);
    const condition = there ? { ifMatch: there.etag } : { ifAbsent: true };
    const put = await store.put(key, encodeDocument(next), { ...options, ...condition });
    if (put.kind === 'written') return next;
  }
  throw new ArgusError('StateContended', `${key} in ${store.uri} is changed by others all the time`, {
    retryable: true,
  });
}

/**
 * Writes a document that never changes. `exists`: another one is there already. A document with the same bytes counts
 * as written, so that a repeat after an uncertain answer is harmless.
 */
export async function writeOnce(
  store: ObjectStore,
  key: string,
  value: unknown,
  options: CallOptions = {},
): Promise<'written' | 'exists'> {
  const body = encodeDocument(value);
  const put = await store.put(key, body, { ...options, ifAbsent: true });
  if (put.kind === 'written') return 'written';
  const there = await store.get(key, options);
  return there !== undefined && Buffer.compare(there.body, body) === 0 ? 'written' : 'exists';
}

/** A number in a key, so that keys sort as numbers do. */
export function keyNumber(n: number, digits = 10): string {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`not a number for a key: ${n}`);
  return n.toString().padStart(digits, '0');
}

/** Numbers of all keys `<prefix><digits>`, ascending; other keys are passed over. */
export async function listNumbers(
  store: ObjectStore,
  prefix: string,
  options: CallOptions = {},
): Promise<readonly number[]> {
  const { objects } = await store.list(prefix, options);
  return objects
    .map((o) => o.key.slice(prefix.length))
    .filter((name) => /^\d+$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}
