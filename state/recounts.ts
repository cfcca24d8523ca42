import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

const schema = z.object({
  run: z.string(),
  atMs: instantMs,
  by: z.string(),
  topics: z
    .record(
      z.string(),
      z.object({
        counted: z.int().min(0),
        bytes: z.number().min(0),
        ms: z.number().min(0),
        /** False: a lower bound. */
        exact: z.boolean(),
        stillGrowing: z.boolean(),
      }),
    )
    .readonly(),
  /** Partitions that could not be counted. */
  uncounted: z.array(z.string()).readonly(),
});

/** What was counted in the old primary's log after a failover, when that could be read again. */
export type KeptRecount = z.output<typeof schema>;

const key = (run: string) => `recounts/${run}`;

/** The newest recount of a run's losses; undefined: nobody counted. */
export async function readRecount(
  store: ObjectStore,
  run: string,
  options: CallOptions = {},
): Promise<KeptRecount | undefined> {
  return (await readDocument(store, key(run), schema, options))?.value;
}

/** Replaces it: a later count knows more. Idempotent. */
export async function putRecount(store: ObjectStore, recount: KeptRecount, options: CallOptions = {}): Promise<void> {
  await store.put(key(recount.run), encodeDocument(recount), options);
}
