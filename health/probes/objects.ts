import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

/** Does the bucket answer with these credentials? Lists the folders below `prefix` (which ends in `/`), one cheap request. */
export function probeObjects(
  store: ObjectStore,
  prefix: string,
  options: ProbeOptions,
): Promise<ProbeOf<{ readonly folders: readonly string[] }>> {
  return probe(async (call) => {
    const { prefixes } = await store.list(prefix, { ...call, delimiter: '/' });
    return { folders: prefixes };
  }, options);
}
