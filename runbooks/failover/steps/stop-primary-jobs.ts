import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { describeError } from '../../../domain/errors.ts';
import type { Roles } from '../../../domain/roles.ts';
import type { FlinkJob, ForcedStop } from '../../../regions/flink/flink-jobs.ts';
import { readRoles } from '../../../state/roles.ts';
import { rolesChanged } from '../../engine/failures.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords, within } from '../failover-step.ts';
import { isTerminal } from '../standby-job.ts';

/** How long a primary may take to answer before it counts as unreachable. */
const patienceMs = 2_000;

/** How long a job may go on after it was cancelled, when a person accepts that it may write: a region can be half dead. */
const stubbornMs = 15_000;

/** How long a cancellation may take before the platform is told to end the job by force, where it can. */
const forceAfterMs = 15_000;

/** Stops the primary's jobs and sees them stopped; a primary that can't be asked is let through only by a person's word. */
export function stopPrimaryJobs(words: StepWords): FailoverStep {
  let askedAt: number | undefined;
  let cancelFailed: string | undefined;
  let forced: ForcedStop = { done: [], unproven: [] };
  return {
    id: 'stop-primary-jobs',
    ...words,
    waitsFor: 'Flink of the primary',
    timeoutMs: 45_000,
    pollMs: 500,
    onFailure: {
      kind: 'stop',
      hint: "stop the primary's jobs by hand, or run `argus failover --accept-unfenced` again",
    },
    async observe(context, _facts, io) {
      // Read under the lease: who held it while this was planned may have changed the roles.
      const inForce = await readRoles(context.state, io);
      if (!isOf(context, inForce)) return { kind: 'refused', error: rolesChanged(inForce) };
      const jobs = await liveJobs(context, io);
      if ('unreachable' in jobs) return unfenced(context, jobs.unreachable);
      if (jobs.length > 0) return { kind: 'todo' };
      return { kind: 'done', evidence: evidence({ stopped: true, running: [] }), facts: { primaryStopped: true } };
    },
    async act(context, _facts, io) {
      const jobs = await liveJobs(context, io);
      if ('unreachable' in jobs) return;
      askedAt = io.clock.monotonic();
      await eachAtOnce(jobs, atOnce, async (job) => {
        io.check();
        try {
          await context.primary.flink.cancel(job.id, { signal: within(io.signal, patienceMs) });
        } catch (error) {
          io.signal.throwIfAborted();
          if (!context.acceptUnfenced) throw error;
          cancelFailed = describeError(error);
        }
      });
      forced = await forceStubborn(context, io);
    },
    async verify(context, _facts, io) {
      const jobs = await liveJobs(context, io);
      if ('unreachable' in jobs) {
        const seen = unfenced(context, jobs.unreachable);
        return seen.kind === 'refused' ? { kind: 'failed', error: seen.error } : seen;
      }
      const { done, unproven } = forced;
      if (unproven.length > 0) {
        const why = `${unproven.join(', ')} did not end: its node doesn't answer, so nobody sees whether it still writes`;
        if (context.acceptUnfenced) return accepted(context, why);
        return { kind: 'failed', error: unfencedRefusal(context.primary.name, why) };
      }
      if (jobs.length === 0) {
        const stopped = { stopped: true, running: [], ...(done.length === 0 ? {} : { forced: done }) };
        return { kind: 'done', evidence: evidence(stopped), facts: { primaryStopped: true } };
      }
      const states = jobs.map((j) => `${j.name} is ${j.state}`).join(', ');
      if (context.acceptUnfenced && askedAt !== undefined && io.clock.monotonic() - askedAt >= stubbornMs) {
        const why = cancelFailed === undefined ? '' : `: ${cancelFailed}`;
        return accepted(context, `${states} on it ${stubbornMs / 1_000} s after it was cancelled${why}`);
      }
      return { kind: 'pending', waitingFor: `${states} on the primary` };
    },
  };
}

/** Whether the roles in force are those that the failover changes, or those that one before it has changed them to. */
const isOf = ({ roles, standby }: FailoverContext, inForce: Roles | undefined) =>
  inForce?.epoch === roles.epoch ||
  (inForce?.epoch === roles.epoch + 1 && inForce.primary === standby.name && inForce.run?.includes('-failover-'));

/**
 * Waits for jobs that were cancelled, and ends those by force that outlast it. What nobody can see end is given up only
 * where a person accepts that it may write: else the next run would find nothing, and take that for proof.
 */
async function forceStubborn(context: FailoverContext, io: StepIo): Promise<ForcedStop> {
  const forceStop = context.primary.flink.forceStop?.bind(context.primary.flink);
  const done: string[] = [];
  const unproven: string[] = [];
  if (forceStop === undefined) return { done, unproven };
  for (const endsAt = io.clock.monotonic() + forceAfterMs; io.clock.monotonic() < endsAt; ) {
    const jobs = await liveJobs(context, io);
    if ('unreachable' in jobs || jobs.length === 0) return { done, unproven };
    await io.clock.sleep(500, io.signal);
  }
  const stubborn = await liveJobs(context, io);
  await eachAtOnce('unreachable' in stubborn ? [] : stubborn, atOnce, async (job) => {
    io.check();
    io.progress(`${job.name} is ${job.state} ${forceAfterMs / 1_000} s after it was cancelled: ending it by force`);
    const what = await forceStop(job.id, { signal: within(io.signal, 10_000), giveUp: context.acceptUnfenced });
    for (const each of what.done) io.progress(each);
    done.push(...what.done);
    unproven.push(...what.unproven);
  });
  return { done, unproven };
}

async function liveJobs(
  context: FailoverContext,
  io: StepIo,
): Promise<readonly FlinkJob[] | { readonly unreachable: string }> {
  const names = new Set(context.jobs.map((j) => j.config.name));
  try {
    const jobs = await context.primary.flink.list({ signal: within(io.signal, patienceMs) });
    return jobs.filter((j) => names.has(j.name) && !isTerminal(j));
  } catch (error) {
    io.signal.throwIfAborted();
    return { unreachable: describeError(error) };
  }
}

function unfenced(context: FailoverContext, why: string) {
  if (!context.acceptUnfenced && context.guard !== undefined) return leftToGuard(why);
  if (!context.acceptUnfenced) return { kind: 'refused', error: unfencedRefusal(context.primary.name, why) } as const;
  return accepted(context, why);
}

/** A region that nobody reaches: its guard keeps the jobs from writing to Kafka, which the next step waits for. */
const leftToGuard = (why: string) =>
  ({
    kind: 'done',
    evidence: evidence({ stopped: false, leftToGuard: true, why }),
    facts: { primaryStopped: false, unfencedBecause: why },
  }) as const;

const accepted = (context: FailoverContext, why: string) =>
  ({
    kind: 'done',
    evidence: evidence({ stopped: false, accepted: true, by: context.by, why }),
    facts: { primaryStopped: false, unfencedBecause: why },
  }) as const;

/** Why an unreachable primary stops a failover. */
export const unfencedRefusal = (primary: string, why: string) => ({
  code: 'PrimaryUnfenced',
  message: `${primary}'s jobs can't be seen stopped: ${why}`,
  hint: `make sure that ${primary} is down or cut off from its clients, then add --accept-unfenced`,
});
