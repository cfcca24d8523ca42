import { bubbleOf } from '../../domain/bubble.ts';
import type { RunEvent } from '../../runbooks/engine/run.ts';
import { plannedSteps, type ReportedStep, reportedSteps } from '../../runbooks/engine/run-result.ts';
import { type LocalProcesses, runUnderLease } from '../../runbooks/engine/under-lease.ts';
import { evidence, within } from '../../runbooks/failover/failover-step.ts';
import type { Occasion } from '../../runbooks/occasion.ts';
import { drillState } from '../../state/drills.ts';
import { bubbleRegion, bubbleSites, bubbleState, type DrillSite } from '../bubble-region.ts';
import type { DrillReport, DrillTrigger } from '../drill-report.ts';
import type { DrillFindings, IsolatedContext } from './context.ts';
import { isolatedReport } from './report.ts';
import { isolatedSteps } from './steps.ts';
import { requireNobodyActs, watchIncidents } from './watch-incidents.ts';

/** What every kind of drill is in the journal. */
export const drillRunbook = 'drill';

export interface RunIsolatedDrillOptions {
  /** Everything but what the drill makes of it: its rights in the regions, and what comes with the lease. */
  readonly context: Omit<IsolatedContext, 'epoch' | 'bubble' | 'standby' | 'siteOf' | 'findings'>;
  /** Regions as they are, by name; the drill takes place in that of the roles' standby. */
  readonly sites: ReadonlyMap<string, DrillSite>;
  /** `user@host`, process id. */
  readonly holder: string;
  readonly processes?: LocalProcesses | undefined;
  readonly occasion?: Occasion;
  readonly trigger: DrillTrigger;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Called while another's lease is watched for signs of life. */
  readonly onWaiting?: (message: string) => void;
}

/** What came of a drill, and how its command ends. */
export interface DrilledResult {
  readonly report: DrillReport;
  readonly steps: readonly ReportedStep[];
  /** 0 passed, 1 failed or stopped, 3 refused, 4 something is left. */
  readonly exitCode: number;
}

/**
 * Carries an isolated drill out under the drills' lease, and reports. Beside somebody who acts on the regions, or another
 * drill, it is `LeaseHeld` (exit code 3); from then on nothing is thrown. The drill ends itself, and removes what it made,
 * when somebody begins to act on the regions.
 */
export async function runIsolatedDrill(options: RunIsolatedDrillOptions): Promise<DrilledResult> {
  const { context: given, sites, trigger, occasion } = options;
  const { run, clock, state, config, roles, by, jobs } = given;
  const outer = options.signal ?? new AbortController().signal;
  await requireNobodyActs(state, outer);
  const silentAtStart = given.sighting?.firstFailureAtMs !== undefined || !(await answers(given, outer));
  const bubble = bubbleOf(run);
  const site = sites.get(roles.standby);
  if (site === undefined) throw new RangeError(`no site for ${roles.standby}`);
  const findings: DrillFindings = { causes: [], comparisons: [] };
  const startedAtMs = clock.now();
  const stop = new AbortController();
  const ended = new AbortController();
  let endedBy: Parameters<typeof isolatedReport>[0]['endedBy'];
  const end = (kind: 'timed-out' | 'yielded', why: string) => {
    if (stop.signal.aborted) return;
    endedBy = { kind, why };
    stop.abort(new Error(why));
  };
  const forward = () => stop.abort(outer.reason);
  if (outer.aborted) forward();
  outer.addEventListener('abort', forward);
  const { timeout } = config.drill;
  void clock.sleep(timeout, ended.signal).then(
    () => end('timed-out', `the drill was not done within ${timeout / 1_000} s (drill.timeout)`),
    // It ended in time.
    () => undefined,
  );
  const scene = { from: roles.primary, to: roles.standby, bubble, jobs, storeUri: site.objects.uri };
  const steps = isolatedSteps(scene);
  const view = {
    trigger,
    by,
    ...(occasion?.reason === undefined ? {} : { reason: occasion.reason }),
    from: roles.primary,
    to: roles.standby,
    rtoObjectiveMs: config.objectives.rto,
    findings,
  };
  const reportOf = (result: Parameters<typeof isolatedReport>[1]) =>
    isolatedReport(
      { ...view, startedAtMs: result.startedAtMs ?? startedAtMs, endedAtMs: clock.now(), endedBy },
      result,
    );
  let report: DrillReport | undefined;
  try {
    const watched = { state, clock, primary: roles.primary, silentAtStart };
    void watchIncidents(watched, ended.signal, (why) => end('yielded', why));
    const result = await runUnderLease({
      state: drillState(state),
      clock,
      run,
      holder: options.holder,
      processes: options.processes,
      runbook: drillRunbook,
      by,
      steps,
      context: (epoch) => ({
        ...given,
        state: bubbleState(state, bubble),
        epoch,
        bubble,
        findings,
        standby: bubbleRegion(site, bubble),
        siteOf: bubbleSites(sites),
      }),
      details: evidence({
        kind: 'isolated',
        trigger,
        from: roles.primary,
        to: roles.standby,
        rolesEpoch: roles.epoch,
        jobs: jobs.map(({ config: { name }, flinkJobId, group, topics }) => ({
          job: name,
          flinkJobId,
          group,
          topics: Object.fromEntries(topics),
        })),
        ...occasion,
        steps: plannedSteps(steps),
      }),
      resumeHint: 'what it made is removed again; `argus drill run` begins anew',
      report: (r) => {
        report = reportOf(r);
        return evidence(report);
      },
      signal: stop.signal,
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
      ...(options.onWaiting === undefined ? {} : { onWaiting: options.onWaiting }),
    });
    const told = { report: report ?? reportOf(result), steps: reportedSteps(result.steps) };
    return { ...told, exitCode: exitCodeOf(result, findings) };
  } finally {
    ended.abort();
    outer.removeEventListener('abort', forward);
  }
}

/** A daemon needs a moment to see that the primary is silent. */
async function answers({ primary, config }: RunIsolatedDrillOptions['context'], signal: AbortSignal): Promise<boolean> {
  const asked = primary.kafka.describeTopics(config.topics, { signal: within(signal, 2_500) });
  const answered = await asked.then(
    () => true,
    () => false,
  );
  signal.throwIfAborted();
  return answered;
}

function exitCodeOf(
  { outcome, error }: { readonly outcome: string; readonly error?: { readonly code: string } },
  { leaks = [] }: DrillFindings,
): number {
  if (leaks.length > 0 || error?.code === 'CompensationFailed') return 4;
  if (outcome === 'done') return 0;
  return outcome === 'refused' ? 3 : 1;
}
