import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { FlinkJob } from '../../regions/flink/flink-jobs.ts';
import type { StepIo } from '../engine/step.ts';
import type { FailoverContext } from './context.ts';
import { atOnce } from './failover-step.ts';
import { findStandbyJob, type StandbyJob } from './standby-job.ts';

/** `stuck`: an earlier run started it, it never ran, and as it is it won't: it is made anew under its id. */
export type StandbyJobNow =
  | StandbyJob
  | { readonly kind: 'stuck'; readonly job: FlinkJob; readonly nextId: string; readonly why: string };

export interface FoundStandbyJob {
  readonly name: string;
  readonly there: StandbyJobNow;
}

/** What the standby has of the jobs that are to be promoted, by its Flink and by the platform below. */
export async function standbyJobsNow(
  context: Pick<FailoverContext, 'jobs' | 'roles' | 'standby'>,
  io: Pick<StepIo, 'signal'>,
): Promise<readonly FoundStandbyJob[]> {
  const { flink } = context.standby;
  const jobs = await flink.list({ signal: io.signal });
  return await eachAtOnce(context.jobs, atOnce, async ({ config: { name } }): Promise<FoundStandbyJob> => {
    const there = findStandbyJob(jobs, context.roles.epoch + 1, name);
    if (there.kind !== 'live' || there.job.state === 'RUNNING' || flink.health === undefined) return { name, there };
    try {
      const { remake, why = 'it does not run' } = await flink.health(there.job.id, { signal: io.signal });
      return { name, there: remake ? { kind: 'stuck', job: there.job, nextId: there.job.id, why } : there };
    } catch (error) {
      io.signal.throwIfAborted();
      // What isn't known to be stuck is left alone.
      if (error instanceof ArgusError) return { name, there };
      throw error;
    }
  });
}

/** So long a cancellation may take before the platform ends the job by force. */
const forceAfterMs = 20_000;

/** Ends a job that is stuck, and sees it gone; until the signal ends. */
export async function endStuckJob(context: FailoverContext, jobId: string, io: StepIo): Promise<void> {
  const { flink } = context.standby;
  const gone = async () => !(await flink.list({ signal: io.signal })).some(({ id }) => id === jobId);
  await flink.cancel(jobId, { signal: io.signal });
  const endsAt = io.clock.monotonic() + forceAfterMs;
  for (let forced = false; !(await gone()); ) {
    await io.clock.sleep(500, io.signal);
    if (forced || flink.forceStop === undefined || io.clock.monotonic() < endsAt) continue;
    io.check();
    forced = true;
    const { done } = await flink.forceStop(jobId, { signal: io.signal });
    for (const each of done) io.progress(each);
  }
}
