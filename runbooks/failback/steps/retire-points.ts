import { evidence, type StepWords } from '../../failover/failover-step.ts';
import type { FailbackContext, FailbackStep } from '../context.ts';

/**
 * Takes those checkpoints of the old primary out of the active side's replica that had read orphans: once the log there
 * has come as far, their offsets would look as if they fitted.
 */
export function retirePoints(words: StepWords): FailbackStep {
  const left = ({ findOvertaken }: FailbackContext, signal: AbortSignal) => findOvertaken(signal);
  let retired: readonly string[] = [];
  return {
    id: 'retire-points',
    ...words,
    timeoutMs: 120_000,
    onFailure: { kind: 'stop', hint: "is the active side's bucket reachable? then run `argus failback` again" },
    async observe(context, _facts, io) {
      const points = await left(context, io.signal);
      return points.length > 0 ? { kind: 'todo' } : { kind: 'done', evidence: 'none was overtaken' };
    },
    async act(context, _facts, io) {
      retired = await left(context, io.signal);
      for (const point of retired) {
        io.check();
        await context.retirePoint(point, io.signal);
      }
    },
    async verify(context, _facts, io) {
      const [point] = await left(context, io.signal);
      if (point !== undefined) return { kind: 'pending', waitingFor: `${point} to be taken out of the replica` };
      return { kind: 'done', evidence: evidence({ retired }) };
    },
  };
}
