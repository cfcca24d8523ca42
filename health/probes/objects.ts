import { ArgusError } from '../../domain/errors.ts';
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

/** Where observers keep their canaries, in each region's bucket: one object each. */
const canaryRoot = 'argus/probe/';

/**
 * Can an object be written, read and listed? Puts the observer's canary, one small object that is replaced each time,
 * and gets it back. `CanaryDiffers` where something else comes back, or the list lacks it.
 */
export function probeCanary(
  store: ObjectStore,
  observer: string,
  content: string,
  options: ProbeOptions,
): Promise<ProbeOf<void>> {
  const key = canaryRoot + observer;
  return probe(async (call) => {
    await store.put(key, Buffer.from(content), call);
    const [read, listed] = await Promise.all([store.get(key, call), store.list(key, call)]);
    const same = read !== undefined && Buffer.from(read.body).toString() === content;
    if (same && listed.objects.some((o) => o.key === key)) return;
    throw new ArgusError('CanaryDiffers', `${store.uri}: ${key} is not what was just written there`);
  }, options);
}

/** Can the observer's canary be read? A bucket that has none answers, too. One cheap request. */
export function probeCanaryRead(store: ObjectStore, observer: string, options: ProbeOptions): Promise<ProbeOf<void>> {
  return probe(async (call) => void (await store.get(canaryRoot + observer, call)), options);
}
