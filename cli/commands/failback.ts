import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';
import type { Roles } from '../../domain/roles.ts';
import { lookAtVersions } from '../../health/look-at-versions.ts';
import { refusal } from '../../runbooks/engine/failures.ts';
import type { InSync } from '../../runbooks/failback/in-sync.ts';
import { type FailbackReport, prepareFailback, runFailback } from '../../runbooks/failback/run-failback.ts';
import { wayBack } from '../../runbooks/failback/way-back.ts';
import { directionOf } from '../../runbooks/failover/direction.ts';
import { exitCodeOf } from '../../runbooks/failover/report.ts';
import { type PlanFile, staleRefusal } from '../../runbooks/plan/plan-file.ts';
import type { Rescued } from '../../state/rescued.ts';
import { agree } from '../agree.ts';
import { begunWith } from '../begun-with.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { Composition } from '../compose.ts';
import { failbackConsequences } from '../consequences.ts';
import type { CommandContext } from '../context.ts';
import { failbackContext } from '../failback-context.ts';
import { followReturn } from '../follow-return.ts';
import { followRun } from '../follow-run.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { occasionOf } from '../occasion.ts';
import { openHooks } from '../open-hooks.ts';
import { planFileOf, readPlanFile, reviewedOptions, writePlanFile } from '../plan-files.ts';
import { renderFailback, renderFailbackPlan } from '../render-failback.ts';
import { renderSwitchover, renderSwitchoverPlan } from '../render-switchover.ts';
import { aboutFailback } from '../run-about.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';
import { switchBack } from '../switch-back.ts';
import { planSwitchOver, type SwitchOverOptions } from '../switch-over.ts';
import { usualTimes } from '../usual-times.ts';

export interface FailbackOptions extends SwitchOverOptions {
  readonly dryRun?: boolean;
  readonly to: Rescued['to'];
  readonly acceptUnfenced?: boolean;
  readonly wait: boolean;
  /** Goes on with a switchover to the old primary, once that follows. */
  readonly switch?: boolean;
  readonly plan?: string;
  readonly planOut?: string;
}

/** What the command was asked for when a plan was made. */
const planOptions = z.strictObject({
  to: z.enum(['topic', 'files']),
  acceptUnfenced: z.boolean().exactOptional(),
});

/**
 * `argus failback`: keeps what only the old primary has, begins anew what diverged there, mirrors back to it, and waits
 * until it follows; with `--switch` it goes on with a switchover back. Nothing is changed before the plan was agreed to.
 * Run again it goes on where it was.
 */
export async function run(context: CommandContext, given: FailbackOptions): Promise<number> {
  checkOptions(given);
  const reviewed = given.plan === undefined ? undefined : await readPlanFile(given.plan, 'failback');
  const options =
    reviewed === undefined ? given : { ...given, ...reviewedOptions(reviewed, given.plan ?? '', planOptions) };
  return withComposition(context, async (composition) => {
    const { config, state } = composition;
    requireOwnMirror(
      config,
      'failback',
      'turn MirrorMaker round by its own configuration, after looking at what diverged',
    );
    const inForce = await rolesNow(context, composition);
    // Asked at once: nobody waits for minutes to be told that he can't be asked.
    if (options.switch && !options.yes && !options.dryRun && !context.interactive) await agree(context, '');
    const { signal } = context;
    const switching = await directionOf(state, inForce, { signal, runbook: 'switchover' });
    const way = wayBack(inForce, switching);
    if (way.kind === 'refused') throw refusal(way.error);
    if (way.kind === 'fail-back') return failBack(context, composition, inForce, options, reviewed);
    return goOn(context, composition, way, options);
  });
}

/** What is left when the old primary is mirrored to already: it is waited for, and switched back to. */
async function goOn(
  context: CommandContext,
  composition: Composition,
  way: Exclude<ReturnType<typeof wayBack>, { kind: 'refused' | 'fail-back' }>,
  options: FailbackOptions,
): Promise<number> {
  const { roles } = way;
  if (options.planOut !== undefined || (way.kind === 'switch' && !options.switch)) {
    const begun = way.kind === 'switch' ? `${way.run} is switching back to it` : 'there is nothing to fail back';
    throw refusal({
      code: 'NothingToFailBack',
      message: `${roles.primary} is mirrored to ${roles.standby} already (roles epoch ${roles.epoch}): ${begun}`,
      hint: '`argus switchover` makes the standby the primary, or goes on with that',
    });
  }
  context.tell(`mirroring back to ${roles.standby} since ${new Date(roles.atMs).toISOString()} (${roles.run})`);
  if (options.dryRun && options.switch) {
    const { plan, hooks } = await planSwitchOver(context, composition, options);
    context.print(context.json ? JSON.stringify({ ...plan, hooks }) : renderSwitchoverPlan(plan, hooks));
    return plan.blockers.length > 0 ? 3 : 0;
  }
  const follows = way.kind === 'follow' && options.wait && !options.dryRun;
  const inSync = follows ? await followReturn(context, composition, roles) : undefined;
  if (!options.switch) {
    context.print(context.json ? JSON.stringify({ run: roles.run, inSync }) : ready(roles, inSync));
    return 0;
  }
  if (!context.json && inSync !== undefined) context.print(ready(roles, inSync));
  const switchover = await switchBack(context, composition, roles, options);
  context.print(context.json ? JSON.stringify({ run: roles.run, inSync, switchover }) : renderSwitchover(switchover));
  return exitCodeOf(switchover);
}

async function failBack(
  context: CommandContext,
  composition: Composition,
  roles: Roles,
  options: FailbackOptions,
  reviewed: PlanFile | undefined,
): Promise<number> {
  const { signal, who, env } = context;
  const { config, folder } = composition;
  const versions = lookAtVersions(composition.regions.values(), context);
  const hooks = await openHooks(config, 'failback', { folder, env });
  const { primary, standby } = await sidesOf(context, composition, roles);
  const { acceptUnfenced = false, to: keepIn } = options;
  const target = failbackContext(context, composition, { roles, primary, standby, acceptUnfenced, keepIn });
  const plan = await prepareFailback(target, signal);
  const blocker = plan.blockers[0];
  // Logs that can't be read have not moved: that is told instead.
  const stale = blocker === undefined && reviewed ? staleRefusal(reviewed, plan.basis) : undefined;
  if (stale) throw stale;
  if (options.dryRun && options.planOut === undefined) {
    context.print(context.json ? JSON.stringify({ ...plan, hooks }, bigintAsText) : renderFailbackPlan(plan, hooks));
    return blocker === undefined ? 0 : 3;
  }
  context.tell(renderFailbackPlan(plan, hooks));
  if (blocker) throw refusal(blocker);
  if (options.planOut !== undefined) {
    const asked = { to: keepIn, ...(acceptUnfenced ? { acceptUnfenced } : {}) };
    const about = { madeAtMs: context.clock.now(), madeBy: who, recoveryPoints: [], options: asked };
    const sides = { ...plan, from: plan.active, to: plan.region };
    await writePlanFile(options.planOut, planFileOf(sides, { runbook: 'failback', ...about }));
    context.print(context.json ? JSON.stringify(plan, bigintAsText) : `the plan is in ${options.planOut}`);
    return 0;
  }
  if (!options.yes) await agree(context, plan.region, undefined, failbackConsequences(plan));
  const occasion = await occasionOf(context, options, begunWith(composition, await versions.whole));
  const usual = context.screen === undefined ? new Map() : await usualTimes(composition.state, 'failback', signal);
  const report = await followRun(context, aboutFailback(target.run, plan, usual), (listeners) =>
    runFailback({
      context: target,
      plan,
      hooks,
      holder: who,
      processes: context.processes,
      occasion,
      signal,
      ...listeners,
    }),
  );
  const waits = report.outcome === 'done' && options.wait;
  const turned = waits ? await rolesNow(context, composition) : undefined;
  // What was done before a refusal is told all the same.
  const toldFirst = (inSync?: InSync) => (error: unknown) => {
    if (context.json || inSync === undefined) print(context, report, inSync);
    throw error;
  };
  const inSync = turned && (await followReturn(context, composition, turned).catch(toldFirst()));
  if (!options.switch || turned === undefined || inSync === undefined) {
    print(context, report, inSync);
    return exitCodeOf(report);
  }
  if (!context.json) print(context, report, inSync);
  const { reason } = occasion;
  const again = { ...options, ...(reason === undefined ? {} : { reason }) };
  const switchover = await switchBack(context, composition, turned, again).catch(toldFirst(inSync));
  context.print(context.json ? JSON.stringify({ ...report, inSync, switchover }) : renderSwitchover(switchover));
  return exitCodeOf(switchover);
}

function checkOptions(options: FailbackOptions): void {
  const wrong =
    options.switch === true
      ? options.wait
        ? undefined
        : '--switch waits until the old primary follows: not with --no-wait'
      : options.producersStopped === true
        ? '--producers-stopped is for the switchover of --switch'
        : undefined;
  if (wrong === undefined) return;
  throw new ArgusError('Usage', wrong, { exitCode: 2, hint: 'argus failback --help' });
}

function print(context: CommandContext, report: FailbackReport, inSync: InSync | undefined): void {
  context.print(context.json ? JSON.stringify({ ...report, inSync }) : renderFailback(report, inSync));
}

function ready({ standby }: Roles, inSync: InSync | undefined): string {
  if (inSync?.kind !== 'ready') return `${standby} is mirrored to; whether it follows was not waited for`;
  return `${standby} follows: ready to switch back with \`argus switchover\``;
}
