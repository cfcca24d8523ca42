import { z } from 'zod';
import { byteRate, duration, serviceUrl } from './config-values.ts';
import { drillDeployment } from './drill-kubernetes-config.ts';
import { drillSchedule } from './drill-schedule-config.ts';
import { faultsSection } from './fault-config.ts';

const region = z.string();
const topicName = z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'a topic name');

/** `drill`: how drills are carried out, and where. */
export const drillSection = z
  .strictObject({
    /** What a drill uses in a region while that stands by. */
    regions: z
      .record(
        region,
        z.strictObject({
          /** A session cluster of its own for the drill's jobs. Absent: the region's. */
          flink: z.strictObject({ rest: serviceUrl }).optional(),
          /** Who the drill's jobs are to the region's brokers. Absent: nobody is named, and no quota can be set. */
          principal: z
            .string()
            .regex(/^User:.+$/, 'a principal like User:drill')
            .optional(),
          /** How fast the drill's jobs may read and write there together, bytes a second; needs `principal`. */
          quota: z.strictObject({ read: byteRate.optional(), write: byteRate.optional() }).optional(),
        }),
      )
      .default({}),
    /** An isolated drill that takes longer is ended, cleaned up and told as failed. */
    timeout: duration.prefault('15m'),
    /** What begins by itself, and when. Absent: nothing does. */
    schedule: drillSchedule.optional(),
    /** What fault drills may break. */
    faults: faultsSection,
  })
  .prefault({})
  .superRefine(({ regions }, ctx) => {
    for (const [name, { principal, quota }] of Object.entries(regions)) {
      if (quota === undefined || principal !== undefined) continue;
      const message = 'a quota is set for a principal: name it';
      ctx.addIssue({ code: 'custom', path: ['regions', name, 'principal'], message });
    }
  });

/** `jobs[].drill`: what a job is started with in a drill, so that it touches nothing of production's. */
export const jobDrill = z.strictObject({
  /**
   * Program arguments by region, in place of `submit.args`. `{topic:<name>}`, `{group}`, `{transactionalIdPrefix}` and
   * `{checkpoints}` become names of the drill.
   */
  args: z.record(region, z.array(z.string())).optional(),
  /** Its FlinkDeployment in a drill, by region, where the Flink operator runs it and drills have no session cluster. */
  kubernetes: z.record(region, drillDeployment).optional(),
  /** Sinks that are no exactly-once sinks of Kafka, and write nothing with these arguments: your word for it. */
  muted: z.boolean().default(false),
  /** How the drill's output is compared with production's. */
  compare: z
    .strictObject({
      /** `key`: each key's records in their order; `set`: the records in any order; `none`: not at all. */
      by: z.enum(['key', 'set', 'none']).default('key'),
      /** Fields of values in JSON that differ from run to run, as JSON Pointers (RFC 6901): `/processedAt`. */
      ignore: z.array(z.string().startsWith('/')).default([]),
      /** Topics that are compared. Default: those of `writes`. */
      topics: z.array(topicName).optional(),
    })
    .prefault({}),
});
