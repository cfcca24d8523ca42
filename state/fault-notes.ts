import { z } from 'zod';
import { faultNames } from '../domain/fault-config.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

const noteSchema = z.object({
  fault: z.enum(faultNames),
  /** The drill that broke it. */
  run: z.string(),
  atMs: instantMs,
  by: z.string(),
  /** How a person mends it, without secrets. */
  heal: z.string(),
  /** The roles that it was broken under: its heal is told the same. */
  from: z.string().exactOptional(),
  to: z.string().exactOptional(),
});

/** That something was broken on purpose, or was about to be, and is not known to be mended. */
export type FaultNote = z.output<typeof noteSchema>;

const root = 'faults/';

/** Notes that a fault is about to be injected; durable when this resolves. Idempotent. */
export async function putFaultNote(store: ObjectStore, note: FaultNote, options: CallOptions = {}): Promise<void> {
  await store.put(root + note.fault, encodeDocument(note), options);
}

/** All faults that are not known to be healed. */
export async function listFaultNotes(store: ObjectStore, options: CallOptions = {}): Promise<readonly FaultNote[]> {
  const { objects } = await store.list(root, options);
  const read = await Promise.all(objects.map(({ key }) => readDocument(store, key, noteSchema, options)));
  return read.flatMap((found) => (found === undefined ? [] : [found.value]));
}

/** Forgets a fault that was seen healed. Idempotent. */
export async function dropFaultNote(
  store: ObjectStore,
  fault: FaultNote['fault'],
  options: CallOptions = {},
): Promise<void> {
  await store.delete(root + fault, options);
}
