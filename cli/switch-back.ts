import type { Roles } from '../domain/roles.ts';
import { refusal, rolesChanged } from '../runbooks/engine/failures.ts';
import type { SwitchoverReport } from '../runbooks/switchover/report.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';
import { renderSwitchoverPlan } from './render-switchover.ts';
import { carryOutSwitchOver, type PreparedSwitchover, planSwitchOver, type SwitchOverOptions } from './switch-over.ts';

/** So long a switchover may be blocked by what passes by itself, as right after the standby has caught up. */
const settleMs = 60_000;
const lookEveryMs = 2_000;

/**
 * Switches over to the old primary, which follows by these roles: a run of its own, planned anew, agreed to, and refused
 * (exit code 3) by whatever still blocks a switchover after a minute, or when the roles have changed meanwhile.
 */
export async function switchBack(
  context: CommandContext,
  composition: Composition,
  roles: Roles,
  options: SwitchOverOptions,
): Promise<SwitchoverReport> {
  const prepared = await untilUnblocked(context, async () => {
    const now = await planSwitchOver(context, composition, options);
    if (now.target.roles.epoch !== roles.epoch) throw refusal(rolesChanged(now.target.roles));
    return now;
  });
  context.tell(renderSwitchoverPlan(prepared.plan, prepared.hooks));
  return carryOutSwitchOver(context, prepared, options);
}

/** Plans again while something blocks it; in the end the first blocker is the refusal. */
export async function untilUnblocked<P extends Pick<PreparedSwitchover, 'plan'>>(
  { clock, signal, tell }: Pick<CommandContext, 'clock' | 'signal' | 'tell'>,
  plan: () => Promise<P>,
): Promise<P> {
  const endsAt = clock.monotonic() + settleMs;
  for (let said = ''; ; ) {
    const prepared = await plan();
    const [blocker] = prepared.plan.blockers;
    if (blocker === undefined) return prepared;
    if (clock.monotonic() >= endsAt) throw refusal(blocker);
    if (blocker.message !== said) tell(`    waiting: ${blocker.message}`);
    said = blocker.message;
    await clock.sleep(lookEveryMs, signal);
  }
}
