import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { openDrills } from '../open-drills.ts';

/**
 * Ends the jobs of a drill that is in the way, by the ids that its note names and nothing else: they may hold the slots
 * that the jobs need. A drill that lives ends itself when it sees somebody act; what else it made is removed by it, or by
 * the next drill. A failover goes on without this.
 */
export function endDrill(words: StepWords): FailoverStep {
  return {
    id: 'end-drill',
    ...words,
    waitsFor: 'Flink of the standby',
    timeoutMs: 30_000,
    onFailure: {
      kind: 'continue',
      hint: "cancel the drill's jobs in the standby's Flink: their ids begin with d4111d4111",
    },
    async observe(context, _facts, { signal }) {
      const jobs = (await openDrills(context, signal)).flatMap((drill) => drill.jobs);
      return jobs.length > 0 ? { kind: 'todo' } : { kind: 'done', evidence: 'no job of a drill runs' };
    },
    async act(context, _facts, io) {
      const jobs = (await openDrills(context, io.signal)).flatMap((drill) => drill.jobs);
      await eachAtOnce(jobs, atOnce, async (id) => {
        io.check();
        await context.drillFlink?.cancel(id, { signal: io.signal });
      });
    },
    async verify(context, _facts, { signal }) {
      const drills = await openDrills(context, signal);
      const left = drills.find(({ jobs }) => jobs.length > 0);
      if (left !== undefined) return { kind: 'pending', waitingFor: `the jobs of ${left.run} to end` };
      return { kind: 'done', evidence: evidence({ ended: drills.map(({ run }) => run) }) };
    },
  };
}
