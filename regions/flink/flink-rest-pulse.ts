import { z } from 'zod';
import type { FlinkPulse } from './flink-jobs.ts';

/** Gets an answer of Flink's REST interface about one job. */
type Ask = <T>(what: string, path: string, answer: z.ZodType<T>) => Promise<T>;

const details = z.object({
  vertices: z.array(
    z.object({
      parallelism: z.number(),
      metrics: z.object({ 'accumulated-backpressured-time': z.number().nullish() }).nullish(),
    }),
  ),
});
const metrics = z.array(z.object({ id: z.string(), value: z.string().nullish() }));

/**
 * How a job has fared so far, from `/jobs/:id` and `/jobs/:id/metrics`: both are at hand in the JobManager, no task is
 * asked. Source: JobDetailsInfo, IOMetricsInfo (Flink 1.15 and newer), metric `numRestarts`; tried with 2.2.
 */
export async function readPulse(ask: Ask, jobId: string): Promise<FlinkPulse> {
  const what = `pulse of job ${jobId}`;
  const job = `/jobs/${encodeURIComponent(jobId)}`;
  const [{ vertices }, told] = await Promise.all([
    ask(what, job, details),
    ask(what, `${job}/metrics?get=numRestarts`, metrics),
  ]);
  const restarts = Number.parseInt(told.find((m) => m.id === 'numRestarts')?.value ?? '', 10);
  return {
    ...(Number.isNaN(restarts) ? {} : { restarts }),
    heldUpMs: vertices.map((v) => (v.metrics?.['accumulated-backpressured-time'] ?? 0) / Math.max(1, v.parallelism)),
  };
}
