import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

const schema = z.object({
  /** When the counting began, and when it was last added to. */
  sinceMs: instantMs,
  atMs: instantMs,
  /** Compared on both sides. */
  batches: z.int().min(0),
  /** Ranges in which something differed. */
  differences: z.int().min(0),
  /** The newest of them. */
  last: z
    .object({ topic: z.string(), partition: z.int(), offset: z.string(), what: z.string(), atMs: instantMs })
    .exactOptional(),
});

/** What the daemon's sampling of both logs found so far. */
export type MirrorAudit = z.output<typeof schema>;

const key = (source: string) => `audit/${source}`;

/** What was found in the logs mirrored from a region; undefined when nobody ever looked. */
export async function readMirrorAudit(
  store: ObjectStore,
  source: string,
  options: CallOptions = {},
): Promise<MirrorAudit | undefined> {
  return (await readDocument(store, key(source), schema, options))?.value;
}

/** Replaces what was found; only the daemon that mirrors from the region does this. */
export async function putMirrorAudit(
  store: ObjectStore,
  source: string,
  audit: MirrorAudit,
  options: CallOptions = {},
): Promise<void> {
  await store.put(key(source), encodeDocument(audit), options);
}
