import { randomUUID } from 'node:crypto';
import { ArgusError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';

/**
 * Throws `ReplicaIsPrimary` (exit code 2) when the primary's bucket is the replica's own, by whatever address both are
 * reached: an object that is written to the replica must not be seen in the primary's. It is deleted again. Errors of
 * the stores are thrown.
 */
export async function requireOtherBucket(
  source: ObjectStore,
  target: ObjectStore,
  call: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const key = `argus/canary/${randomUUID()}`;
  try {
    await target.put(key, new Uint8Array(1), call);
    if ((await source.head(key, call)) === undefined) return;
  } finally {
    await target.delete(key, call);
  }
  throw new ArgusError(
    'ReplicaIsPrimary',
    `the bucket of the standby (${target.uri}) is that of the primary (${source.uri}): a replica there would be lost with it`,
    { exitCode: 2, hint: 'give the standby a bucket of its own: `regions.<name>.objects`' },
  );
}
