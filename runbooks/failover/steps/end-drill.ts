import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { openDrills } from '../open-drills.ts';

/**
 * Ends the jobs of a drill that is in the way, by the ids that its note names and nothing else: they may hold the slots
 * that the jobs need. Those that hold none are asked to end, and not waited for. A drill that lives ends itself when it
 * sees somebody act; what else it made is removed by it, or by the next drill. A failover goes on without this.
 */
export function endDrill(words: StepWords): FailoverStep {
  const asked = new Set<string>();
  return {
    id: 'end-drill',
    ...words,
    waitsFor: 'Flink of the standby',
    timeoutMs: 10_000,
    onFailure: {
      kind: 'continue',
      hint: "cancel the drill's jobs in the standby's Flink: their ids begin with d4111d4111",
    },
    async observe(context, _facts, { signal }) {
      const jobs = (await openDrills(context, signal)).flatMap((drill) => drill.jobs);
      return jobs.length > 0 ? { kind: 'todo' } : { kind: 'done', evidence: 'no job of a drill runs' };
    },
    async act(context, _facts, io) {
      const drills = (await openDrills(context, io.signal)).filter(({ jobs }) => jobs.length > 0);
      for (const { run } of drills) asked.add(run);
      const jobs = drills.flatMap((drill) => drill.jobs);
      await eachAtOnce(jobs, atOnce, async (id) => {
        io.check();
        await context.drillFlink?.cancel(id, { signal: io.signal });
      });
    },
    async verify(context, _facts, { signal }) {
      const left = (await openDrills(context, signal)).filter(({ jobs }) => jobs.length > 0);
      const inTheWay = left.find(({ slots }) => slots > 0);
      if (inTheWay !== undefined) return { kind: 'pending', waitingFor: `the jobs of ${inTheWay.run} to end` };
      const living = new Set(left.map(({ run }) => run));
      const ended = [...asked].filter((run) => !living.has(run));
      return { kind: 'done', evidence: evidence({ asked: [...asked], ended }) };
    },
  };
}
