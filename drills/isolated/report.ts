import type { RunResult } from '../../runbooks/engine/run-result.ts';
import type { DrillCause, DrillReport, DrillTrigger } from '../drill-report.ts';
import type { DrillFindings, IsolatedFacts } from './context.ts';

/** What a drill was begun as, and how it was ended from outside. */
export interface DrillReportView {
  readonly trigger: DrillTrigger;
  readonly by: string;
  readonly reason?: string;
  readonly from: string;
  readonly to: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly rtoObjectiveMs: number;
  readonly findings: DrillFindings;
  /** Why it was ended before its time; absent: it was not, or by whoever had started it. */
  readonly endedBy?: { readonly kind: 'timed-out' | 'yielded'; readonly why: string } | undefined;
}

/** Steps that a failover has not: their time isn't part of the recovery. */
const drillsOwn: ReadonlySet<string> = new Set(['take-inventory', 'prove-replica']);

/** What an isolated drill came to. Pure. */
export function isolatedReport(view: DrillReportView, result: RunResult<IsolatedFacts>): DrillReport {
  const { findings, trigger, by, from, to, startedAtMs, endedAtMs } = view;
  const { points = [], rejected = [], rpo, recoveredAtMs } = result.facts;
  const outcome = outcomeOf(view, result);
  const causes = outcome === 'passed' ? [] : causesOf(view, result);
  const apartMs = result.steps.filter(({ id }) => drillsOwn.has(id)).reduce((sum, { ms }) => sum + ms, 0);
  return {
    run: result.run,
    kind: 'isolated',
    outcome,
    verdict: verdictOf(outcome, view, causes, result),
    causes,
    trigger,
    by,
    ...(view.reason === undefined ? {} : { reason: view.reason }),
    from,
    to,
    startedAtMs,
    endedAtMs,
    ...(recoveredAtMs === undefined
      ? {}
      : {
          rto: { ms: Math.max(0, recoveredAtMs - startedAtMs - apartMs), objectiveMs: view.rtoObjectiveMs },
        }),
    ...(rpo === undefined ? {} : { rpo }),
    points: points.map(({ manifest: _, ...point }) => point),
    rejected,
    comparisons: findings.comparisons,
    ...(findings.leaks === undefined ? {} : { leaks: findings.leaks }),
  };
}

function outcomeOf({ endedBy }: DrillReportView, { outcome, error }: RunResult<IsolatedFacts>): DrillReport['outcome'] {
  if (outcome === 'done') return 'passed';
  if (endedBy?.kind === 'timed-out') return 'failed';
  if (outcome === 'failed' || error?.code === 'CompensationFailed') return 'failed';
  return 'stopped';
}

function causesOf(
  { findings, endedBy }: DrillReportView,
  { error, steps }: RunResult<IsolatedFacts>,
): readonly DrillCause[] {
  const causes = [...findings.causes];
  if (endedBy?.kind === 'timed-out') causes.unshift({ code: 'DrillTimedOut', message: endedBy.why });
  if (endedBy?.kind === 'yielded') causes.unshift({ code: 'DrillYielded', message: endedBy.why });
  const failed = steps.find(({ status }) => status === 'failed' || status === 'refused')?.error;
  const told = endedBy !== undefined || causes.some(({ code }) => code === 'Leak');
  for (const each of told ? [] : [failed, error]) {
    if (each !== undefined && !causes.some(({ code }) => code === each.code)) causes.push(each);
  }
  if (causes.length === 0 && error !== undefined) causes.push(error);
  return causes;
}

function verdictOf(
  outcome: DrillReport['outcome'],
  { to, from, findings }: DrillReportView,
  causes: readonly DrillCause[],
  { facts }: RunResult<IsolatedFacts>,
): string {
  const [first] = causes;
  if (outcome === 'stopped') return `ended before it could tell: ${first?.message ?? 'somebody stopped it'}`;
  if (outcome === 'failed') return `failed: ${first?.message ?? 'the journal says no more'}`;
  const jobs = (facts.points ?? []).map(({ job }) => job).join(', ');
  const records = findings.comparisons.reduce((sum, each) => sum + (each.kind === 'compared' ? each.records : 0), 0);
  const skipped = findings.comparisons.filter(({ kind }) => kind === 'skipped').length;
  const some = skipped > 0 ? `, ${skipped} ${skipped === 1 ? 'topic was' : 'topics were'} not compared` : '';
  const compared =
    records > 0
      ? `its output equals ${from}'s in ${records} records${some}`
      : skipped > 0
        ? 'its output was not compared'
        : 'there was no output to compare';
  const mirror =
    findings.mirrorNotCompared === undefined
      ? ''
      : `; the mirrored log was not compared with ${from}'s, or not all of it`;
  return `${jobs} came up on ${to} from the replica; ${compared}${mirror}; nothing is left of the drill`;
}
