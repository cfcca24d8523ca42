import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, keyNumber, readDocument } from './document.ts';
import { instantMs, offset } from './schemas.ts';

const schema = z.object({
  /** Where the live topic's partitions ended before the first orphan was replayed: what was is found behind it. */
  from: z.array(z.object({ partition: z.int().min(0), offset })),
  by: z.string(),
  atMs: instantMs,
  /** Every orphan that may be replayed was. */
  done: z.object({ records: z.int().min(0), atMs: instantMs }).exactOptional(),
});

/** How far the orphans of one topic were put into the live one. */
export type Replayed = z.output<typeof schema>;

const key = (promotion: number, topic: string) => `replayed/${keyNumber(promotion)}/${topic}`;

/** Undefined: nothing of this topic's orphans was replayed. */
export async function readReplayed(
  store: ObjectStore,
  promotion: number,
  topic: string,
  options: CallOptions = {},
): Promise<Replayed | undefined> {
  return (await readDocument(store, key(promotion, topic), schema, options))?.value;
}

/** Replaces the note; only the holder of the lease does this. Idempotent. */
export async function putReplayed(
  store: ObjectStore,
  promotion: number,
  topic: string,
  replayed: Replayed,
  options: CallOptions = {},
): Promise<void> {
  await store.put(key(promotion, topic), encodeDocument(replayed), options);
}
