import { z } from 'zod';
import { byteRate, duration } from './config-values.ts';

/** With less, a copy of several files at once would stand still for longer than the stores wait. */
const LEAST_BANDWIDTH = 64 * 1024;

const keep = z.int().min(1).max(1_000);

/** What `argus.yaml` says about the replication of checkpoints, for all jobs. */
export const checkpointsSection = z
  .strictObject({
    /** How fast all copies of one process together may be, in bytes a second; absent: as fast as it goes. */
    bandwidth: byteRate.refine((bytes) => bytes >= LEAST_BANDWIDTH, 'at least 64KiB a second').optional(),
    /** Files of one job that are copied at the same time. */
    parallelism: z.int().min(1).max(256).default(32),
    /** How much of each job's past the replica keeps. */
    retention: z
      .strictObject({
        /** So many of the newest checkpoints that are whole. */
        keep: keep.default(10),
        /** None that completed longer than this before the newest. */
        maxAge: duration.prefault('24h'),
      })
      .prefault({}),
  })
  .prefault({});

/** The same for one job: what is left out is as for all. */
export const retentionOverride = z.strictObject({ keep: keep.optional(), maxAge: duration.optional() }).optional();

/** What counts for one job. */
export function retentionRules(
  all: z.output<typeof checkpointsSection>,
  job: { readonly retention?: z.output<typeof retentionOverride> },
): { readonly keep: number; readonly maxAgeMs: number } {
  const { keep: jobKeep, maxAge } = job.retention ?? {};
  return { keep: jobKeep ?? all.retention.keep, maxAgeMs: maxAge ?? all.retention.maxAge };
}
