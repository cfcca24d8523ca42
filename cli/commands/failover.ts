import type { Roles } from '../../domain/roles.ts';
import { lookAtVersions } from '../../health/look-at-versions.ts';
import { refusal } from '../../runbooks/engine/failures.ts';
import { acceptedLossIn, type LossBudget, type LossLimit } from '../../runbooks/failover/budget.ts';
import { directionOf } from '../../runbooks/failover/direction.ts';
import { outageOf } from '../../runbooks/failover/outage.ts';
import { suspendedRefusal } from '../../runbooks/failover/plan.ts';
import { exitCodeOf } from '../../runbooks/failover/report.ts';
import { drainMsFor, prepareFailover, runFailover } from '../../runbooks/failover/run-failover.ts';
import { staleRefusal } from '../../runbooks/plan/plan-file.ts';
import type { Failure } from '../../state/journal.ts';
import { ensureRoles } from '../../state/roles.ts';
import { agree } from '../agree.ts';
import { agreeToLoss } from '../agree-to-loss.ts';
import { begunWith } from '../begun-with.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import { failoverConsequences } from '../consequences.ts';
import type { CommandContext } from '../context.ts';
import { failoverContext } from '../failover-context.ts';
import { failoverPlanFile, planOptions } from '../failover-plan-file.ts';
import { followRun } from '../follow-run.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { occasionOf } from '../occasion.ts';
import { openHooks } from '../open-hooks.ts';
import { readPlanFile, reviewedOptions, writePlanFile } from '../plan-files.ts';
import { renderReport } from '../render-failover.ts';
import { renderPlan } from '../render-plan.ts';
import { aboutFailover } from '../run-about.ts';
import { preflight, rolesNow, sidesOf, withComposition } from '../session.ts';

export interface FailoverOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly acceptUnfenced?: boolean;
  readonly acceptOutputGap?: boolean;
  readonly outageAt?: number;
  readonly acceptDataLoss?: LossBudget;
  readonly reason?: string;
  readonly plan?: string;
  readonly planOut?: string;
  readonly resume?: boolean;
  /** Refused (`RolesChanged`) when it would be another change of roles; absent: whichever is due. */
  readonly expect?: { readonly from: string; readonly to: string };
}

/** `argus failover`: looks, plans, asks, acts, reports. Nothing is changed before the plan was agreed to. */
export async function run(context: CommandContext, given: FailoverOptions): Promise<number> {
  const begunAt = context.clock.monotonic();
  const reviewed = given.plan === undefined ? undefined : await readPlanFile(given.plan, 'failover');
  const options =
    reviewed === undefined ? given : { ...reviewedOptions(reviewed, given.plan ?? '', planOptions), ...given };
  return withComposition(context, async (composition) => {
    const { config, state } = composition;
    requireOwnMirror(
      config,
      'failover',
      "offsets in checkpoints don't hold on MirrorMaker's copy; `argus checkpoints translate` writes checkpoints to restore by hand",
    );
    const { clock, signal, who } = context;
    const versions = lookAtVersions(composition.regions.values(), context);
    const hooks = await openHooks(config, 'failover', { folder: composition.folder, env: context.env });
    const inForce = await rolesNow(context, composition);
    const direction = await directionOf(state, inForce, { signal });
    const { roles, resumes } = direction;
    if (options.expect) requireDirection(roles, options.expect);
    if (options.resume && resumes === undefined) throw refusal(nothingToResume);
    const sides = await sidesOf(context, composition, roles);
    if (roles.replication === 'suspended') throw refusal(suspendedRefusal(roles));
    const { primaryKafkaAnswers: primaryAnswers } = await preflight(context, composition, 'failover', roles);
    const outage = outageOf({
      ...(options.outageAt === undefined ? {} : { statedAtMs: options.outageAt }),
      ...(direction.outage === undefined ? {} : { resumed: direction.outage }),
      pastReturn: direction.open.some((run) => run.pastReturn === true),
      sighting: sides.sighting,
      primaryAnswers,
      nowMs: clock.now(),
    });
    const { acceptOutputGap = false } = options;
    const accepted = options.acceptDataLoss ?? (resumes && acceptedLossIn(resumes.details));
    const limit = (taken: LossBudget | undefined): LossLimit => ({
      outageAtMs: outage.atMs,
      ...(taken === undefined ? {} : { accepted: taken }),
    });
    const target = failoverContext(context, composition, {
      roles,
      ...sides,
      acceptUnfenced: options.acceptUnfenced ?? false,
      acceptOutputGap,
      drainMs: drainMsFor(primaryAnswers),
      lossLimit: limit(accepted),
      ...(reviewed ? { only: new Map(reviewed.recoveryPoints.map((p) => [p.job, p])) } : {}),
    });
    const plan = await prepareFailover(target, outage, { signal, ...(resumes ? { resumes: resumes.run } : {}) });
    const stale = reviewed && staleRefusal(reviewed, plan.basis);
    if (stale) throw stale;
    if (options.dryRun && options.planOut === undefined) {
      context.print(context.json ? JSON.stringify({ ...plan, hooks }, bigintAsText) : renderPlan(plan, hooks));
      return plan.blockers.length > 0 ? 3 : 0;
    }
    context.tell(renderPlan(plan, hooks));
    const blocker = plan.blockers[0];
    if (blocker) throw refusal(blocker);
    if (options.planOut !== undefined) {
      await writePlanFile(options.planOut, failoverPlanFile(plan, options, { madeAtMs: clock.now(), madeBy: who }));
      context.print(context.json ? JSON.stringify(plan, bigintAsText) : `the plan is in ${options.planOut}`);
      return 0;
    }
    const preparedMs = Math.round(clock.monotonic() - begunAt);
    const taken = await agreeToLoss(context, plan.budget, {
      ...(accepted === undefined ? {} : { acceptDataLoss: accepted }),
      yes: options.yes ?? false,
    });
    if (!options.yes) {
      const { acceptUnfenced = false } = options;
      await agree(context, plan.to, undefined, failoverConsequences(plan, { acceptUnfenced }));
    }
    // Nothing is waited for: who is silent by now isn't seen.
    const occasion = await occasionOf(context, options, begunWith(composition, versions.soFar()));
    await ensureRoles(state, { ...config.roles, atMs: clock.now(), by: who }, { signal });
    const report = await followRun(context, aboutFailover(target.run, plan, config.objectives), (listeners) =>
      runFailover({
        context: { ...target, lossLimit: limit(taken) },
        outage,
        occasion,
        preparedMs,
        hooks,
        plan,
        holder: who,
        processes: context.processes,
        signal,
        ...listeners,
      }),
    );
    context.print(context.json ? JSON.stringify(report) : renderReport(report));
    return exitCodeOf(report);
  });
}

function requireDirection({ primary, standby }: Roles, { from, to }: NonNullable<FailoverOptions['expect']>): void {
  if (primary === from && standby === to) return;
  throw refusal({
    code: 'RolesChanged',
    message: `a failover from ${from} to ${to} was decided; what is due now is one from ${primary} to ${standby}`,
    hint: 'see `argus status` and `argus runs list` for who did what',
  });
}

const nothingToResume: Failure = {
  code: 'NothingToResume',
  message: 'no failover was cut off that could be gone on with',
  hint: '`argus runs list` shows all runs; without --resume a failover is begun',
};
