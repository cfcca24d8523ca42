import type { ObjectStore } from '../regions/objects/object-store.ts';
import { type AutomaticAck, putAutomaticAck } from '../state/decisions.ts';
import { readRoles } from '../state/roles.ts';
import { newestRun } from './automatic-facts.ts';

/** Keeps a person's word that automatic mode may act again after what happened until now: what that is, is kept with it. */
export async function acknowledgeAutomatic(
  state: ObjectStore,
  word: Pick<AutomaticAck, 'atMs' | 'by' | 'reason'>,
  call: { readonly signal: AbortSignal },
): Promise<AutomaticAck> {
  const [run, roles] = await Promise.all([newestRun(state, call), readRoles(state, call)]);
  const ack = { ...word, ...(run && { run: run.run }), ...(roles && { rolesEpoch: roles.epoch }) };
  await putAutomaticAck(state, ack, call);
  return ack;
}
