import { z } from 'zod';
import { refusal } from '../../runbooks/engine/failures.ts';
import { exitCodeOf } from '../../runbooks/failover/report.ts';
import { staleRefusal } from '../../runbooks/plan/plan-file.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { planFileOf, readPlanFile, reviewedOptions, writePlanFile } from '../plan-files.ts';
import { renderSwitchover, renderSwitchoverPlan } from '../render-switchover.ts';
import { withComposition } from '../session.ts';
import { carryOutSwitchOver, planSwitchOver, type SwitchOverOptions } from '../switch-over.ts';

export interface SwitchoverOptions extends SwitchOverOptions {
  readonly dryRun?: boolean;
  readonly plan?: string;
  readonly planOut?: string;
}

/** What the command was asked for when a plan was made. */
const planOptions = z.strictObject({ producersStopped: z.boolean().exactOptional() });

/** `argus switchover`: looks, plans, asks, acts, reports. Nothing is changed before the plan was agreed to. */
export async function run(context: CommandContext, given: SwitchoverOptions): Promise<number> {
  const reviewed = given.plan === undefined ? undefined : await readPlanFile(given.plan, 'switchover');
  const options =
    reviewed === undefined ? given : { ...reviewedOptions(reviewed, given.plan ?? '', planOptions), ...given };
  return withComposition(context, async (composition) => {
    requireOwnMirror(composition.config, 'switchover', "offsets in savepoints don't hold on MirrorMaker's copy");
    const prepared = await planSwitchOver(context, composition, options);
    const { plan, hooks } = prepared;
    const stale = reviewed && staleRefusal(reviewed, plan.basis);
    if (stale) throw stale;
    if (options.dryRun && options.planOut === undefined) {
      context.print(context.json ? JSON.stringify({ ...plan, hooks }) : renderSwitchoverPlan(plan, hooks));
      return plan.blockers.length > 0 ? 3 : 0;
    }
    context.tell(renderSwitchoverPlan(plan, hooks));
    const [blocker] = plan.blockers;
    if (blocker) throw refusal(blocker);
    if (options.planOut !== undefined) {
      const { producersStopped = false } = options;
      const asked = producersStopped ? { producersStopped } : {};
      const about = { madeAtMs: context.clock.now(), madeBy: context.who, recoveryPoints: [], options: asked };
      await writePlanFile(options.planOut, planFileOf(plan, { runbook: 'switchover', ...about }));
      context.print(context.json ? JSON.stringify(plan) : `the plan is in ${options.planOut}`);
      return 0;
    }
    const report = await carryOutSwitchOver(context, prepared, options);
    context.print(context.json ? JSON.stringify(report) : renderSwitchover(report));
    return exitCodeOf(report);
  });
}
