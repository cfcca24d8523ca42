import { z } from 'zod';
import type { StatusView } from '../../health/status-view.ts';

const answered = z.enum(['ok', 'failed', 'unknown']);
const finding = z.object({ code: z.string(), sentence: z.string() });
const runSummary = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(['running', 'interrupted', 'done', 'failed', 'refused']),
  startedAtMs: z.number(),
});

/** The status as the API describes it: the same shape as `StatusView`, which the compiler checks. */
export const statusSchema: z.ZodType<StatusView> = z.object({
  atMs: z.number(),
  healthy: z.boolean(),
  roles: z.object({
    primary: z.string(),
    standby: z.string(),
    replication: z.enum(['active', 'suspended', 'unknown']),
    epoch: z.number().exactOptional(),
    source: z.enum(['state', 'configuration']),
  }),
  regions: z.array(
    z.object({
      name: z.string(),
      role: z.enum(['primary', 'standby']),
      components: z.array(
        z.object({
          component: z.string(),
          status: answered,
          latencyMs: z.number(),
          detail: z.string().exactOptional(),
        }),
      ),
    }),
  ),
  names: z.array(
    z.object({
      name: z.string(),
      resolver: z.string(),
      status: answered,
      addresses: z.array(z.string()),
      region: z.string().exactOptional(),
      detail: z.string().exactOptional(),
    }),
  ),
  daemon: z.object({
    seen: z.boolean(),
    ageMs: z.number().exactOptional(),
    primaryDarkSinceMs: z.number().exactOptional(),
  }),
  mirror: z.array(
    z.object({
      topic: z.string(),
      lagRecords: z.number().exactOptional(),
      lagMs: z.number().exactOptional(),
      basis: z.enum(['live', 'last-seen', 'unknown']),
    }),
  ),
  recoveryPoints: z.array(
    z.object({
      job: z.string(),
      checkpointId: z.number().exactOptional(),
      ageMs: z.number().exactOptional(),
      detail: z.string().exactOptional(),
      refusedCount: z.number().exactOptional(),
      newestRefused: z
        .object({ checkpointId: z.number(), ageMs: z.number(), code: z.string(), message: z.string() })
        .exactOptional(),
    }),
  ),
  wouldLose: z.array(
    z.object({
      topic: z.string(),
      records: z.number().exactOptional(),
      ms: z.number().exactOptional(),
      estimated: z.boolean(),
      unseenMs: z.number().exactOptional(),
    }),
  ),
  readiness: z
    .object({ status: z.enum(['green', 'yellow', 'red']), sentence: z.string(), ageMs: z.number() })
    .exactOptional(),
  runs: z.object({ running: runSummary.exactOptional(), last: runSummary.exactOptional() }),
  blockers: z.array(finding),
  warnings: z.array(finding),
});
