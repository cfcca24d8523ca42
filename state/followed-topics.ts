import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, keyNumber, readDocument } from './document.ts';

const schema = z.object({
  topics: z.record(z.string(), z.object({ sourceId: z.string().min(1), standbyId: z.string().min(1) })),
});

/** The topics that are mirrored, and which ones they are on both sides: a topic made anew has another id. */
export type FollowedTopics = z.output<typeof schema>['topics'];

const key = (rolesEpoch: number) => `followed/${keyNumber(rolesEpoch)}`;

/** The topics followed under these roles, as the mirror last noted them; undefined when none ever ran. */
export async function readFollowedTopics(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<FollowedTopics | undefined> {
  return (await readDocument(store, key(rolesEpoch), schema, options))?.value.topics;
}

/** Replaces the note; only the holder of the right to mirror does this. Idempotent. */
export async function putFollowedTopics(
  store: ObjectStore,
  rolesEpoch: number,
  topics: FollowedTopics,
  options: CallOptions = {},
): Promise<void> {
  await store.put(key(rolesEpoch), encodeDocument({ topics }), options);
}
