import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, keyNumber, readDocument, writeOnce } from './document.ts';
import { frozenSchema } from './freeze.ts';
import { epoch, instantMs } from './schemas.ts';

const planSchema = z.object({
  /** Of the right to mirror under which it was written: a newer lead's plan replaces an older one's, never the reverse. */
  leaseEpoch: epoch,
  partitions: z.array(z.object({ topic: z.string().min(1), partition: z.int().min(0) })),
  held: z.record(z.string(), z.object({ reason: z.string(), detail: z.string() })),
  throttle: z
    .object({ bytesPerSecond: z.number().exactOptional(), topics: z.record(z.string(), z.number()) })
    .exactOptional(),
});

const reportSchema = frozenSchema.pick({ drained: true, endOffsets: true, openTransactions: true });

const memberSchema = z.object({ who: z.string(), atMs: instantMs });

/** What several mirror processes share, as their lead has found it. */
export type SharePlan = z.output<typeof planSchema>;
/** That one member stands still, and where its partitions end. */
export type MemberFrozen = z.output<typeof reportSchema>;

const root = (rolesEpoch: number) => `mirror-share/${keyNumber(rolesEpoch)}`;
const planKey = (rolesEpoch: number) => `${root(rolesEpoch)}/plan`;
const membersPrefix = (rolesEpoch: number) => `${root(rolesEpoch)}/members/`;
const frozenKey = (rolesEpoch: number, { epoch: freezeEpoch, memberId, generation }: FrozenSeat) =>
  `${root(rolesEpoch)}/frozen/${keyNumber(freezeEpoch)}/${keyNumber(generation)}/${memberId}`;

/** What is shared under these roles; undefined when nothing was ever. */
export async function readSharePlan(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<SharePlan | undefined> {
  return (await readDocument(store, planKey(rolesEpoch), planSchema, options))?.value;
}

/** Replaces the plan. `stale`: a newer lead has written one, or somebody did at the same time. */
export async function putSharePlan(
  store: ObjectStore,
  rolesEpoch: number,
  plan: SharePlan,
  options: CallOptions = {},
): Promise<'written' | 'stale'> {
  const there = await readDocument(store, planKey(rolesEpoch), planSchema, options);
  if (there && there.value.leaseEpoch > plan.leaseEpoch) return 'stale';
  const condition = there ? { ifMatch: there.etag } : { ifAbsent: true };
  const put = await store.put(planKey(rolesEpoch), encodeDocument(plan), { ...options, ...condition });
  return put.kind === 'written' ? 'written' : 'stale';
}

/** Notes a member before it mirrors, so that one that goes without a word is missed. Idempotent. */
export async function noteShareMember(
  store: ObjectStore,
  rolesEpoch: number,
  member: { readonly id: string; readonly who: string; readonly atMs: number },
  options: CallOptions = {},
): Promise<void> {
  const { id, who, atMs } = member;
  await store.put(`${membersPrefix(rolesEpoch)}${id}`, encodeDocument({ who, atMs }), options);
}

/** Takes the note back: all that this member ever sent was answered. Idempotent. */
export async function dropShareMember(
  store: ObjectStore,
  rolesEpoch: number,
  memberId: string,
  options: CallOptions = {},
): Promise<void> {
  await store.delete(`${membersPrefix(rolesEpoch)}${memberId}`, options);
}

/** The members that were noted, and when each was by its own clock. */
export async function readShareMembers(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<readonly { readonly id: string; readonly who: string; readonly atMs: number }[]> {
  const prefix = membersPrefix(rolesEpoch);
  const { objects } = await store.list(prefix, options);
  const read = objects.map(async ({ key }) => {
    const found = await readDocument(store, key, memberSchema, options);
    return found ? [{ id: key.slice(prefix.length), ...found.value }] : [];
  });
  return (await Promise.all(read)).flat();
}

/** Which freeze, and whose part of which agreement of the group. */
export interface FrozenSeat {
  readonly epoch: number;
  readonly memberId: string;
  readonly generation: number;
}

/** A member's word that it stands still. The first one counts. */
export async function reportMemberFrozen(
  store: ObjectStore,
  rolesEpoch: number,
  seat: FrozenSeat,
  report: MemberFrozen,
  options: CallOptions = {},
): Promise<void> {
  await writeOnce(store, frozenKey(rolesEpoch, seat), report, options);
}

/** What a member said; undefined while it has said nothing. */
export async function readMemberFrozen(
  store: ObjectStore,
  rolesEpoch: number,
  seat: FrozenSeat,
  options: CallOptions = {},
): Promise<MemberFrozen | undefined> {
  return (await readDocument(store, frozenKey(rolesEpoch, seat), reportSchema, options))?.value;
}
