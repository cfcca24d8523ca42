import { z } from 'zod';
import type { Throttle } from '../domain/mirror-config.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { changeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

/** `null`: as fast as it goes, whatever the configuration says. */
const limit = z.object({ bytesPerSecond: z.int().min(1).nullable(), by: z.string(), atMs: instantMs });
const schema = z.object({
  /** Of all topics together. */
  all: limit.exactOptional(),
  topics: z.record(z.string(), limit),
});

/** What people have set while the mirror ran, instead of what the configuration says. */
export type MirrorThrottle = z.output<typeof schema>;

const key = 'mirror-throttle';

/** What was set; nothing when there is no such document. */
export async function readMirrorThrottle(store: ObjectStore, options: CallOptions = {}): Promise<MirrorThrottle> {
  return (await readDocument(store, key, schema, options))?.value ?? { topics: {} };
}

/** Changes what is set and gives what then is. Changes of others at the same time are kept. */
export function changeMirrorThrottle(
  store: ObjectStore,
  change: (set: MirrorThrottle) => MirrorThrottle,
  options: CallOptions = {},
): Promise<MirrorThrottle> {
  return changeDocument(store, key, schema, { topics: {} }, change, options);
}

/** The limits that count: what was set, else what the configuration says. Pure. */
export function throttleInForce(configured: Throttle | undefined, set: MirrorThrottle): Throttle {
  const whole = set.all ? (set.all.bytesPerSecond ?? undefined) : configured?.bytesPerSecond;
  const topics = new Map(Object.entries(configured?.topics ?? {}));
  for (const [topic, { bytesPerSecond }] of Object.entries(set.topics)) {
    if (bytesPerSecond === null) topics.delete(topic);
    else topics.set(topic, bytesPerSecond);
  }
  return { ...(whole === undefined ? {} : { bytesPerSecond: whole }), topics: Object.fromEntries(topics) };
}
