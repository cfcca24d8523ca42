import type { Roles } from '../../domain/roles.ts';
import { plannedSteps, type ReportedStep, type RunResult, reportedSteps } from '../../runbooks/engine/run-result.ts';
import { runUnderLease } from '../../runbooks/engine/under-lease.ts';
import { evidence } from '../../runbooks/failover/failover-step.ts';
import { drillState } from '../../state/drills.ts';
import type { DrillReport } from '../drill-report.ts';
import type { OrderedDrill } from '../ordered-drill.ts';
import { blockersIn, type TabletopCheck, type TabletopFinding, tabletopSteps } from './steps.ts';

export interface RunTabletopOptions extends OrderedDrill {
  readonly roles: Pick<Roles, 'primary' | 'standby' | 'epoch'>;
  readonly checks: readonly TabletopCheck[];
}

/** What a tabletop came to. */
export interface TabletopResult {
  readonly report: DrillReport;
  readonly steps: readonly ReportedStep[];
  readonly findings: readonly TabletopFinding[];
}

/**
 * Makes every check under the drills' own lease, and reports; changes nothing outside the drills' part of the state.
 * Another drill at work is `LeaseHeld` (exit code 3); from then on nothing is thrown.
 */
export async function runTabletop(options: RunTabletopOptions): Promise<TabletopResult> {
  const { state, clock, run, by, roles, checks, trigger, occasion, signal } = options;
  const findings: TabletopFinding[] = [];
  const steps = tabletopSteps(checks);
  const [from, to] = [roles.primary, roles.standby];
  const view = {
    trigger,
    by,
    from,
    to,
    findings,
    ...(occasion.reason === undefined ? {} : { reason: occasion.reason }),
  };
  const result = await runUnderLease({
    state: drillState(state),
    clock,
    run,
    holder: by,
    processes: options.processes,
    runbook: 'drill',
    purpose: 'drill',
    by,
    steps,
    context: () => ({ findings }),
    details: evidence({
      ...{ kind: 'tabletop', trigger, from, to, rolesEpoch: roles.epoch },
      ...occasion,
      steps: plannedSteps(steps),
    }),
    resumeHint: 'nothing was changed; `argus drill run --plan-only` begins anew',
    report: (r) => evidence(tabletopReport(r, { ...view, endedAtMs: clock.now() })),
    signal,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(options.onWaiting === undefined ? {} : { onWaiting: options.onWaiting }),
  });
  const report = tabletopReport(result, { ...view, endedAtMs: clock.now() });
  return { report, steps: reportedSteps(result.steps), findings };
}

/** The report of a tabletop. Pure. */
export function tabletopReport(
  { run, outcome, error, startedAtMs }: Pick<RunResult<object>, 'run' | 'outcome' | 'error' | 'startedAtMs'>,
  view: Pick<DrillReport, 'trigger' | 'by' | 'reason' | 'from' | 'to' | 'endedAtMs'> & {
    readonly findings: readonly TabletopFinding[];
  },
): DrillReport {
  const { findings, ...about } = view;
  const blockers = blockersIn(findings);
  const warnings = findings.length - findings.filter((f) => f.severity === 'blocker').length;
  const told = outcome === 'done' ? 'passed' : outcome === 'interrupted' ? 'stopped' : 'failed';
  const [first] = blockers;
  const causes = blockers.map(({ severity: _, ...cause }) => cause);
  const verdict = {
    passed: `a failover from ${view.from} to ${view.to} would not be refused${warnings === 0 ? '' : `; ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`}`,
    failed: `a failover from ${view.from} to ${view.to} would not work now: ${first?.message ?? error?.message ?? 'the journal says no more'}`,
    stopped: `ended before it could tell: ${error?.message ?? 'somebody stopped it'}`,
  }[told];
  return {
    run,
    kind: 'tabletop',
    outcome: told,
    verdict,
    causes: told === 'passed' ? [] : causes.length === 0 && error !== undefined ? [error] : causes,
    ...about,
    startedAtMs: startedAtMs ?? view.endedAtMs,
    points: [],
    rejected: [],
    comparisons: [],
  };
}
