import { describeError } from '../../../domain/errors.ts';
import type { FlinkJob } from '../../../regions/flink/flink-jobs.ts';
import type { Failure } from '../../../state/journal.ts';
import { readRoles } from '../../../state/roles.ts';
import { rolesChanged } from '../../engine/failures.ts';
import type { StepIo } from '../../engine/step.ts';
import { evidence, type StepWords, within } from '../../failover/failover-step.ts';
import { isTerminal } from '../../failover/standby-job.ts';
import type { FailbackContext, FailbackStep } from '../context.ts';

/** How long the old primary's Flink may take to answer before it counts as unreachable. */
const patienceMs = 4_000;

/** Stops what still runs of the jobs on the old primary: they would write to logs that are looked at and deleted. */
export function stopOldJobs(words: StepWords): FailbackStep {
  return {
    id: 'stop-old-jobs',
    ...words,
    timeoutMs: 60_000,
    pollMs: 500,
    onFailure: { kind: 'stop', hint: "stop the old primary's jobs by hand, then run `argus failback` again" },
    async observe(context, _facts, io) {
      // Read under the lease: who held it while this was planned may have turned the roles, and then all else is stale.
      const inForce = await readRoles(context.state, io);
      if (inForce?.epoch !== context.roles.epoch) return { kind: 'refused', error: rolesChanged(inForce) };
      const jobs = await liveJobs(context, io);
      if ('unreachable' in jobs) {
        if (!context.acceptUnfenced) return { kind: 'refused', error: unseenRefusal(context, jobs.unreachable) };
        const facts = { oldJobsStopped: false, unfencedBecause: jobs.unreachable };
        return { kind: 'done', evidence: evidence({ ...facts, acceptedBy: context.by }), facts };
      }
      return jobs.length > 0 ? { kind: 'todo' } : stopped;
    },
    async act(context, _facts, io) {
      const jobs = await liveJobs(context, io);
      for (const job of 'unreachable' in jobs ? [] : jobs) {
        io.check();
        await context.standby.flink.cancel(job.id, { signal: within(io.signal, patienceMs) });
      }
    },
    async verify(context, _facts, io) {
      const jobs = await liveJobs(context, io);
      if ('unreachable' in jobs) return { kind: 'failed', error: unseenRefusal(context, jobs.unreachable) };
      if (jobs.length === 0) return stopped;
      return { kind: 'pending', waitingFor: jobs.map((j) => `${j.name} is ${j.state}`).join(', ') };
    },
  };
}

const stopped = {
  kind: 'done',
  evidence: { stopped: true },
  facts: { oldJobsStopped: true },
} as const;

async function liveJobs(
  { config, standby }: FailbackContext,
  io: StepIo,
): Promise<readonly FlinkJob[] | { readonly unreachable: string }> {
  const names = new Set(config.jobs.map((j) => j.name));
  try {
    const jobs = await standby.flink.list({ signal: within(io.signal, patienceMs) });
    return jobs.filter((j) => names.has(j.name) && !isTerminal(j));
  } catch (error) {
    io.signal.throwIfAborted();
    return { unreachable: describeError(error) };
  }
}

const unseenRefusal = ({ standby }: FailbackContext, why: string): Failure => ({
  code: 'OldPrimaryUnfenced',
  message: `${standby.name}'s jobs can't be seen stopped: ${why}`,
  hint: `start ${standby.name}'s Flink; or make sure that no job runs there, then add --accept-unfenced`,
});
