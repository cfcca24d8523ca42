import { formatMs } from '../../health/render-status.ts';
import type { FailbackReport } from '../../runbooks/failback/run-failback.ts';
import { formatBudget } from '../../runbooks/failover/budget.ts';
import { outputLines } from '../../runbooks/failover/output.ts';
import type { FailoverReport } from '../../runbooks/failover/report.ts';
import type { SwitchoverReport } from '../../runbooks/switchover/report.ts';
import type { Json } from '../../state/journal.ts';
import type { DrillReport } from '../drill-report.ts';
import { drillLoss, failoverLoss, type LaterCounts, lossOf, switchoverLoss } from './losses.ts';
import type { Measured, ReportModel } from './model.ts';
import { count } from './words.ts';

interface Objectives {
  readonly rtoMs: number;
  readonly rpoMs: number;
}

/** The part of a report that differs from runbook to runbook. */
export type Outcome = Pick<
  ReportModel,
  'verdict' | 'accepted' | 'points' | 'rejected' | 'replayedRecords' | 'output' | 'causes'
> &
  Partial<
    Pick<
      ReportModel,
      'rto' | 'rpo' | 'from' | 'to' | 'outageAtMs' | 'share' | 'comparisons' | 'leaks' | 'legs' | 'faults' | 'drill'
    >
  >;

/** What a run without a report of its own came to. */
const nothing = { accepted: [], points: [], rejected: [], replayedRecords: null, output: [], causes: [] };

const measured = (ms: number | null, objectiveMs: number, means: string): Measured => ({
  ...{ ms, objectiveMs, means },
  met: ms === null ? null : ms <= objectiveMs,
});

/** What a run's own report says, in the terms that all reports share. Pure. */
export function outcomeOf(
  runbook: string,
  report: Json | undefined,
  objectives: Objectives,
  later: LaterCounts,
): Outcome {
  if (report === undefined || report === null || typeof report !== 'object')
    return { ...nothing, verdict: 'its steps are all that it told' };
  switch (runbook) {
    case 'failover':
      return failover(report as unknown as FailoverReport, objectives, later);
    case 'switchover':
      return switchover(report as unknown as SwitchoverReport, objectives);
    case 'failback':
      return failback(report as unknown as FailbackReport);
    case 'drill':
      return drill(report as unknown as DrillReport);
    default:
      return { ...nothing, verdict: `a run of ${runbook}` };
  }
}

function failover(report: FailoverReport, objectives: Objectives, later: LaterCounts): Outcome {
  const { from, to, rtoMs, outageAtMs, outageSource, error } = report;
  const topics = failoverLoss(report.rpo.topics, later);
  const means = `from the outage (${outageSource.replaceAll('-', ' ')}) until every job had a checkpoint of its own in ${to} and every resolver answered with it`;
  const rpo = lossOf(topics, objectives.rpoMs, `what ${from} had acknowledged and ${to} did not have`);
  const rto = {
    ...measured(rtoMs, objectives.rtoMs, means),
    ...(report.rtoMaxMs === undefined ? {} : { atMostMs: report.rtoMaxMs }),
  };
  const lost = lostText(rpo, from);
  return {
    ...{ from, to, outageAtMs, rto, rpo },
    verdict:
      report.outcome === 'done' && rtoMs !== null
        ? `${to} took over from ${from} ${formatMs(rtoMs)} after the outage began; ${lost}`
        : report.pastReturn
          ? `${to} has begun to take over, and the failover has to be gone on with: ${error?.message ?? report.outcome}`
          : `${to} did not take over: ${error?.message ?? report.outcome}`,
    accepted: [
      ...(report.unfenced
        ? [`that ${from} was not seen stopped${report.unfencedBecause ? `: ${report.unfencedBecause}` : ''}`]
        : []),
      ...(report.acceptedLoss === undefined ? [] : [`a loss above the RPO: ${formatBudget(report.acceptedLoss)}`]),
      ...(report.outputGapAccepted ? ['that output of the jobs may be missing'] : []),
    ],
    points: report.recoveryPoints.map(({ job, checkpointId, completedAtMs, uri }) => ({
      job,
      checkpointId,
      completedAtMs,
      uri,
    })),
    rejected: report.rejected.map(({ job, checkpointId, code, message }) => ({ job, checkpointId, code, message })),
    replayedRecords: report.replayedRecords,
    output: outputLines(report),
    causes: error === undefined ? [] : [error],
    ...(report.share === undefined ? {} : { share: { totalMs: report.share.totalMs, ownMs: report.share.ownMs } }),
  };
}

function lostText({ records, certainty, topics }: NonNullable<Outcome['rpo']>, from: string): string {
  if (records === null) return 'how many records were lost nobody knows';
  const sure = certainty === 'proven' || certainty === 'counted';
  if (records === 0) return sure ? 'no record was lost' : 'no record is known to be lost';
  const kept = topics.some((t) => t.countedBy?.startsWith('failback') === true);
  return kept
    ? `${many(records)} on ${from} alone, and the failback kept ${records === 1 ? 'it' : 'them'}`
    : `${sure ? '' : 'about '}${many(records)} lost`;
}

const keptText = (orphans: number, region: string) =>
  orphans === 1
    ? `1 record that only ${region} had is kept`
    : `${count(orphans)} records that only ${region} had are kept`;

const many = (records: number) => (records === 1 ? '1 record was' : `${count(records)} records were`);

function switchover(report: SwitchoverReport, objectives: Objectives): Outcome {
  const { from, to, rtoMs, error } = report;
  const means = `from the producers' first denial until every job had a checkpoint of its own in ${to} and the names answered with it`;
  return {
    ...{ from, to },
    rto: measured(rtoMs, objectives.rtoMs, means),
    rpo: lossOf(switchoverLoss(report.rpo), objectives.rpoMs, 'both logs were compared when nobody wrote any more'),
    verdict:
      report.outcome === 'done'
        ? `${to} serves in place of ${from}; ${report.rpo.provenZero ? 'nothing was lost, proven' : 'that nothing was lost is not proven'}`
        : report.pastReturn
          ? `${to} has begun to take over, and the switchover has to be gone on with: ${error?.message ?? report.outcome}`
          : `${from} stays the primary: ${error?.message ?? report.outcome}`,
    accepted: report.rpo.producers === 'by-person' ? ['that the producers were stopped by hand'] : [],
    points: report.savepoints.map(({ job, checkpointId, directory }) => ({ job, checkpointId, uri: directory })),
    rejected: [],
    replayedRecords: report.replayedRecords,
    output: [],
    causes: error === undefined ? [] : [error],
  };
}

function failback(report: FailbackReport): Outcome {
  const { region, active, error } = report;
  const kept = Object.entries(report.topics).map(
    ([topic, t]) =>
      `${topic}: ${keptText(t.orphans, region)} in ${t.where}${t.gone.length > 0 ? '; some it had deleted before anybody could keep them' : ''}`,
  );
  return {
    ...nothing,
    from: active,
    to: region,
    verdict:
      report.outcome === 'done'
        ? `${region} is mirrored to again, ${active} stays the primary; ${keptText(report.orphans, region)}`
        : `${region} is not mirrored to yet: ${error?.message ?? report.outcome}`,
    accepted: report.unfenced ? [`that the jobs of ${region} were not seen stopped`] : [],
    output: kept,
    causes: error === undefined ? [] : [error],
  };
}

function drill(report: DrillReport): Outcome {
  const { rto, rpo } = report;
  return {
    ...nothing,
    ...{ drill: report.kind, from: report.from, to: report.to, verdict: report.verdict, causes: report.causes },
    ...(rto === undefined ? {} : { rto: measured(rto.ms, rto.objectiveMs, drillMeans(report.kind).rto) }),
    ...(rpo === undefined ? {} : { rpo: drillRpo(rpo, report.kind) }),
    points: report.points,
    rejected: report.rejected,
    replayedRecords: replayedOf(report.points),
    comparisons: report.comparisons,
    ...(report.leaks === undefined ? {} : { leaks: report.leaks }),
    ...(report.legs === undefined ? {} : { legs: report.legs }),
    ...(report.faults === undefined ? {} : { faults: report.faults }),
  };
}

/** What the figures of a drill were measured from and to. */
function drillMeans(kind: DrillReport['kind']): { readonly rto: string; readonly rpo: string } {
  return kind === 'switchover'
    ? {
        rto: "the longer of the two moves, each from the producers' first denial until every job had a checkpoint of its own and the names answered with the new primary",
        rpo: 'both logs were compared, there and back, when nobody wrote any more',
      }
    : {
        rto: "from the order until the drill's jobs were seen at work: without detection, fencing and names",
        rpo: 'what would have been lost if the primary had died when the recovery point was chosen',
      };
}

/** Of its topics only those are told that somebody knows: without a total of its own there is none. */
function drillRpo(rpo: NonNullable<DrillReport['rpo']>, kind: DrillReport['kind']): NonNullable<Outcome['rpo']> {
  const loss = lossOf(drillLoss(rpo), rpo.objectiveMs, drillMeans(kind).rpo);
  const [ms, records] = [rpo.ms ?? null, rpo.records ?? null];
  return {
    ...loss,
    ...{ ms, records },
    bytes: records === 0 ? 0 : null,
    met: ms === null ? null : ms <= rpo.objectiveMs,
    certainty: records === null ? 'unknown' : kind === 'switchover' && records === 0 ? 'proven' : rpo.certainty,
  };
}

function replayedOf(points: DrillReport['points']): number | null {
  const known = points.flatMap((p) => p.replayRecords ?? []);
  return points.length === 0 || known.length < points.length ? null : known.reduce((sum, n) => sum + n, 0);
}
