import type { Config } from '../domain/config.ts';
import type { Roles } from '../domain/roles.ts';
import type { DrillKind } from '../drills/drill-report.ts';
import type { FailbackPlan } from '../runbooks/failback/plan.ts';
import type { FailoverPlan } from '../runbooks/failover/plan.ts';
import type { UsualTime } from '../runbooks/plan/durations.ts';
import type { SwitchoverPlan } from '../runbooks/switchover/plan.ts';
import type { Json } from '../state/journal.ts';
import type { RunRecord } from '../state/run-record.ts';
import type { RunAbout } from './tui/run-progress.ts';

type Objectives = Pick<Config['objectives'], 'rto'>;
type Usual = ReadonlyMap<string, UsualTime>;
type Measured = NonNullable<RunAbout['measured']>;

/** What is shown of a failover while it runs. Pure. */
export function aboutFailover(run: string, plan: FailoverPlan, { rto }: Objectives): RunAbout {
  const { from, to, steps, pointOfNoReturn, outage } = plan;
  const measured = sinceOutage(outage.atMs, outage.source, rto);
  return { run, runbook: 'failover', subject: `${from} → ${to}`, steps, pointOfNoReturn, measured };
}

/** What is shown of a switchover while it runs. Pure. */
export function aboutSwitchover(run: string, plan: SwitchoverPlan, { rto }: Objectives): RunAbout {
  const { from, to, steps, pointOfNoReturn } = plan;
  const measured = sinceDenial(rto);
  return { run, runbook: 'switchover', subject: `${from} → ${to}`, steps, pointOfNoReturn, measured };
}

/** What is shown of a failback while it runs. Pure. */
export function aboutFailback(run: string, plan: FailbackPlan, usual: Usual): RunAbout {
  const { active, region, pointOfNoReturn } = plan;
  const steps = withUsual(plan.steps, usual);
  return { run, runbook: 'failback', subject: `${region} follows ${active} again`, steps, pointOfNoReturn };
}

/** What is shown of a drill while it runs; steps that aren't known yet come when they begin. Pure. */
export function aboutDrill(
  kind: DrillKind,
  { primary, standby }: Pick<Roles, 'primary' | 'standby'>,
  drill: { readonly run?: string; readonly steps?: RunAbout['steps']; readonly usual?: Usual },
): RunAbout {
  const { run = '', steps = [], usual = new Map() } = drill;
  const subject = `of ${primary} → ${standby}`;
  return { run, runbook: `${kind} drill`, subject, steps: withUsual(steps, usual) };
}

/** What is shown of a run that somebody else carries out, from what its journal began with. Pure. */
export function aboutRecord(
  { run, runbook, details }: Pick<RunRecord, 'run' | 'runbook' | 'details'>,
  usual: Usual,
  { rto }: Objectives,
): RunAbout {
  const told = detailsOf(details);
  const { from, to, kind, outageAtMs, outageSource } = told;
  const subject =
    typeof from === 'string' && typeof to === 'string'
      ? runbook === 'failback'
        ? `${to} follows ${from} again`
        : `${from} → ${to}`
      : typeof told.region === 'string'
        ? told.region
        : '';
  const measured =
    runbook === 'failover' && typeof outageAtMs === 'number'
      ? sinceOutage(outageAtMs, String(outageSource ?? ''), rto)
      : runbook === 'switchover'
        ? sinceDenial(rto)
        : undefined;
  const pointOfNoReturn = noReturn[runbook];
  return {
    run,
    runbook: typeof kind === 'string' ? `${kind} ${runbook}` : runbook,
    subject,
    steps: withUsual(stepsIn(told.steps), usual),
    ...(pointOfNoReturn === undefined ? {} : { pointOfNoReturn }),
    ...(measured === undefined ? {} : { measured }),
  };
}

/** Where each runbook's way back ends. */
const noReturn: Readonly<Record<string, string>> = {
  failover: 'start-jobs' satisfies FailoverPlan['pointOfNoReturn'],
  switchover: 'start-jobs' satisfies SwitchoverPlan['pointOfNoReturn'],
  failback: 'begin-topics-anew' satisfies FailbackPlan['pointOfNoReturn'],
};

function sinceOutage(atMs: number, source: string, objectiveMs: number): Measured {
  const why = `since the outage began at ${new Date(atMs).toISOString().slice(11, 19)} (${source.replaceAll('-', ' ')})`;
  return { name: 'RTO', objectiveMs, from: { atMs, why } };
}

const sinceDenial = (objectiveMs: number): Measured => ({
  name: 'RTO',
  objectiveMs,
  from: { step: 'deny-producers', why: 'from when the producers are denied' },
});

const withUsual = (steps: RunAbout['steps'], usual: Usual): RunAbout['steps'] =>
  steps.map((step) => ({ ...step, usual: usual.get(step.id) ?? null }));

const detailsOf = (details: Json): { readonly [key: string]: Json } =>
  details !== null && typeof details === 'object' && !Array.isArray(details) ? details : {};

function stepsIn(steps: Json | undefined): readonly { readonly id: string; readonly title: string }[] {
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step) => {
    const { id, title } = detailsOf(step);
    return typeof id === 'string' ? [{ id, title: typeof title === 'string' ? title : id }] : [];
  });
}
