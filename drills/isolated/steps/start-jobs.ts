import { ArgusError, describeError } from '../../../domain/errors.ts';
import { evidence } from '../../../runbooks/failover/failover-step.ts';
import { isTerminal } from '../../../runbooks/failover/standby-job.ts';
import { clearBubble, startUnderWayMs } from '../clear-bubble.ts';
import type { IsolatedContext, IsolatedStep } from '../context.ts';

/** Starts the jobs in the bubble, each from its copy of the point, with the drill's names alone. */
export function startDrillJobs(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  return {
    id: 'start-jobs',
    ...words,
    waitsFor: 'Flink of the drill',
    timeoutMs: 180_000,
    onFailure: { kind: 'stop', hint: "see the job's exceptions in the drill's Flink" },
    async observe() {
      return { kind: 'todo' };
    },
    async act({ jobs, standby, questions, findings }, { copies }, io) {
      for (const { config, flinkJobId, jarPath, args, manifest, checkpoints } of jobs) {
        const copy = copies?.get(config.name);
        if (copy === undefined) throw new ArgusError('RestoreNotPrepared', `nothing is prepared for ${config.name}`);
        const directory = `${standby.objects.uri}/${checkpoints}`;
        io.progress(`starting ${config.name} as ${flinkJobId}`);
        io.check();
        try {
          await standby.flink.start(
            {
              name: config.name,
              jarPath,
              entryClass: config.submit?.entryClass ?? '',
              args,
              ...(manifest === undefined ? {} : { manifest }),
              parallelism: config.submit?.parallelism ?? 1,
              savepointPath: copy.uri,
              claimMode: copy.claimMode,
              // Flink 2 and Flink 1 call it differently, and neither minds the other's.
              configuration: { 'execution.checkpointing.dir': directory, 'state.checkpoints.dir': directory },
              jobId: flinkJobId,
            },
            { signal: io.signal },
          );
        } catch (error) {
          io.signal.throwIfAborted();
          if (error instanceof ArgusError && error.code === 'FlinkRefused')
            findings.causes.push(questions.causeOf(config.name, describeError(error)));
          throw error;
        }
      }
    },
    async verify(context, _facts, { signal }) {
      const looked = await jobsNow(context, signal);
      if (looked.kind !== 'alive') return looked;
      const started = context.jobs.map(({ config, flinkJobId }) => ({ job: config.name, flinkJobId }));
      return { kind: 'done', evidence: evidence({ started }) };
    },
    async compensate({ standby, run }, _facts, io) {
      const removed = await clearBubble(standby, run, io, startUnderWayMs);
      return removed === 0 ? undefined : { removed };
    },
  };
}

/** Whether the drill's jobs are all there and none has ended; one that has is named with Flink's reason. */
export async function jobsNow({ jobs, standby, questions, findings }: IsolatedContext, signal: AbortSignal) {
  const there = await standby.flink.list({ signal });
  for (const { config, flinkJobId } of jobs) {
    const job = there.find(({ id }) => id === flinkJobId);
    if (job === undefined) {
      return { kind: 'pending', waitingFor: `${config.name} is not in the drill's cluster yet` } as const;
    }
    if (!isTerminal(job)) continue;
    const why = (await standby.flink.failureOf(flinkJobId, { signal })) ?? 'no reason recorded';
    const cause = questions.causeOf(config.name, why);
    findings.causes.push(cause);
    const { code, message } = cause;
    return { kind: 'failed', error: { code, message } } as const;
  }
  return { kind: 'alive', there } as const;
}
