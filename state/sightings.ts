import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, readDocument } from './document.ts';
import { instantMs, offset } from './schemas.ts';

const schema = z.object({
  region: z.string().min(1),
  /** When the region was last seen: everything under `topics` is of this instant. */
  atMs: instantMs,
  /** When it was last asked; later than `atMs` while it can't be reached. */
  checkedAtMs: instantMs.exactOptional(),
  /** The first probe that failed since the last that succeeded; absent while it answers. */
  firstFailureAtMs: instantMs.exactOptional(),
  topics: z.record(
    z.string(),
    z.object({
      /** Recent average of records appended on the primary. */
      recordsPerSecond: z.number().min(0),
      bytesPerSecond: z.number().min(0).exactOptional(),
      partitions: z.array(
        z.object({
          partition: z.int().min(0),
          logStartOffset: offset,
          /** Exclusive: the high watermark. */
          logEndOffset: offset,
          /** The standby's log end, seen at the same time. */
          mirroredEndOffset: offset,
          /** Of the newest record on the primary; null in an empty partition, or when nobody could tell. */
          newestTimestampMs: z.number().nullable(),
          /** Of the newest record on the standby; null likewise. */
          mirroredTimestampMs: z.number().nullable(),
        }),
      ),
    }),
  ),
});

/** What the daemon last saw of a region's logs. While it can't be reached, only the failure and the check move on. */
export type Sighting = z.output<typeof schema>;
export type SightedPartition = Sighting['topics'][string]['partitions'][number];

/** The key of a region's last sighting. */
export const sightingKey = (region: string) => `sightings/${region}`;

/** The last sighting of a region; undefined when no daemon ever saw it. */
export async function readSighting(
  store: ObjectStore,
  region: string,
  options: CallOptions = {},
): Promise<Sighting | undefined> {
  return (await readDocument(store, sightingKey(region), schema, options))?.value;
}

/** Replaces the last sighting; only the daemon that mirrors from the region does this. Idempotent. */
export async function putSighting(store: ObjectStore, sighting: Sighting, options: CallOptions = {}): Promise<void> {
  await store.put(sightingKey(sighting.region), encodeDocument(sighting), options);
}

/** The sighting after a probe of the region failed. Pure: what was seen stays as last seen. */
export function afterFailure(last: Sighting, atMs: number): Sighting {
  return { ...last, checkedAtMs: atMs, firstFailureAtMs: last.firstFailureAtMs ?? atMs };
}
