import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { changeDocument, type Document, encodeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

/** Drills that can be scheduled. */
export const scheduledKinds = ['isolated', 'tabletop', 'switchover'] as const;
const kind = z.enum(scheduledKinds);
export type ScheduledKind = z.output<typeof kind>;

const why = z.object({ code: z.string(), message: z.string() });
const word = z.object({ atMs: instantMs, by: z.string().min(1), reason: z.string().exactOptional() });

const slotSchema = z.object({
  /** `isolated-20261201T080000Z`: the kind, and when it is due. */
  slot: z.string(),
  kind,
  dueAtMs: instantMs,
  /** When it was first seen that it is due, or soon will be. */
  seenAtMs: instantMs,
  /** It may begin from then on, */
  opensAtMs: instantMs,
  /** and no more from then on. */
  closesAtMs: instantMs,
  /** It was missed when it was due. */
  late: z.boolean(),
  /** Those that were missed before it and that it stands for: how many, and since when. */
  missed: z.object({ count: z.int().min(1), firstDueAtMs: instantMs }).exactOptional(),
  needsApproval: z.boolean(),
  approval: word.exactOptional(),
  /** `open`: it waits. `claimed`: it is begun, or was when its daemon died. */
  status: z.enum(['open', 'claimed', 'ended', 'skipped']),
  /** Why it has not begun yet. */
  putOff: why.extend({ sinceMs: instantMs }).exactOptional(),
  claim: z
    .object({
      atMs: instantMs,
      by: z.string().min(1),
      /** Tells one daemon's claim from another's. */
      nonce: z.string(),
      /** As in a lease: others on its own system can look whether it is there. */
      process: z.object({ system: z.string().min(1), pid: z.int().min(1), started: z.string().min(1) }).exactOptional(),
    })
    .exactOptional(),
  /** How it ended; `code` and `message` where it did not pass. */
  end: z
    .object({
      atMs: instantMs,
      outcome: z.enum(['passed', 'failed', 'refused', 'cut-off']),
      run: z.string().exactOptional(),
      code: z.string().exactOptional(),
      message: z.string().exactOptional(),
    })
    .exactOptional(),
  skipped: why.extend({ atMs: instantMs }).exactOptional(),
});

/** One time at which a drill is due, and what became of it. */
export type DrillSlot = z.output<typeof slotSchema>;

/** A slot as it was read: it can be changed only as long as nobody else has. */
export type ReadSlot = Document<DrillSlot>;

const root = 'slots/';
/** Of each kind so many are kept. */
const kept = 400;

/** A slot's name. */
export function slotName(of: ScheduledKind, dueAtMs: number): string {
  const stamp = new Date(dueAtMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
  return `${of}-${stamp}`;
}

const keyOf = (slot: string) => `${root}${slot}`;

/** A slot by its name; undefined: it is not known. `drills`: the store of drills (`drillState`). */
export const readSlot = (drills: ObjectStore, slot: string, options: CallOptions = {}): Promise<ReadSlot | undefined> =>
  readDocument(drills, keyOf(slot), slotSchema, options);

/** The newest slots of a kind that are known, the newest first. One of those in `before` that is as it was isn't read again. */
export async function newestSlots(
  drills: ObjectStore,
  of: ScheduledKind,
  count: number,
  options: CallOptions = {},
  before: readonly ReadSlot[] = [],
): Promise<readonly ReadSlot[]> {
  const { objects } = await drills.list(`${root}${of}-`, options);
  const newest = objects.slice(-count).reverse();
  const known = new Map(before.map((slot) => [keyOf(slot.value.slot), slot]));
  const read = await Promise.all(
    newest.map(async ({ key, etag }) => {
      const same = known.get(key);
      return same !== undefined && same.etag === etag && etag !== ''
        ? same
        : readDocument(drills, key, slotSchema, options);
    }),
  );
  return read.filter((found) => found !== undefined);
}

/** Makes a slot known; undefined: it is already. */
export async function openSlot(
  drills: ObjectStore,
  slot: DrillSlot,
  options: CallOptions = {},
): Promise<ReadSlot | undefined> {
  const put = await drills.put(keyOf(slot.slot), encodeDocument(slot), { ...options, ifAbsent: true });
  if (put.kind !== 'written') return undefined;
  return { value: slot, etag: put.etag, modifiedAtMs: slot.seenAtMs };
}

/**
 * Replaces a slot, unless somebody has since it was read: undefined then. What the store kept is read back, since a store
 * whose compare-and-swap is not atomic may say yes to two.
 */
export async function replaceSlot(
  drills: ObjectStore,
  read: ReadSlot,
  value: DrillSlot,
  options: CallOptions = {},
): Promise<ReadSlot | undefined> {
  const put = await drills.put(keyOf(value.slot), encodeDocument(value), { ...options, ifMatch: read.etag });
  if (put.kind !== 'written') return undefined;
  const there = await readSlot(drills, value.slot, options);
  return there !== undefined && there.value.claim?.nonce === value.claim?.nonce ? there : undefined;
}

/** Forgets the oldest slots of a kind where there are some hundreds. */
export async function dropOldSlots(drills: ObjectStore, of: ScheduledKind, options: CallOptions = {}): Promise<void> {
  const { objects } = await drills.list(`${root}${of}-`, options);
  for (const { key } of objects.slice(0, Math.max(0, objects.length - kept))) await drills.delete(key, options);
}

const sinceSchema = z.record(z.string(), instantMs);

/**
 * Since when each of these rules is in force: what was due before was not missed. A rule is told by any text; those that
 * are not asked for are forgotten.
 */
export function rulesSince(
  drills: ObjectStore,
  rules: readonly string[],
  nowMs: number,
  options: CallOptions = {},
): Promise<Readonly<Record<string, number>>> {
  const change = (known: Readonly<Record<string, number>>) =>
    Object.fromEntries(rules.map((rule) => [rule, known[rule] ?? nowMs]));
  return changeDocument(drills, 'schedule', sinceSchema, {}, change, options);
}
