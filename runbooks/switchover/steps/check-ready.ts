import { ArgusError } from '../../../domain/errors.ts';
import type { Roles } from '../../../domain/roles.ts';
import { readRoles } from '../../../state/roles.ts';
import { rolesChanged } from '../../engine/failures.ts';
import { evidence, type StepWords } from '../../failover/failover-step.ts';
import type { SwitchoverContext } from '../context.ts';
import { gatherReadiness, notReady } from '../readiness.ts';
import { notProven, over, type SwitchoverStep, startedThere } from '../switchover-step.ts';

/** Whether the roles in force are those that the switchover changes, or changes to. */
const isOf = ({ roles, standby }: SwitchoverContext, inForce: Roles) =>
  inForce.epoch === roles.epoch || (inForce.epoch === roles.epoch + 1 && inForce.primary === standby.name);

/** Looks again, since a person may have thought about the plan: nothing was changed yet that would have to be taken back. */
export function checkReady(words: StepWords): SwitchoverStep {
  return {
    id: 'check-ready',
    ...words,
    waitsFor: 'both sides',
    timeoutMs: 30_000,
    onFailure: { kind: 'stop', hint: 'see `argus status` and `argus standby check`' },
    async observe(context, _facts, io) {
      const inForce = await readRoles(context.state, { signal: io.signal });
      if (inForce !== undefined && !isOf(context, inForce)) return { kind: 'refused', error: rolesChanged(inForce) };
      const started = await startedThere(context, io.signal);
      const unproven = notProven(context, started);
      if (unproven !== undefined) return { kind: 'refused', error: unproven };
      if (started === 'all') return over;
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
