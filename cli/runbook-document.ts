import { describeError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import {
  type DocumentView,
  type RunbookDocument,
  type RunbookName,
  runbookDocument,
} from '../runbooks/document/document.ts';
import type { Hook } from '../runbooks/hooks/hook-steps.ts';
import { readUsualTimes } from '../runbooks/plan/durations.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';
import { openHooks } from './open-hooks.ts';
import { lossText } from './render-failover.ts';
import { rolesNow } from './session.ts';

/** The parts of a document that differ from runbook to runbook. */
type Parts = Pick<DocumentView, 'from' | 'to' | 'plan' | 'steps' | 'now' | 'unknown'>;

/** A runbook's document by what can be asked now. Changes nothing; `unknown`: what is known not to answer. */
export async function documentOf(
  context: CommandContext,
  composition: Composition,
  runbook: RunbookName,
  unknown: readonly string[] = [],
): Promise<RunbookDocument> {
  const { config, state, folder } = composition;
  const { signal, clock, env } = context;
  const lacking = [...unknown];
  const orElse =
    <T>(value: T, what: string) =>
    (error: unknown): T => {
      signal.throwIfAborted();
      const why = describeError(error);
      if (!lacking.includes(why)) lacking.push(`${what}: ${why}`);
      return value;
    };
  const first: Roles = { epoch: 1, ...config.roles, replication: 'active', atMs: clock.now(), by: context.who };
  const roles = await rolesNow(context, composition).catch(
    orElse(first, 'the roles; those of the configuration are shown'),
  );
  const [parts, usualTimes, hooks] = await Promise.all([
    partsOf[runbook](context, composition, roles),
    readUsualTimes(state, runbook, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) }).catch(
      orElse(new Map(), 'how long earlier runs took'),
    ),
    openHooks(config, runbook, { folder, env }).catch(orElse<readonly Hook[]>([], 'hooks')),
  ]);
  const standing = `roles of epoch ${roles.epoch}: ${roles.primary} is the primary, ${roles.standby} the standby, replication is ${roles.replication}`;
  return runbookDocument({
    runbook,
    config,
    madeAtMs: clock.now(),
    ...parts,
    hooks,
    usualTimes,
    now: [standing, ...parts.now],
    unknown: [...lacking, ...parts.unknown],
  });
}

type PartsOf = (context: CommandContext, composition: Composition, roles: Roles) => Promise<Parts>;

const partsOf: Readonly<Record<RunbookName, PartsOf>> = { failover, switchover, failback };

function sidesByRole({ regions }: Composition, roles: Roles) {
  const [primary, standby] = [regions.get(roles.primary), regions.get(roles.standby)];
  if (primary === undefined || standby === undefined) {
    throw new Error(`the roles name ${roles.primary} and ${roles.standby}, the configuration does not have both`);
  }
  return { primary, standby };
}

async function failover(context: CommandContext, composition: Composition, roles: Roles): Promise<Parts> {
  const [{ failoverContext }, { gatherPlanView }, { planFailover }, { failoverSteps }, { outageOf }, { readSighting }] =
    await Promise.all([
      import('./failover-context.ts'),
      import('../runbooks/failover/gather-plan-view.ts'),
      import('../runbooks/failover/plan.ts'),
      import('../runbooks/failover/steps.ts'),
      import('../runbooks/failover/outage.ts'),
      import('../state/sightings.ts'),
    ]);
  const { clock, signal } = context;
  const sides = sidesByRole(composition, roles);
  const why: string[] = [];
  const sighting = await readSighting(composition.state, roles.primary, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    why.push(`what the daemon last saw of ${roles.primary}: ${describeError(error)}`);
    return undefined;
  });
  const outage = outageOf({ sighting, primaryAnswers: false, nowMs: clock.now() });
  const target = failoverContext(context, composition, {
    roles,
    ...sides,
    sighting,
    acceptUnfenced: false,
    acceptOutputGap: false,
    drainMs: 0,
  });
  const plan = planFailover(await gatherPlanView({ ...target, epoch: 0 }, outage, { signal }));
  return {
    from: plan.from,
    to: plan.to,
    plan,
    steps: failoverSteps(plan, target.drainMs, target.guard?.leaseMs),
    now: [
      ...Object.entries(plan.loss).map(([topic, loss]) => `${topic}: ${lossText(loss)} would be lost`),
      ...plan.recoveryPoints.map(
        (p) => `recovery point of ${p.job}: checkpoint ${p.checkpointId} of ${new Date(p.completedAtMs).toISOString()}`,
      ),
    ],
    unknown: [...why, ...Object.entries(plan.basis).flatMap(([what, is]) => (is === "can't be asked" ? [what] : []))],
  };
}

async function switchover(context: CommandContext, composition: Composition, roles: Roles): Promise<Parts> {
  const [
    { switchoverContext, switchoverLimits: limits },
    { prepareSwitchover },
    { switchoverSteps },
    { pointOfNoReturn, switchoverStepIds },
  ] = await Promise.all([
    import('./switchover-context.ts'),
    import('../runbooks/switchover/run-switchover.ts'),
    import('../runbooks/switchover/steps.ts'),
    import('../runbooks/switchover/switchover-step.ts'),
  ]);
  const sides = { from: roles.primary, to: roles.standby };
  try {
    const target = await switchoverContext(context, composition, roles, false);
    const plan = await prepareSwitchover(target, { signal: context.signal });
    const lag = plan.lagRecords === null ? [] : [`${plan.to} lacks ${plan.lagRecords} records`];
    const unknown = plan.lagRecords === null ? ['how many records the standby lacks'] : [];
    return { ...sides, plan, steps: switchoverSteps(plan, limits), now: lag, unknown };
  } catch (error) {
    context.signal.throwIfAborted();
    // Too little answers for a plan: the steps are told without their values.
    const steps = switchoverStepIds.map((id) => ({ id, title: id, manual: [] }));
    const plan = { steps, pointOfNoReturn, blockers: [] };
    return { ...sides, plan, steps: switchoverSteps({ steps }, limits), now: [], unknown: [describeError(error)] };
  }
}

async function failback(context: CommandContext, composition: Composition, roles: Roles): Promise<Parts> {
  const [{ failbackContext }, { prepareFailback }, { planFailback }, { failbackSteps }] = await Promise.all([
    import('./failback-context.ts'),
    import('../runbooks/failback/run-failback.ts'),
    import('../runbooks/failback/plan.ts'),
    import('../runbooks/failback/steps.ts'),
  ]);
  const asked = { roles, ...sidesByRole(composition, roles), acceptUnfenced: false, keepIn: 'topic' as const };
  const target = failbackContext(context, composition, asked);
  const plan = await prepareFailback(target, context.signal).catch((error: unknown) => {
    context.signal.throwIfAborted();
    return planFailback(target, { code: 'NotAsked', message: describeError(error) });
  });
  const known = plan.blockers.length === 0;
  return {
    from: plan.active,
    to: plan.region,
    plan,
    steps: failbackSteps(plan),
    now: known ? [`${plan.diverged.length} of ${plan.partitions} partitions are not where the shared log ends`] : [],
    unknown: known ? [] : ['what diverged'],
  };
}
