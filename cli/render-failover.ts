import { formatMs } from '../health/render-status.ts';
import type { TopicLoss } from '../replication/topics/estimate-loss.ts';
import type { RunEvent } from '../runbooks/engine/run.ts';
import { formatBudget } from '../runbooks/failover/budget.ts';
import { groupLines } from '../runbooks/failover/group-windows.ts';
import { outputLines } from '../runbooks/failover/output.ts';
import type { FailoverReport } from '../runbooks/failover/report.ts';
import type { OwnShare } from '../runbooks/own-share.ts';
import { reportedStepLines } from './render-steps.ts';

/** One line of progress. Pure. */
export function renderEvent(event: RunEvent): string {
  switch (event.kind) {
    case 'step-started':
      return `… ${event.title}`;
    case 'step-progress':
      return `    ${event.message}`;
    case 'step-ended': {
      const { status, ms, title, error } = event.result;
      return `${status === 'done' || status === 'already' ? '✓' : '✗'} ${title} (${status}, ${formatMs(ms)})${error ? `: ${error.message}` : ''}`;
    }
    case 'step-compensated':
      return event.error === undefined
        ? `↶ ${event.step} was taken back`
        : `✗ ${event.step} was not taken back: ${event.error.message}`;
    default:
      return event satisfies never;
  }
}

/** What a failover did and reached. Pure. */
export function renderReport(report: FailoverReport): string {
  const out = [
    `failover ${report.run}: ${report.outcome}, ${report.from} → ${report.to}`,
    `RTO ${report.rtoMs === null ? 'not reached' : formatMs(report.rtoMs)}, from ${new Date(report.outageAtMs).toISOString()} (${report.outageSource})${earlier(report)}`,
  ];
  if (report.share !== undefined) out.push(shareText(report.share, report.preparedMs));
  if (report.reason !== undefined) out.push(`because: ${report.reason}`);
  out.push(...reportedStepLines(report.steps));
  for (const [topic, loss] of Object.entries(report.rpo.topics)) out.push(`RPO ${topic}: ${lossText(loss)}`);
  if (report.acceptedLoss !== undefined)
    out.push(`a loss above the RPO was accepted: ${formatBudget(report.acceptedLoss)}`);
  for (const p of report.recoveryPoints) out.push(`recovery point of ${p.job}: checkpoint ${p.checkpointId}`);
  if (report.replayedRecords !== null) out.push(`replayed: ${report.replayedRecords} records`);
  for (const r of report.rejected)
    out.push(`passed over checkpoint ${r.checkpointId} of ${r.job}: ${r.code}: ${r.message}`);
  if (report.droppedTransactions.length > 0)
    out.push(`left out of the jobs' state: ${report.droppedTransactions.length} pending transactions of their sinks`);
  out.push(...outputLines(report));
  out.push(...transactionLines(report));
  out.push(...groupLines(report.groups ?? []));
  if (report.unfenced)
    out.push(
      `the primary was not seen stopped${report.unfencedBecause ? ` (${report.unfencedBecause})` : ''}; the failover went on all the same`,
    );
  if (report.kafkaFencing !== undefined) out.push(fencingLine(report.from, report.kafkaFencing));
  if (report.compensated.length > 0) out.push(`taken back: ${report.compensated.join(', ')}`);
  if (report.outcome !== 'done') {
    out.push(
      report.pastReturn
        ? `past the point of no return: ${report.to} has begun to take over, and the failover has to be gone on with`
        : `before the point of no return: ${report.to} is the standby as it was`,
    );
  }
  if (report.leftStopped) {
    out.push(
      `${report.leftStopped.join(', ')} on ${report.from} may have been stopped by this run: start it there again, or run argus failover again`,
    );
  }
  if (report.error) {
    out.push(`error: ${report.error.message}`);
    if (report.error.hint !== undefined) out.push(`hint: ${report.error.hint}`);
  }
  const first = Object.keys(report.rpo.topics)[0];
  if (report.outcome === 'done' && first !== undefined && Object.values(report.rpo.topics).some((l) => !l.proven)) {
    out.push(`once ${report.from} can be read again: argus runs show ${report.run} --recount`);
  }
  out.push(`to hand it on: argus report show ${report.run} --out ${report.run}.html`);
  return `${out.join('\n')}\n`;
}

/** `Argus' own share: 1.2 s of 31 s`, and whom the rest was spent on, the longest first. */
function shareText({ totalMs, ownMs, waited }: OwnShare, preparedMs: number | undefined): string {
  const longest = waited.toSorted((a, b) => b.ms - a.ms).slice(0, 3);
  const others = longest.map((w) => `${w.for} ${formatMs(w.ms)}`).join(', ');
  const before = preparedMs === undefined ? '' : `; looking and planning before it took ${formatMs(preparedMs)}`;
  return `Argus' own share: ${formatMs(ownMs)} of the run's ${formatMs(totalMs)}${others === '' ? '' : `; it waited for ${others}`}${before}`;
}

/** What became of transactions that stood open at the cut. Pure. */
export function transactionLines({
  endedTransactions = [],
  foreignTransactions = [],
}: Pick<FailoverReport, 'endedTransactions' | 'foreignTransactions'>): readonly string[] {
  const where = (t: { readonly topic: string; readonly partition: number; readonly firstOffset: string | null }) =>
    `${t.topic}-${t.partition} from ${t.firstOffset ?? 'no record yet'}`;
  return [
    ...endedTransactions.map((t) => {
      const whose = t.sourceProducerId === null ? 'an unknown producer' : `producer ${t.sourceProducerId}`;
      const what = t.outcome === 'commit' ? 'committed' : 'aborted';
      const other = t.outcome === t.wanted ? '' : `, although ${t.wanted} was wanted`;
      return `${what} (${t.because})${other}: the transaction of ${whose} in ${where(t)}, ${t.records ?? 'an unknown number of'} records`;
    }),
    ...foreignTransactions.map(
      (t) =>
        `still open, not the mirror's: a transaction of producer ${t.producerId} in ${where(t)}; readers wait there`,
    ),
  ];
}

/** An outage that nobody saw begin makes the RTO a lower bound. */
function earlier({ outageEarliestAtMs, rtoMaxMs }: FailoverReport): string {
  if (outageEarliestAtMs === undefined) return '';
  const most = rtoMaxMs === undefined ? '' : `, at most ${formatMs(rtoMaxMs)}`;
  return `; at least, since nobody watched when the outage began${most}`;
}

/** `about 45 records, 600 ms`; what nobody knows is called unknown. Pure. */
export function lossText(loss: TopicLoss): string {
  if (loss.proven) return 'nothing: its log ends were read once the names had moved';
  if (loss.estimatedRecords === null) return 'an unknown number of records';
  const bound =
    loss.boundRecords === undefined ? '' : ` (up to ${loss.boundRecords} if its clients went on until the names moved)`;
  const unseen = loss.unseenMs === undefined ? '' : ` from a last sight ${formatMs(loss.unseenMs)} before the outage`;
  const ms = loss.ms === null ? '' : `, ${formatMs(loss.ms)}`;
  return `${loss.estimated ? 'about ' : ''}${loss.estimatedRecords} records${bound}${ms}${loss.estimated ? ', an estimate' : ''}${unseen}`;
}

function fencingLine(from: string, fencing: NonNullable<FailoverReport['kafkaFencing']>): string {
  const why = fencing.why.join('; ');
  switch (fencing.kind) {
    case 'proven':
      return `${from}'s Kafka takes no writes of ${fencing.principals.join(', ')}: seen at broker ${fencing.brokers.join(', ')}`;
    case 'partial':
      return `${from}'s Kafka refuses ${fencing.principals.join(', ')}, but not all is shown: ${why}`;
    case 'unproven':
      return `${from}'s Kafka was not seen fenced: ${why}`;
    case 'none':
      return `${from}'s Kafka was not fenced: ${why}`;
    default:
      return fencing satisfies never;
  }
}
