import { evidence, type StepWords } from '../../failover/failover-step.ts';
import type { FailbackStep } from '../context.ts';

/** Finds where each partition of the old primary stopped being the active side's; reads only. */
export function findDivergence(words: StepWords): FailbackStep {
  return {
    id: 'find-divergence',
    ...words,
    timeoutMs: 600_000,
    onFailure: { kind: 'stop', hint: 'are both Kafkas reachable? see `argus status`, then run `argus failback` again' },
    async observe(context, _facts, io) {
      const found = await context.findDivergence(io.signal);
      const odd = found.filter((d) => d.kind !== 'same');
      return { kind: 'done', evidence: evidence({ partitions: found.length, odd }), facts: { found } };
    },
    async act() {
      // Nothing to change: observe has looked.
    },
    async verify() {
      return { kind: 'done', evidence: null };
    },
  };
}
