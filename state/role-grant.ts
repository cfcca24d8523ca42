import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { keyNumber, listNumbers, readDocument, StateCorrupt, writeOnce } from './document.ts';
import { epoch, instantMs } from './schemas.ts';

const schema = z.object({
  /** Of the roles that the region is primary in; they are written only after its jobs were started. */
  epoch,
  region: z.string().min(1),
  run: z.string(),
  atMs: instantMs,
});

/** A run's word, behind its point of no return, that a region may run before the roles say so. */
export type RoleGrant = z.output<typeof schema>;

const prefix = 'grant/';
const key = (rolesEpoch: number) => `${prefix}${keyNumber(rolesEpoch)}`;

/** Lets a region run for roles that are not in force yet. Once for each epoch, never taken back. Idempotent. */
export async function giveRole(store: ObjectStore, grant: RoleGrant, options: CallOptions = {}): Promise<void> {
  // Given already, by the run that this one goes on with: roles of one epoch change to one region only.
  await writeOnce(store, key(grant.epoch), grant, options);
}

/** The grant for the roles of one epoch; undefined when there is none. */
export async function readRoleGrant(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<RoleGrant | undefined> {
  const grant = (await readDocument(store, key(rolesEpoch), schema, options))?.value;
  if (grant !== undefined && grant.epoch !== rolesEpoch) {
    throw new StateCorrupt(store, key(rolesEpoch), `it says epoch ${grant.epoch}`);
  }
  return grant;
}

/** The grant of the highest epoch; it means something only for the roles that follow on those in force. */
export async function newestRoleGrant(store: ObjectStore, options: CallOptions = {}): Promise<RoleGrant | undefined> {
  const newest = (await listNumbers(store, prefix, options)).at(-1);
  return newest === undefined ? undefined : readRoleGrant(store, newest, options);
}
