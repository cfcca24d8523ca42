import { z } from 'zod';
import type { Acl } from '../regions/kafka/kafka-acls.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { acl } from './acl.ts';
import { encodeDocument, keyNumber, readDocument } from './document.ts';

const schema = z.object({
  /** Made on the standby by Argus; nothing else is ever taken away there. */
  made: z.array(acl),
  /** To be made when the standby is promoted. */
  withheld: z.array(acl),
});

/** What was carried over of the primary's ACLs. */
export type FollowedAcls = z.output<typeof schema>;

const key = (rolesEpoch: number) => `acls/${keyNumber(rolesEpoch)}`;

/** The ACLs followed under these roles, as last noted; undefined when nothing ever followed them. */
export async function readFollowedAcls(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<FollowedAcls | undefined> {
  return (await readDocument(store, key(rolesEpoch), schema, options))?.value;
}

/** Replaces the note; only the holder of the right to mirror does this. Idempotent. */
export async function putFollowedAcls(
  store: ObjectStore,
  rolesEpoch: number,
  acls: { readonly made: readonly Acl[]; readonly withheld: readonly Acl[] },
  options: CallOptions = {},
): Promise<void> {
  await store.put(key(rolesEpoch), encodeDocument(acls), options);
}
