import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { keyNumber, readDocument, writeOnce } from './document.ts';
import { instantMs } from './schemas.ts';

const prefix = 'attempts/';

const schema = z.object({
  atMs: instantMs,
  /** The command: `failover`, `runs abort`. */
  what: z.string(),
  /** `user@host`, process id. */
  by: z.string(),
  /** The address from which he was logged in. */
  startedFrom: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  code: z.string(),
  message: z.string(),
});

/** A command that would have changed something and was refused before its run began. */
export type Attempt = z.output<typeof schema>;

/** Keeps a refused attempt. `random` (four hex digits) tells two of the same instant apart. */
export async function recordAttempt(
  store: ObjectStore,
  attempt: Attempt,
  random: string,
  options: CallOptions = {},
): Promise<void> {
  await writeOnce(store, `${prefix}${keyNumber(Math.trunc(attempt.atMs), 15)}-${random}`, attempt, options);
}

/** The newest refused attempts, the newest first. */
export async function listAttempts(
  store: ObjectStore,
  limit: number,
  options: CallOptions = {},
): Promise<readonly Attempt[]> {
  const { objects } = await store.list(prefix, options);
  const newest = objects.slice(-limit).reverse();
  const read = await Promise.all(newest.map(({ key }) => readDocument(store, key, schema, options)));
  return read.flatMap((found) => (found === undefined ? [] : [found.value]));
}
