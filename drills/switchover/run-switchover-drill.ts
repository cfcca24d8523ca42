import { plannedSteps, type ReportedStep, type RunResult, reportedSteps } from '../../runbooks/engine/run-result.ts';
import { runUnderLease } from '../../runbooks/engine/under-lease.ts';
import { evidence } from '../../runbooks/failover/failover-step.ts';
import { drillState } from '../../state/drills.ts';
import type { DrillReport } from '../drill-report.ts';
import type { OrderedDrill } from '../ordered-drill.ts';
import { type Position, standsAt } from './position.ts';
import { type Leg, type SwitchoverDrillContext, type SwitchoverDrillFacts, switchoverDrillSteps } from './steps.ts';

export interface RunSwitchoverDrillOptions extends OrderedDrill {
  readonly context: SwitchoverDrillContext;
  /** The drill that was cut off, and that this one goes on with. */
  readonly resumes?: string | undefined;
  /** It was begun outside of the windows of the schedule, by somebody's word. */
  readonly outsideWindow: boolean;
  readonly objectives: { readonly rto: number; readonly rpo: number };
}

/** What a drill by switchover came to, and where things stand. */
export interface SwitchoverDrillResult {
  readonly report: DrillReport;
  readonly steps: readonly ReportedStep[];
  readonly position: Position;
}

/**
 * There and back by two real switchovers, each a run of its own under the right to act; this one holds only the drills'
 * own lease. Nothing is taken back by it: each switchover takes back its own.
 */
export async function runSwitchoverDrill(options: RunSwitchoverDrillOptions): Promise<SwitchoverDrillResult> {
  const { context, state, clock, run, resumes, by, trigger, occasion, signal } = options;
  const { begun, stayMs } = context;
  const steps = switchoverDrillSteps(begun, stayMs);
  let position: Position = 'before';
  const look = async (): Promise<Position> => context.position(AbortSignal.timeout(10_000)).catch(() => position);
  const reported = { ...context, position: async (call: AbortSignal) => (position = await context.position(call)) };
  const { reason } = occasion;
  const view = { trigger, by, objectives: options.objectives, ...(reason === undefined ? {} : { reason }) };
  const result = await runUnderLease({
    state: drillState(state),
    clock,
    run,
    holder: by,
    processes: options.processes,
    runbook: 'drill',
    purpose: 'drill by switchover',
    by,
    steps,
    context: () => reported,
    details: evidence({
      ...{ kind: 'switchover', trigger, from: begun.from, to: begun.to, rolesEpoch: begun.rolesEpoch, resumes, stayMs },
      ...(options.outsideWindow ? { outsideWindow: true } : {}),
      ...occasion,
      steps: plannedSteps(steps),
    }),
    resumeHint: 'run `argus drill run --switchover` again: it looks how far the roles are, and goes on from there',
    report: (r) => evidence(switchoverDrillReport(r, { ...view, context, position, endedAtMs: clock.now() })),
    signal,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(options.onWaiting === undefined ? {} : { onWaiting: options.onWaiting }),
  });
  position = await look();
  const report = switchoverDrillReport(result, { ...view, context, position, endedAtMs: clock.now() });
  return { report, steps: reportedSteps(result.steps), position };
}

/** The report of a drill by switchover: RPO and times are those that its two runs proved. Pure. */
export function switchoverDrillReport(
  {
    run,
    outcome,
    error,
    startedAtMs,
    facts,
  }: Pick<RunResult<SwitchoverDrillFacts>, 'run' | 'outcome' | 'error' | 'startedAtMs' | 'facts'>,
  view: Pick<DrillReport, 'trigger' | 'by' | 'reason' | 'endedAtMs'> & {
    readonly context: Pick<SwitchoverDrillContext, 'begun'>;
    readonly position: Position;
    readonly objectives: { readonly rto: number; readonly rpo: number };
  },
): DrillReport {
  const { context, position, objectives, ...about } = view;
  const { begun } = context;
  const legs = [facts.there, facts.back].filter((leg) => leg !== undefined);
  const told = outcome === 'done' ? 'passed' : outcome === 'interrupted' ? 'stopped' : 'failed';
  const rtoMs = legs.map((leg) => leg.rtoMs).filter((ms) => ms !== null);
  const proven = legs.length === 2 && legs.every((leg) => leg.provenZero);
  const stands = standsAt(begun, position);
  const why = error?.message ?? 'somebody stopped it';
  return {
    run,
    kind: 'switchover',
    outcome: told,
    verdict: {
      passed: `${begun.from} to ${begun.to} and back: nothing was lost, and that is proven; producers waited ${blocked(legs)}`,
      failed: `failed: ${why}; ${stands}`,
      stopped: `ended before its end: ${why}; ${stands}`,
    }[told],
    causes: told === 'passed' || error === undefined ? [] : [error],
    ...about,
    from: begun.from,
    to: begun.to,
    startedAtMs: startedAtMs ?? view.endedAtMs,
    ...(rtoMs.length === 0 ? {} : { rto: { ms: Math.max(...rtoMs), objectiveMs: objectives.rto } }),
    ...(proven
      ? { rpo: { objectiveMs: objectives.rpo, ms: 0, records: 0, certainty: 'counted' as const, topics: [] } }
      : {}),
    points: [],
    rejected: [],
    comparisons: [],
    runs: legs.flatMap((leg) => leg.runs),
    legs,
  };
}

const blocked = (legs: readonly Leg[]) =>
  legs
    .map((leg) =>
      leg.producersBlockedMs === null ? 'an unknown time' : `${(leg.producersBlockedMs / 1_000).toFixed(1)} s`,
    )
    .join(' and ');
