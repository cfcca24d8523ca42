import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { ArgusError } from '../../../domain/errors.ts';
import { keyInBucket } from '../../../replication/checkpoints/locations.ts';
import { giveRole } from '../../../state/role-grant.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext, FailoverFacts, PreparedRestore } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { findStandbyJob } from '../standby-job.ts';
import { endStuckJob, type FoundStandbyJob, standbyJobsNow } from '../standby-jobs-now.ts';

/**
 * Starts the jobs on the standby from their recovery points, once the state says that it may run: jobs may ask for that
 * before they come up (`argus role await`). From here on the standby writes: nothing is taken back.
 */
export function startJobs(words: StepWords): FailoverStep {
  return {
    id: 'start-jobs',
    ...words,
    waitsFor: 'Flink of the standby',
    timeoutMs: 120_000,
    pointOfNoReturn: true,
    onFailure: {
      kind: 'stop',
      hint: "see the job's exceptions in the standby's Flink; `argus failover` again starts it anew from the same point",
    },
    async observe(context, _facts, io) {
      const found = await standbyJobsNow(context, io);
      const foreign = found.find((f) => f.there.kind === 'foreign');
      if (foreign) return { kind: 'refused', error: foreignJobRefusal(foreign.name, context.standby.name) };
      if (!found.every((f) => f.there.kind === 'live')) return { kind: 'todo' };
      const startedJobs = idsOf(found);
      return { kind: 'done', evidence: evidence({ startedJobs }), facts: { startedJobs } };
    },
    async act(context, facts, io) {
      const due = (await standbyJobsNow(context, io)).flatMap(({ name, there }) =>
        there.kind === 'none' || there.kind === 'stuck'
          ? [{ name, there, restore: restoreOf(name, there, facts) }]
          : [],
      );
      await eachAtOnce(due, atOnce, ({ name, restore }) => seeMetadata(context, name, restore.uri, io));
      io.check();
      const { state, roles, standby, run } = context;
      const grant = { epoch: roles.epoch + 1, region: standby.name, run, atMs: io.clock.now() };
      await giveRole(state, grant, { signal: io.signal });
      await eachAtOnce(due, atOnce, async ({ name, there, restore }) => {
        const { config, jarPath } = context.jobs.find((j) => j.config.name === name)!;
        if (there.kind === 'stuck') {
          io.check();
          io.progress(`ending ${name}, which never ran, to start it anew: ${there.why}`);
          await endStuckJob(context, there.job.id, io);
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
      // That it also comes up is for the wait for its checkpoint to see.
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

/** What a job is restored from. A copy that one which has ended may have consumed is not given to another. */
function restoreOf(job: string, there: { readonly nextId: string }, facts: Partial<FailoverFacts>): PreparedRestore {
  const restore = facts.restores?.find((r) => r.job === job);
  if (restore !== undefined && (restore.jobId ?? there.nextId) === there.nextId) return restore;
  throw new ArgusError('RestoreNotPrepared', `${job} ended before it was started: nothing is prepared for it`);
}

/** Flink and its operator tell little or nothing of a path that isn't there: the job just never comes up. */
async function seeMetadata(context: FailoverContext, job: string, uri: string, io: StepIo): Promise<void> {
  const { objects, name } = context.standby;
  const folder = keyInBucket(uri, objects.uri);
  // Outside of the bucket only Flink can look.
  if (folder === undefined || (await objects.head(`${folder}/_metadata`, { signal: io.signal })) !== undefined) return;
  throw new ArgusError(
    'PointGone',
    `${uri}/_metadata, which ${job} was to be restored from, is not in ${name}'s bucket`,
    {
      hint: 'run `argus failover` again: it chooses among what is there; `argus checkpoints verify` tells what lacks',
    },
  );
}

async function standbyJobs(context: FailoverContext, io: StepIo): Promise<readonly FoundStandbyJob[]> {
  const jobs = await context.standby.flink.list({ signal: io.signal });
  return context.jobs.map(({ config: { name } }) => ({
    name,
    there: findStandbyJob(jobs, context.roles.epoch + 1, name),
  }));
}

const idsOf = (found: readonly FoundStandbyJob[]) =>
  Object.fromEntries(found.flatMap((f) => (f.there.kind === 'live' ? [[f.name, f.there.job.id]] : [])));

/** Why a job of the same name that somebody else started on the standby stops a failover. */
export const foreignJobRefusal = (job: string, standby: string) => ({
  code: 'ForeignJob',
  message: `a job called ${job} runs on ${standby} that no failover started`,
  hint: `cancel it in ${standby}'s Flink: two jobs would write the same output`,
});
