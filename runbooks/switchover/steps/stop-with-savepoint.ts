import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { ArgusError } from '../../../domain/errors.ts';
import type { FlinkJob } from '../../../regions/flink/flink-jobs.ts';
import type { Json } from '../../../state/journal.ts';
import type { StepIo } from '../../engine/step.ts';
import { atOnce, evidence, type StepWords } from '../../failover/failover-step.ts';
import { isTerminal } from '../../failover/standby-job.ts';
import { refuseOncePromoted } from '../../failover/steps/freeze-mirror.ts';
import type { StoredSavepoint, SwitchoverContext } from '../context.ts';
import {
  hasTakenOver,
  over,
  returnedJobId,
  type SwitchoverStep,
  savepointRoot,
  standingSavepoints,
  stopTriggerId,
} from '../switchover-step.ts';

/** What has become of one job that is to be stopped with a savepoint. */
export type StoppedJob =
  | { readonly kind: 'live'; readonly job: FlinkJob }
  /** `known`: its cluster still lists it, and might start it again. */
  | { readonly kind: 'stopped'; readonly savepoint: StoredSavepoint; readonly known: boolean }
  /** It ended without one. */
  | { readonly kind: 'lost'; readonly why: string };

/**
 * Judges a job by its cluster and its savepoints in the bucket. Pure. A cluster of the job's own may be gone with it:
 * then the newest savepoint that was asked for tells that it was stopped.
 */
export function judgeStop(name: string, jobs: readonly FlinkJob[], savepoints: readonly StoredSavepoint[]): StoppedJob {
  const own = jobs.filter((j) => j.name === name).toSorted((a, b) => b.startedAtMs - a.startedAtMs);
  const live = own.find((j) => !isTerminal(j));
  if (live !== undefined) return { kind: 'live', job: live };
  const newest = own[0];
  const savepoint = newest === undefined ? savepoints[0] : savepoints.find((s) => s.flinkJobId === newest.id);
  const ended = newest === undefined || newest.state === 'FINISHED' || newest.state === 'SUSPENDED';
  if (savepoint !== undefined && ended) return { kind: 'stopped', savepoint, known: newest?.state === 'FINISHED' };
  const why = newest === undefined ? 'not in the cluster' : newest.state;
  return { kind: 'lost', why: `${name} is ${why}, and no savepoint of it tells where it ended` };
}

/**
 * Stops every job with a savepoint and without draining, and sees it FINISHED: its sinks have committed by then. A job
 * that can't take one goes on, and the switchover gives up. Taken back, it runs again on the primary from its savepoint.
 */
export function stopWithSavepoint(words: StepWords): SwitchoverStep {
  const triggers = new Map<string, string>();
  return {
    id: 'stop-with-savepoint',
    ...words,
    waitsFor: 'Flink of the primary',
    timeoutMs: 300_000,
    pollMs: 300,
    onFailure: {
      kind: 'stop',
      hint: "see the job's exceptions in the primary's Flink, then run `argus switchover` again",
    },
    async observe(context, _facts, io) {
      if (await hasTakenOver(context, io.signal)) return over;
      const found = await judgeAll(context, io.signal);
      return found.every((f) => isSettled(context, f)) ? stopped(found) : { kind: 'todo' };
    },
    async act(context, _facts, io) {
      const found = await judgeAll(context, io.signal);
      const live = found.flatMap((f) => (f.kind === 'live' ? [f.job] : []));
      await eachAtOnce(live, atOnce, async (job) => {
        triggers.set(job.id, await askToStop(context, job, io));
      });
      await settle(context, io);
    },
    async verify(context, _facts, io) {
      const found = await judgeAll(context, io.signal);
      for (const each of found) {
        if (each.kind === 'lost') return { kind: 'failed', error: { code: 'JobLost', message: each.why } };
        if (each.kind === 'stopped') continue;
        const { id, name, state } = each.job;
        const trigger = triggers.get(id);
        const stands = trigger && (await context.primary.flink.savepointStop?.(id, trigger, { signal: io.signal }));
        if (stands && stands.kind === 'failed') {
          const message = `${name} could not be stopped with a savepoint: ${stands.reason}`;
          return { kind: 'failed', error: { code: 'SavepointFailed', message } };
        }
        return { kind: 'pending', waitingFor: `${name}, which is ${state}, to end with its savepoint` };
      }
      return stopped(found);
    },
    async compensate(context, _facts, io) {
      await refuseOncePromoted(context, io.signal);
      const running: Record<string, Json> = {};
      await eachAtOnce(context.jobs, atOnce, async ({ config: { name } }) => {
        running[name] = await startAgain(context, name, io);
      });
      return { running, on: context.primary.name };
    },
  };
}

/** Asks one job to stop, unless that is asked already; gives the request's id. */
async function askToStop(context: SwitchoverContext, { id, name }: FlinkJob, io: StepIo): Promise<string> {
  const { flink, objects } = context.primary;
  if (flink.stopWithSavepoint === undefined) {
    throw new ArgusError('StopUnsupported', `${context.primary.name}'s Flink can't stop a job with a savepoint`);
  }
  const { triggerId, stands } = await stopUnderWay(context, id, io.signal);
  if (stands !== 'unknown') return triggerId;
  const { checkpointing } = await flink.settings(id, { signal: io.signal });
  const { config } = context.jobs.find((j) => j.config.name === name)!;
  const directory = `${objects.uri}/${savepointRoot(context.roles.epoch, config)}/${id}`;
  const format = checkpointing?.changelog === true ? 'CANONICAL' : 'NATIVE';
  io.progress(`stopping ${name} with a savepoint`);
  io.check();
  await flink.stopWithSavepoint({ jobId: id, directory, triggerId, format }, { signal: io.signal });
  return triggerId;
}

/** Runs a stopped job on the primary again, from its savepoint, unless it runs; gives the id of the one that does. */
async function startAgain(context: SwitchoverContext, name: string, io: StepIo): Promise<string> {
  const { flink, objects } = context.primary;
  const found = await endOfStop(context, name, io);
  if (found.kind === 'live') return found.job.id;
  if (found.kind === 'lost') throw new ArgusError('JobLost', found.why);
  const { config, jarPath } = context.jobs.find((j) => j.config.name === name)!;
  const { flinkJobId } = found.savepoint;
  const jobId = returnedJobId(context.roles.epoch, flinkJobId);
  // A cluster that forgot the job forgot its settings: then Flink itself refuses what can't be restored so.
  const settings = await flink.settings(flinkJobId, { signal: io.signal }).catch(() => undefined);
  io.check();
  await flink.start(
    {
      name,
      jarPath,
      entryClass: config.submit?.entryClass ?? '',
      args: config.submit?.args[context.primary.name] ?? [],
      parallelism: config.submit?.parallelism ?? 1,
      savepointPath: `${objects.uri}/${found.savepoint.directory}`,
      // The changelog state backend refuses NO_CLAIM.
      claimMode: settings?.checkpointing?.changelog === true ? 'CLAIM' : 'NO_CLAIM',
      jobId,
    },
    { signal: io.signal },
  );
  for (;;) {
    const now = (await flink.list({ signal: io.signal })).find((j) => j.id === jobId);
    if (now?.state === 'RUNNING') return jobId;
    if (now !== undefined && isTerminal(now)) {
      throw new ArgusError('JobFailed', `${name} is ${now.state} on ${context.primary.name}, started again`);
    }
    await io.clock.sleep(300, io.signal);
  }
}

/** Waits for jobs of clusters of their own to end, and keeps their platform from starting them again. */
async function settle(context: SwitchoverContext, io: StepIo): Promise<void> {
  const { flink } = context.primary;
  if (flink.settle === undefined) return;
  for (const { config } of context.jobs) {
    const found = await endOfStop(context, config.name, io);
    if (found.kind !== 'stopped' || !found.known) continue;
    io.check();
    await flink.settle(found.savepoint.flinkJobId, { signal: io.signal });
  }
}

/** How a request to stop ended: one that is under way must not end the job after it was found to run. */
async function endOfStop(context: SwitchoverContext, name: string, io: StepIo): Promise<StoppedJob> {
  for (;;) {
    const found = await judge(context, name, io.signal);
    if (found.kind !== 'live') return found;
    const { stands } = await stopUnderWay(context, found.job.id, io.signal);
    if (stands === 'unknown') return found;
    await io.clock.sleep(300, io.signal);
  }
}

/** The request to stop a job that was made and has not failed, or the next that can be made. */
async function stopUnderWay(
  context: SwitchoverContext,
  jobId: string,
  signal: AbortSignal,
): Promise<{ readonly triggerId: string; readonly stands: 'unknown' | 'running' | 'done' }> {
  for (let attempt = 0; ; attempt++) {
    const triggerId = stopTriggerId(context.roles.epoch, jobId, attempt);
    const stands = (await context.primary.flink.savepointStop?.(jobId, triggerId, { signal }))?.kind ?? 'unknown';
    if (stands !== 'failed') return { triggerId, stands };
  }
}

const isSettled = (context: SwitchoverContext, found: StoppedJob) =>
  found.kind === 'stopped' && (context.primary.flink.settle === undefined || !found.known);

async function judgeAll(context: SwitchoverContext, signal: AbortSignal): Promise<readonly StoppedJob[]> {
  const jobs = await context.primary.flink.list({ signal });
  return eachAtOnce(context.jobs, atOnce, async ({ config: { name } }) =>
    judgeStop(name, jobs, await standingSavepoints(context, name, signal)),
  );
}

async function judge(context: SwitchoverContext, name: string, signal: AbortSignal): Promise<StoppedJob> {
  const jobs = await context.primary.flink.list({ signal });
  return judgeStop(name, jobs, await standingSavepoints(context, name, signal));
}

function stopped(found: readonly StoppedJob[]) {
  const savepoints = found.flatMap((f) => (f.kind === 'stopped' ? [f.savepoint] : []));
  return { kind: 'done' as const, evidence: evidence({ savepoints }), facts: { savepoints } };
}
