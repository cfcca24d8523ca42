import { z } from 'zod';
import type { Acl } from '../regions/kafka/kafka-acls.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, keyNumber, readDocument } from './document.ts';

const acl = z.object({
  resourceType: z.enum(['topic', 'group', 'cluster', 'transactionalId', 'delegationToken', 'user']),
  resourceName: z.string(),
  patternType: z.enum(['literal', 'prefixed']),
  principal: z.string(),
  host: z.string(),
  operation: z.enum([
    'ALL',
    'READ',
    'WRITE',
    'CREATE',
    'DELETE',
    'ALTER',
    'DESCRIBE',
    'CLUSTER_ACTION',
    'DESCRIBE_CONFIGS',
    'ALTER_CONFIGS',
    'IDEMPOTENT_WRITE',
    'CREATE_TOKENS',
    'DESCRIBE_TOKENS',
    'TWO_PHASE_COMMIT',
  ]),
  permission: z.enum(['ALLOW', 'DENY']),
}) satisfies z.ZodType<Acl>;

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
