import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { changeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

const pause = z.object({ by: z.string(), atMs: instantMs });
const schema = z.object({
  /** The whole mirror. */
  all: pause.exactOptional(),
  topics: z.record(z.string(), pause),
});

/** What a person wants not to be mirrored for now. */
export type MirrorPause = z.output<typeof schema>;

const key = 'mirror-pause';

/** What is paused; nothing when there is no such document. */
export async function readMirrorPause(store: ObjectStore, options: CallOptions = {}): Promise<MirrorPause> {
  return (await readDocument(store, key, schema, options))?.value ?? { topics: {} };
}

/** The pause of a topic, its own or that of all; undefined when it is to be mirrored. */
export function pauseOf(paused: MirrorPause, topic: string): MirrorPause['all'] {
  return paused.all ?? paused.topics[topic];
}

/** Changes what is paused and gives what then is. Changes of others at the same time are kept. */
export function changeMirrorPause(
  store: ObjectStore,
  change: (paused: MirrorPause) => MirrorPause,
  options: CallOptions = {},
): Promise<MirrorPause> {
  return changeDocument(store, key, schema, { topics: {} }, change, options);
}
