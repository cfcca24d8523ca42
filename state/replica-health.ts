import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, readDocument } from './document.ts';
import { instantMs } from './schemas.ts';

const jobHealth = z.object({
  /** The newest look at every file of every checkpoint, by existence, size and ETag. */
  verified: z
    .object({
      atMs: instantMs,
      checkpoints: z.int().min(0),
      files: z.int().min(0),
      damagedFiles: z.int().min(0),
      /** The first few. */
      damaged: z.array(z.object({ checkpointId: z.int().min(0), code: z.string(), message: z.string() })),
    })
    .exactOptional(),
  /** The copies don't keep up with the job's checkpoints. */
  slow: z.object({ code: z.string(), message: z.string(), sinceMs: instantMs }).exactOptional(),
});

const schema = z.object({
  region: z.string().min(1),
  /** When it was written: at least once a minute while somebody replicates. */
  atMs: instantMs,
  jobs: z.record(z.string(), jobHealth),
});

/** What whoever replicates checkpoints to a region knows of the replicas there. */
export type ReplicaHealth = z.output<typeof schema>;
export type JobReplicaHealth = z.output<typeof jobHealth>;

const key = (region: string) => `replicas/${region}`;

/** The health of the replicas in a region's bucket; undefined when nobody ever replicated to it. */
export async function readReplicaHealth(
  store: ObjectStore,
  region: string,
  options: CallOptions = {},
): Promise<ReplicaHealth | undefined> {
  return (await readDocument(store, key(region), schema, options))?.value;
}

/** Replaces it; only whoever replicates to the region does this. Idempotent. */
export async function putReplicaHealth(
  store: ObjectStore,
  health: ReplicaHealth,
  options: CallOptions = {},
): Promise<void> {
  await store.put(key(health.region), encodeDocument(health), options);
}
