import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, keyNumber, listNumbers, readDocument, writeOnce } from './document.ts';
import { epoch, instantMs } from './schemas.ts';

const claimSchema = z.object({ run: z.string(), by: z.string(), atMs: instantMs });
const wordSchema = z.object({
  /** `partial`: see `why`. */
  proof: z.enum(['proven', 'partial']),
  why: z.array(z.string()),
  rolesEpoch: epoch,
  /** Whose claim it answers. */
  run: z.string(),
  atMs: instantMs,
});

/** A guard's word that its region takes no writes. */
export type GuardWord = z.output<typeof wordSchema>;

const claimPrefix = (region: string) => `guard-claim/${region}/`;
const wordKey = (region: string, rolesEpoch: number) => `guard-word/${region}/${keyNumber(rolesEpoch)}`;

const placeSchema = z.object({ id: z.string().min(1) });
const placeKey = 'guard-place';

/** The name that a place for claims was given when it was first used; undefined: it was given none. Under a prefix: a note of it. */
export async function placeOf(store: ObjectStore, prefix = '', options: CallOptions = {}): Promise<string | undefined> {
  return (await readDocument(store, `${prefix}${placeKey}`, placeSchema, options))?.value.id;
}

/** Names a place, unless it has a name, and gives the one that it has. */
export async function namePlace(
  store: ObjectStore,
  id: string,
  prefix = '',
  options: CallOptions = {},
): Promise<string> {
  await writeOnce(store, `${prefix}${placeKey}`, { id }, options);
  return (await placeOf(store, prefix, options)) ?? id;
}

/** Claims a region that is primary in the roles of this epoch: its guard is to shut it. Idempotent. */
export async function putClaim(
  store: ObjectStore,
  region: string,
  rolesEpoch: number,
  claim: z.input<typeof claimSchema>,
  options: CallOptions = {},
): Promise<void> {
  await store.put(`${claimPrefix(region)}${keyNumber(rolesEpoch)}`, encodeDocument(claim), options);
}

/** Takes a claim back, and the guard's word for it. Idempotent. */
export async function withdrawClaim(
  store: ObjectStore,
  region: string,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<void> {
  await store.delete(wordKey(region, rolesEpoch), options);
  await store.delete(`${claimPrefix(region)}${keyNumber(rolesEpoch)}`, options);
}

/** The highest roles epoch for which a region is claimed; undefined when it is not. */
export async function claimedEpoch(
  store: ObjectStore,
  region: string,
  options: CallOptions = {},
): Promise<number | undefined> {
  return (await listNumbers(store, claimPrefix(region), options)).at(-1);
}

/** The run that claims a region which is primary in the roles of this epoch; undefined when none does. */
export async function claimingRun(
  store: ObjectStore,
  region: string,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<string | undefined> {
  const key = `${claimPrefix(region)}${keyNumber(rolesEpoch)}`;
  return (await readDocument(store, key, claimSchema, options))?.value.run;
}

const heardSchema = z.object({ atMs: instantMs });
const heardKey = (region: string) => `guard-heard/${region}`;

/** Notes, in a guard's own folder, when it began to ask the last place that answered. Idempotent. */
export async function noteHeard(
  own: ObjectStore,
  region: string,
  atMs: number,
  options: CallOptions = {},
): Promise<void> {
  await own.put(heardKey(region), encodeDocument({ atMs }), options);
}

/** When that was, on the machine's wall clock; undefined: no guard has heard anybody yet. */
export async function readHeard(
  own: ObjectStore,
  region: string,
  options: CallOptions = {},
): Promise<number | undefined> {
  return (await readDocument(own, heardKey(region), heardSchema, options))?.value.atMs;
}

/** Says that the region is shut for the claim on these roles. Idempotent. */
export async function putGuardWord(
  store: ObjectStore,
  region: string,
  word: GuardWord,
  options: CallOptions = {},
): Promise<void> {
  await store.put(wordKey(region, word.rolesEpoch), encodeDocument(word), options);
}

/** The guard's word for a claim; undefined while it has said nothing. */
export async function readGuardWord(
  store: ObjectStore,
  region: string,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<GuardWord | undefined> {
  return (await readDocument(store, wordKey(region, rolesEpoch), wordSchema, options))?.value;
}
