import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';
import { directionOf } from '../../runbooks/failover/direction.ts';
import { suspendedRefusal } from '../../runbooks/failover/plan.ts';
import { exitCodeOf } from '../../runbooks/failover/report.ts';
import { staleRefusal } from '../../runbooks/plan/plan-file.ts';
import { prepareSwitchover, runSwitchover } from '../../runbooks/switchover/run-switchover.ts';
import type { Failure } from '../../state/journal.ts';
import { agree } from '../agree.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { occasionOf } from '../occasion.ts';
import { openHooks } from '../open-hooks.ts';
import { planFileOf, readPlanFile, reviewedOptions, writePlanFile } from '../plan-files.ts';
import { renderEvent } from '../render-failover.ts';
import { renderSwitchover, renderSwitchoverPlan } from '../render-switchover.ts';
import { preflight, rolesNow, withComposition } from '../session.ts';
import { switchoverContext } from '../switchover-context.ts';

export interface SwitchoverOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly producersStopped?: boolean;
  readonly reason?: string;
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
    const { config, state } = composition;
    requireOwnMirror(config, 'switchover', "offsets in savepoints don't hold on MirrorMaker's copy");
    const { signal, who } = context;
    const hooks = await openHooks(config, 'switchover', { folder: composition.folder, env: context.env });
    const inForce = await rolesNow(context, composition);
    const { roles, resumes } = await directionOf(state, inForce, { signal, runbook: 'switchover' });
    if (roles.replication === 'suspended') throw refused(suspendedRefusal(roles));
    // It needs what a failover needs of the standby.
    await preflight(context, composition, 'failover', roles);
    const target = await switchoverContext(context, composition, roles, options.producersStopped ?? false);
    const plan = await prepareSwitchover(target, { signal, ...(resumes ? { resumes: resumes.run } : {}) });
    const stale = reviewed && staleRefusal(reviewed, plan.basis);
    if (stale) throw stale;
    if (options.dryRun && options.planOut === undefined) {
      context.print(context.json ? JSON.stringify({ ...plan, hooks }) : renderSwitchoverPlan(plan, hooks));
      return plan.blockers.length > 0 ? 3 : 0;
    }
    context.tell(renderSwitchoverPlan(plan, hooks));
    const [blocker] = plan.blockers;
    if (blocker) throw refused(blocker);
    if (options.planOut !== undefined) {
      const { producersStopped = false } = options;
      const asked = producersStopped ? { producersStopped } : {};
      const made = { runbook: 'switchover', madeAtMs: context.clock.now(), madeBy: who, recoveryPoints: [] };
      await writePlanFile(options.planOut, planFileOf(plan, { ...made, options: asked }));
      context.print(context.json ? JSON.stringify(plan) : `the plan is in ${options.planOut}`);
      return 0;
    }
    if (!options.yes) await agree(context, plan.to);
    const report = await runSwitchover({
      context: target,
      plan,
      hooks,
      occasion: await occasionOf(context, options),
      holder: who,
      processes: context.processes,
      signal,
      onEvent: (event) => context.tell(renderEvent(event)),
      onWaiting: (message) => context.tell(message),
    });
    context.print(context.json ? JSON.stringify(report) : renderSwitchover(report));
    return exitCodeOf(report);
  });
}

const refused = ({ code, message, hint }: Failure) =>
  new ArgusError(code, message, { exitCode: 3, ...(hint === undefined ? {} : { hint }) });
