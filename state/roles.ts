import { z } from 'zod';
import { ArgusError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { keyNumber, listNumbers, readDocument, StateCorrupt, writeOnce } from './document.ts';
import { epoch, instantMs } from './schemas.ts';

const prefix = 'roles/';

const schema = z.object({
  epoch,
  primary: z.string().min(1),
  standby: z.string().min(1),
  replication: z.enum(['active', 'suspended']),
  atMs: instantMs,
  by: z.string(),
  run: z.string().exactOptional(),
  promotedAt: z
    .array(z.object({ topic: z.string(), partition: z.int().min(0), offset: z.string().regex(/^\d+$/) }))
    .exactOptional(),
});

/** The key of one epoch's roles. */
export const rolesKey = (rolesEpoch: number) => `${prefix}${keyNumber(rolesEpoch)}`;

/** The roles in force: those of the highest epoch; undefined before the very first start. */
export async function readRoles(store: ObjectStore, options: CallOptions = {}): Promise<Roles | undefined> {
  const newest = (await listNumbers(store, prefix, options)).at(-1);
  return newest === undefined ? undefined : readRolesOf(store, newest, options);
}

/** The roles that one epoch wrote; undefined when it wrote none. */
export async function readRolesOf(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<Roles | undefined> {
  const key = rolesKey(rolesEpoch);
  const roles: Roles | undefined = (await readDocument(store, key, schema, options))?.value;
  if (roles !== undefined && roles.epoch !== rolesEpoch) {
    throw new StateCorrupt(store, key, `it says epoch ${roles.epoch}`);
  }
  return roles;
}

/** Puts roles in force, once per epoch. `exists`: that epoch has other roles already; read them again and decide anew. */
export function writeRoles(store: ObjectStore, roles: Roles, options: CallOptions = {}): Promise<'written' | 'exists'> {
  return writeOnce(store, rolesKey(roles.epoch), roles, options);
}

/** The roles in force; at the very first start those of the configuration (epoch 1, replication active) are written. */
export async function ensureRoles(
  store: ObjectStore,
  first: { readonly primary: string; readonly standby: string; readonly atMs: number; readonly by: string },
  options: CallOptions = {},
): Promise<Roles> {
  const there = await readRoles(store, options);
  if (there !== undefined) return there;
  const roles: Roles = { epoch: 1, replication: 'active', ...first };
  if ((await writeRoles(store, roles, options)) === 'written') return roles;
  const other = await readRoles(store, options);
  if (other === undefined) {
    throw new ArgusError('StateInconsistent', `${store.uri} says that roles exist, and lists none`, {
      hint: 'the state needs a store with strongly consistent listings',
      exitCode: 4,
    });
  }
  return other;
}
