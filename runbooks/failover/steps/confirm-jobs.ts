import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';

/**
 * Waits until the platform below Flink finds the started jobs sound, too: for FlinkDeployments the operator's READY and
 * STABLE. They run by then, and names point to them; a platform that looks once a minute must hold neither up.
 */
export function confirmJobs(words: StepWords): FailoverStep {
  return {
    id: 'confirm-jobs',
    ...words,
    timeoutMs: 150_000,
    pollMs: 1_000,
    onFailure: {
      kind: 'continue',
      hint: 'the jobs run by their own word; see why the operator does not say so: kubectl describe flinkdeployment',
    },
    async observe() {
      return { kind: 'todo' };
    },
    async act() {
      // Nothing to do but to look.
    },
    async verify(context, facts, io) {
      const { flink } = context.standby;
      const looks = await eachAtOnce(Object.entries(facts.startedJobs ?? {}), atOnce, async ([name, id]) => {
        const health = await flink.health?.(id, { signal: io.signal });
        return { name, health };
      });
      const other = looks.find(({ health }) => health !== undefined && health.kind !== 'sound');
      if (other !== undefined) {
        return { kind: 'pending', waitingFor: `${other.name} runs, but ${other.health?.why ?? 'is not settled'}` };
      }
      const seen = looks.map(({ name, health }) => [name, { ...health?.says, restarts: health?.restarts }]);
      return { kind: 'done', evidence: evidence(Object.fromEntries(seen)) };
    },
  };
}
