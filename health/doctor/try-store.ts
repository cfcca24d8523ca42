import { ArgusError, describeError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { StoreTried } from './buckets.ts';

/** Where probe objects are: nothing else has a key of this prefix. */
export const PROBE_ROOT = 'argus/doctor/';

/** So long it may take to remove a probe object behind a failure, or when the time is over. */
export const removeMs = 5_000;

/**
 * Lists, and, unless `readOnly`, writes a probe object of its own, writes it again where it must not be written, reads
 * it and removes it. Never throws but for the signal.
 */
export async function tryStore(
  store: ObjectStore,
  options: { readonly name: string; readonly readOnly: boolean; readonly signal: AbortSignal },
): Promise<StoreTried> {
  const { name, readOnly, signal } = options;
  const key = `${PROBE_ROOT}${name}`;
  const body = new TextEncoder().encode(`argus doctor ${name}\n`);
  let what = 'list';
  let written = false;
  let found: StoreTried = {};
  try {
    await store.list(PROBE_ROOT, { signal, delimiter: '/' });
    if (readOnly) return found;
    what = 'write';
    written = true;
    await store.put(key, body, { signal });
    what = 'conditional write';
    const again = await store.put(key, body, { signal, ifAbsent: true });
    what = 'read';
    const read = await store.get(key, { signal });
    const differs = read === undefined || !Buffer.from(read.body).equals(Buffer.from(body));
    found = { ...(again.kind === 'written' ? { overwrote: true } : {}), ...(differs ? { differs } : {}) };
    what = 'delete';
    await store.delete(key, { signal });
    written = false;
    return found;
  } catch (error) {
    // Also when the time is over. What couldn't be written was perhaps written after all.
    const removed =
      !written ||
      (await store.delete(key, { signal: AbortSignal.timeout(removeMs) }).then(
        () => true,
        () => false,
      ));
    signal.throwIfAborted();
    const known = error instanceof ArgusError ? error : undefined;
    const failed = {
      what,
      code: known?.code ?? 'StoreFailed',
      message: describeError(error),
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
    };
    return { ...found, failed, ...(removed || what === 'write' ? {} : { left: key }) };
  }
}
