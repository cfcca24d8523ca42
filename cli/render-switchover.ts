import { formatMs } from '../health/render-status.ts';
import { groupLines } from '../runbooks/failover/group-windows.ts';
import type { Hook } from '../runbooks/hooks/hook-steps.ts';
import type { SwitchoverPlan } from '../runbooks/switchover/plan.ts';
import type { SwitchoverReport } from '../runbooks/switchover/report.ts';
import { stepLines } from './render-plan.ts';
import { reportedStepLines } from './render-steps.ts';

/** The plan for people: steps with the commands that a person would type, blockers. Pure. */
export function renderSwitchoverPlan(plan: SwitchoverPlan, hooks: readonly Hook[] = []): string {
  const out = [`switchover from ${plan.from} to ${plan.to}`];
  if (plan.resumes !== undefined) out.push(`goes on with ${plan.resumes}`);
  out.push(...stepLines(plan, hooks));
  const lag = plan.lagRecords === null ? 'an unknown number of records' : `${plan.lagRecords} records`;
  out.push('', `${plan.to} lacks ${lag} now`);
  for (const w of plan.warnings) out.push(`warning: ${w}`);
  for (const b of plan.blockers) out.push(`blocker: ${b.code}: ${b.message}`);
  return `${out.join('\n')}\n`;
}

const how = {
  proven: 'each producer was seen refused by every leader',
  'by-rules': 'the producers are denied by the rules that the brokers told',
  'by-person': 'a person stopped the producers, and the logs stood still',
};

/** What a switchover did and reached. Pure. */
export function renderSwitchover(report: SwitchoverReport): string {
  const out = [`switchover ${report.run}: ${report.outcome}, ${report.from} → ${report.to}`];
  if (report.reason !== undefined) out.push(`because: ${report.reason}`);
  out.push(...reportedStepLines(report.steps));
  const { provenZero, partitions, producers } = report.rpo;
  if (provenZero && producers !== null) {
    out.push(
      `RPO 0, proven: ${partitions.length} partitions ended at the same offsets on both sides; ${how[producers]}`,
    );
  } else out.push('RPO: nothing is proven');
  const blocked = report.producersBlockedMs === null ? 'not told' : formatMs(report.producersBlockedMs);
  out.push(`producers were kept from writing for ${blocked}`);
  out.push(`RTO ${report.rtoMs === null ? 'not reached' : formatMs(report.rtoMs)}, from the first denial`);
  for (const s of report.savepoints) out.push(`savepoint of ${s.job}: ${s.checkpointId}, ${s.directory}`);
  if (report.replayedRecords !== null)
    out.push(`read on ${report.to} what was not read before: ${report.replayedRecords}`);
  out.push(...groupLines(report.groups));
  if (report.compensated.length > 0) out.push(`taken back: ${report.compensated.join(', ')}`);
  if (report.outcome !== 'done') {
    out.push(
      report.pastReturn
        ? `past the point of no return: ${report.to} has begun to take over, and the switchover has to be gone on with`
        : `before the point of no return: ${report.from} is the primary as it was`,
    );
  }
  if (report.error) {
    out.push(`error: ${report.error.message}`);
    if (report.error.hint !== undefined) out.push(`hint: ${report.error.hint}`);
  }
  out.push(`to hand it on: argus report show ${report.run} --out ${report.run}.html`);
  return `${out.join('\n')}\n`;
}
