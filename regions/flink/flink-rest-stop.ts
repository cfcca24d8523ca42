import { z } from 'zod';
import type { SavepointStop, StopWithSavepoint } from './flink-jobs.ts';

/** One request about a job, as `flinkRestJobs` makes it. */
type AboutJob = <T>(what: string, path: string, answer: z.ZodType<T>, init?: RequestInit) => Promise<T>;

const triggered = z.object({ 'request-id': z.string() });
const status = z.object({
  status: z.object({ id: z.string() }),
  operation: z
    .object({
      location: z.string().nullish(),
      'failure-cause': z.object({ class: z.string().nullish(), 'stack-trace': z.string().nullish() }).nullish(),
    })
    .nullish(),
});

/**
 * Asks a job to stop with a savepoint. Flink answers a trigger that it knows with the same operation.
 * Source: StopWithSavepointRequestBody and `POST /jobs/:jobid/stop`, Flink 1.20 to 2.2.
 */
export async function triggerStop(ask: AboutJob, stop: StopWithSavepoint): Promise<void> {
  await ask(`stop job ${stop.jobId} with savepoint`, `/jobs/${encodeURIComponent(stop.jobId)}/stop`, triggered, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      targetDirectory: stop.directory,
      // Draining would fire windows and end timers that the other side must still have.
      drain: false,
      formatType: stop.format,
      triggerId: stop.triggerId,
    }),
  });
}

/** How that stands. Source: `GET /jobs/:jobid/savepoints/:triggerid`, AsynchronousOperationResult. */
export async function readStop(
  ask: AboutJob,
  jobId: string,
  triggerId: string,
  why: (trace: string) => string,
): Promise<SavepointStop> {
  const path = `/jobs/${encodeURIComponent(jobId)}/savepoints/${encodeURIComponent(triggerId)}`;
  const { status: state, operation } = await ask(`savepoint of job ${jobId}`, path, status);
  if (state.id !== 'COMPLETED') return { kind: 'running' };
  if (operation?.location) return { kind: 'done', path: operation.location };
  const trace = operation?.['failure-cause']?.['stack-trace'];
  return { kind: 'failed', reason: trace ? why(trace) : 'no reason given' };
}
