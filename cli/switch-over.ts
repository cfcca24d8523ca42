import { lookAtVersions } from '../health/look-at-versions.ts';
import { refusal } from '../runbooks/engine/failures.ts';
import { directionOf } from '../runbooks/failover/direction.ts';
import { suspendedRefusal } from '../runbooks/failover/plan.ts';
import type { Hook } from '../runbooks/hooks/hook-steps.ts';
import type { BegunWith } from '../runbooks/occasion.ts';
import type { SwitchoverContext } from '../runbooks/switchover/context.ts';
import type { SwitchoverPlan } from '../runbooks/switchover/plan.ts';
import type { SwitchoverReport } from '../runbooks/switchover/report.ts';
import { prepareSwitchover, runSwitchover } from '../runbooks/switchover/run-switchover.ts';
import { agree } from './agree.ts';
import { begunWith } from './begun-with.ts';
import type { Composition } from './compose.ts';
import { switchoverConsequences } from './consequences.ts';
import type { CommandContext } from './context.ts';
import { followRun } from './follow-run.ts';
import { occasionOf } from './occasion.ts';
import { openHooks } from './open-hooks.ts';
import { aboutSwitchover } from './run-about.ts';
import { preflight, rolesNow } from './session.ts';
import { switchoverContext } from './switchover-context.ts';

/** What a switchover would do now, and with what. */
export interface PreparedSwitchover {
  readonly target: Omit<SwitchoverContext, 'epoch'>;
  readonly plan: SwitchoverPlan;
  readonly hooks: readonly Hook[];
  readonly begunWith?: BegunWith;
}

/** What an operator says of a switchover. */
export interface SwitchOverOptions {
  readonly yes?: boolean;
  readonly producersStopped?: boolean;
  readonly reason?: string;
}

/** Looks and plans; changes nothing. Refused (exit code 3) while replication is suspended; blockers stand in the plan. */
export async function planSwitchOver(
  context: CommandContext,
  composition: Composition,
  { producersStopped = false }: SwitchOverOptions,
): Promise<PreparedSwitchover> {
  const { config, state, folder } = composition;
  const { signal, env } = context;
  const versions = lookAtVersions(composition.regions.values(), context);
  const hooks = await openHooks(config, 'switchover', { folder, env });
  const inForce = await rolesNow(context, composition);
  const { roles, resumes } = await directionOf(state, inForce, { signal, runbook: 'switchover' });
  if (roles.replication === 'suspended') throw refusal(suspendedRefusal(roles));
  // It needs what a failover needs of the standby.
  await preflight(context, composition, 'failover', roles);
  const target = await switchoverContext(context, composition, roles, producersStopped);
  const plan = await prepareSwitchover(target, { signal, ...(resumes ? { resumes: resumes.run } : {}) });
  return { target, plan, hooks, begunWith: begunWith(composition, await versions.whole) };
}

/** Has a plan without blockers agreed to, and carries it out. */
export async function carryOutSwitchOver(
  context: CommandContext,
  { target, plan, hooks, begunWith: made }: PreparedSwitchover,
  options: SwitchOverOptions,
): Promise<SwitchoverReport> {
  if (!options.yes) await agree(context, plan.to, undefined, switchoverConsequences(plan));
  const occasion = await occasionOf(context, options, made);
  const about = aboutSwitchover(target.run, plan, target.config.objectives);
  return followRun(context, about, (listeners) =>
    runSwitchover({
      context: target,
      plan,
      hooks,
      occasion,
      processes: context.processes,
      holder: context.who,
      signal: context.signal,
      ...listeners,
    }),
  );
}
