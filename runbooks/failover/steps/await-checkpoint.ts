import { eachAtOnce } from '../../../domain/each-at-once.ts';
import type { FlinkCheckpoints } from '../../../regions/flink/flink-jobs.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { isTerminal } from '../standby-job.ts';

/**
 * Waits until each job has completed a checkpoint of its own: the first proof that it recovered. A job that is RUNNING,
 * or reads records, may still fail over its state.
 */
export function awaitCheckpoint(words: StepWords): FailoverStep {
  /** Jobs that have recovered, with the checkpoint that shows it: they are asked no more. */
  const seen = new Map<string, FlinkCheckpoints['latestCompleted']>();
  return {
    id: 'await-checkpoint',
    ...words,
    timeoutMs: 300_000,
    onFailure: {
      kind: 'stop',
      hint: "see the job's exceptions and checkpoints in the standby's Flink; then run `argus failover` again",
    },
    async observe() {
      return { kind: 'todo' };
    },
    async act() {
      // Nothing to do but to look.
    },
    async verify(context, facts, io) {
      const jobs = await context.standby.flink.list({ signal: io.signal });
      const looks = await eachAtOnce(Object.entries(facts.startedJobs ?? {}), atOnce, async ([name, id]) => {
        const job = jobs.find((j) => j.id === id);
        if (job === undefined || isTerminal(job)) {
          const why = job && (await context.standby.flink.failureOf(id, { signal: io.signal }));
          const message = `${name} is ${job?.state ?? 'gone'} on ${context.standby.name}: ${why ?? 'no reason recorded'}`;
          return { kind: 'failed', error: { code: 'JobFailed', message } } as const;
        }
        if (seen.has(name)) return undefined;
        const checkpoints = await context.standby.flink.checkpoints(id, { signal: io.signal });
        if (hasRecovered(checkpoints)) {
          seen.set(name, checkpoints.latestCompleted);
          return undefined;
        }
        const waitingFor = `${name} is ${job.state}, without a checkpoint of its own yet`;
        return { kind: 'pending', waitingFor } as const;
      });
      const other = looks.find((look) => look?.kind === 'failed') ?? looks.find((look) => look !== undefined);
      if (other !== undefined) return other;
      return { kind: 'done', evidence: evidence(Object.fromEntries(seen)), facts: { recoveredAtMs: io.clock.now() } };
    },
  };
}

/** Whether a restored job has completed a checkpoint newer than the restored one. Pure. */
export function hasRecovered({ restored, latestCompleted, completedCount }: FlinkCheckpoints): boolean {
  return (
    restored !== undefined && completedCount > 0 && latestCompleted !== undefined && latestCompleted.id > restored.id
  );
}
