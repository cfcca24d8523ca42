import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { ArgusError } from '../../../domain/errors.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { findStandbyJob, type StandbyJob } from '../standby-job.ts';

/** Starts the jobs on the standby from their recovery points. From here on the standby writes: nothing is taken back. */
export function startJobs(words: StepWords): FailoverStep {
  return {
    id: 'start-jobs',
    ...words,
    timeoutMs: 120_000,
    pointOfNoReturn: true,
    onFailure: {
      kind: 'stop',
      hint: "see the job's exceptions in the standby's Flink; `argus failover` again starts it anew from the same point",
    },
    async observe(context, _facts, io) {
      const found = await standbyJobs(context, io);
      const foreign = found.find((f) => f.there.kind === 'foreign');
      if (foreign) return { kind: 'refused', error: foreignJobRefusal(foreign.name, context.standby.name) };
      if (!found.every((f) => f.there.kind === 'live')) return { kind: 'todo' };
      const startedJobs = idsOf(found);
      return { kind: 'done', evidence: evidence({ startedJobs }), facts: { startedJobs } };
    },
    async act(context, facts, io) {
      await eachAtOnce(await standbyJobs(context, io), atOnce, async ({ name, there }) => {
        if (there.kind !== 'none') return;
        const { config, jarPath } = context.jobs.find((j) => j.config.name === name)!;
        const restore = facts.restores?.find((r) => r.job === name);
        if (restore === undefined || (restore.jobId ?? there.nextId) !== there.nextId) {
          // It ended since then. A copy that it may have consumed is not given to another.
          throw new ArgusError('RestoreNotPrepared', `${name} ended before it was started: nothing is prepared for it`);
        }
        const point = facts.points?.find((p) => p.job === name);
        io.progress(`starting ${name} from checkpoint ${point?.checkpointId} (${restore.claimMode})`);
        io.check();
        await context.standby.flink.start(
          {
            name,
            jarPath,
            entryClass: config.submit?.entryClass ?? '',
            args: config.submit?.args[context.standby.name] ?? [],
            parallelism: config.submit?.parallelism ?? 1,
            savepointPath: restore.uri,
            claimMode: restore.claimMode,
            jobId: there.nextId,
          },
          { signal: io.signal },
        );
      });
    },
    async verify(context, _facts, io) {
      const found = await standbyJobs(context, io);
      for (const { name, there } of found) {
        if (there.kind === 'live') continue;
        const ended = there.kind === 'none' ? there.ended.at(-1) : undefined;
        if (ended === undefined) return { kind: 'pending', waitingFor: `${name} is not in the standby's cluster yet` };
        const why = await context.standby.flink.failureOf(ended.id, { signal: io.signal });
        const message = `${name} is ${ended.state} on ${context.standby.name}: ${why ?? 'no reason recorded'}`;
        return { kind: 'failed', error: { code: 'JobFailed', message } };
      }
      const startedJobs = idsOf(found);
      return { kind: 'done', evidence: evidence({ startedJobs }), facts: { startedJobs } };
    },
  };
}

interface Found {
  readonly name: string;
  readonly there: StandbyJob;
}

async function standbyJobs(context: FailoverContext, io: StepIo): Promise<readonly Found[]> {
  const jobs = await context.standby.flink.list({ signal: io.signal });
  return context.jobs.map(({ config: { name } }) => ({
    name,
    there: findStandbyJob(jobs, context.roles.epoch + 1, name),
  }));
}

const idsOf = (found: readonly Found[]) =>
  Object.fromEntries(found.flatMap((f) => (f.there.kind === 'live' ? [[f.name, f.there.job.id]] : [])));

/** Why a job of the same name that somebody else started on the standby stops a failover. */
export const foreignJobRefusal = (job: string, standby: string) => ({
  code: 'ForeignJob',
  message: `a job called ${job} runs on ${standby} that no failover started`,
  hint: `cancel it in ${standby}'s Flink: two jobs would write the same output`,
});
