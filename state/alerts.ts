import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { changeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

const key = 'alerts';
/** How many groups of alerts are remembered; the oldest are forgotten first. */
const kept = 200;

const schema = z.object({
  groups: z.array(
    z.object({
      /** Of the group's key: what stands in labels is not kept. */
      group: z.string(),
      action: z.enum(['propose', 'act']),
      atMs: instantMs,
    }),
  ),
});

/**
 * Notes that a group of alerts was answered with an effect: true for who notes it first, whichever daemon was asked.
 * Until the group is `forgotten` everybody else is told false.
 */
export async function claimAlertGroup(
  store: ObjectStore,
  claim: { readonly groupKey: string; readonly action: 'propose' | 'act'; readonly atMs: number },
  options: CallOptions = {},
): Promise<boolean> {
  const group = hashOf(claim.groupKey);
  let first = false;
  await changeDocument(
    store,
    key,
    schema,
    { groups: [] },
    ({ groups }) => {
      first = !groups.some((g) => g.group === group && g.action === claim.action);
      if (!first) return { groups };
      return { groups: [...groups, { group, action: claim.action, atMs: claim.atMs }].slice(-kept) };
    },
    options,
  );
  return first;
}

/** The group has ended, or could not be answered: when it fires again, that is news. */
export async function forgetAlertGroup(store: ObjectStore, groupKey: string, options: CallOptions = {}): Promise<void> {
  const group = hashOf(groupKey);
  const without = ({ groups }: z.output<typeof schema>) => ({ groups: groups.filter((g) => g.group !== group) });
  await changeDocument(store, key, schema, { groups: [] }, without, options);
}

/** Whether a group was answered with an effect, among those that are noted now. */
export async function readAlertGroups(
  store: ObjectStore,
  options: CallOptions = {},
): Promise<(groupKey: string) => boolean> {
  const noted = await readDocument(store, key, schema, options);
  const groups = new Set(noted?.value.groups.map((g) => g.group));
  return (groupKey) => groups.has(hashOf(groupKey));
}

const hashOf = (groupKey: string) => createHash('sha256').update(groupKey).digest('hex');
