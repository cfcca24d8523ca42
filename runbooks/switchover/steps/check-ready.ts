import { ArgusError } from '../../../domain/errors.ts';
import { evidence, type StepWords } from '../../failover/failover-step.ts';
import { gatherReadiness, notReady } from '../readiness.ts';
import { hasTakenOver, over, type SwitchoverStep } from '../switchover-step.ts';

/** Looks again, since a person may have thought about the plan: nothing was changed yet that would have to be taken back. */
export function checkReady(words: StepWords): SwitchoverStep {
  return {
    id: 'check-ready',
    ...words,
    waitsFor: 'both sides',
    timeoutMs: 30_000,
    onFailure: { kind: 'stop', hint: 'see `argus status` and `argus standby check`' },
    async observe(context, _facts, io) {
      if (await hasTakenOver(context, io.signal)) return over;
      const seen = await gatherReadiness(context, io.signal);
      const [refusal] = notReady(seen, context);
      if (refusal !== undefined) return { kind: 'refused', error: refusal };
      return { kind: 'done', evidence: evidence({ lagRecords: seen.lagRecords, watchedAgeMs: seen.watchedAgeMs }) };
    },
    async act() {
      throw new ArgusError('NothingToDo', 'looking changes nothing');
    },
    async verify() {
      return { kind: 'done', evidence: null };
    },
  };
}
