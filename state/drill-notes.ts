import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, readDocument, StateCorrupt } from './document.ts';
import { drillState } from './drills.ts';
import { instantMs } from './schemas.ts';

const schema = z.object({
  run: z.string(),
  /** When the drill began. */
  atMs: instantMs,
  by: z.string(),
  /** The region in which it makes what it makes. */
  region: z.string(),
  /** Its jobs there, by the ids that they are started with. */
  jobs: z.array(z.object({ job: z.string(), flinkJobId: z.string(), slots: z.int().min(0) })),
  /** They run in a session cluster that is the drill's own: none of production's slots are taken. */
  ownCluster: z.boolean(),
  /** Folders of the replica's points (URIs) that its jobs read, and those that its output is compared by. */
  points: z.array(z.string()),
  /** Limits that the drill sets for a principal, and what they were before, by Kafka's keys. */
  quota: z.object({ principal: z.string(), before: z.record(z.string(), z.number()) }).exactOptional(),
});

/**
 * That a drill is at work, or was when its process died: durable before it makes anything, removed when all of that is
 * seen gone. By it retention keeps what the drill reads, and a failover knows what is in its way.
 */
export type DrillNote = z.output<typeof schema>;

const folder = 'open/';

/** The notes of drills that aren't cleaned up, oldest first. `state` is the state itself, as for the others. */
export async function listDrillNotes(state: ObjectStore, options: CallOptions = {}): Promise<readonly DrillNote[]> {
  const store = drillState(state);
  const { objects } = await store.list(folder, options);
  const notes = await Promise.all(objects.map(({ key }) => readDocument(store, key, schema, options)));
  return notes.flatMap((found) => (found === undefined ? [] : [found.value]));
}

/** Writes a drill's note, or what it is now. Only the drill that is named in it does so, or who cleans up after it. */
export async function writeDrillNote(state: ObjectStore, note: DrillNote, options: CallOptions = {}): Promise<void> {
  const store = drillState(state);
  const key = `${folder}${note.run}`;
  const parsed = schema.safeParse(note);
  if (!parsed.success) throw new StateCorrupt(store, key, 'wrong shape', parsed.error);
  await store.put(key, encodeDocument(note), options);
}

/** Takes a drill's note away; a missing one is no error. */
export async function removeDrillNote(state: ObjectStore, run: string, options: CallOptions = {}): Promise<void> {
  await drillState(state).delete(`${folder}${run}`, options);
}
