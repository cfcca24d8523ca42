import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { readDocument, writeOnce } from './document.ts';
import { instantMs } from './schemas.ts';

const schema = z.object({ by: z.string(), atMs: instantMs, reason: z.string().exactOptional() });

/** Somebody's wish that a run stops and takes back what it can. */
export type StopRequest = z.output<typeof schema>;

const keyOf = (run: string) => `stop/${run}`;

/** Asks a run to stop. The first to ask stays named. */
export async function askToStop(
  store: ObjectStore,
  run: string,
  request: StopRequest,
  options: CallOptions = {},
): Promise<void> {
  await writeOnce(store, keyOf(run), request, options);
}

/** Who asked a run to stop; undefined when nobody did. A run looks here between its steps. */
export async function readStopRequest(
  store: ObjectStore,
  run: string,
  options: CallOptions = {},
): Promise<StopRequest | undefined> {
  return (await readDocument(store, keyOf(run), schema, options))?.value;
}
