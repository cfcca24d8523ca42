import type { Divergence } from '../replication/orphans/divergence.ts';
import type { InSync } from '../runbooks/failback/in-sync.ts';
import type { FailbackPlan } from '../runbooks/failback/plan.ts';
import type { FailbackReport } from '../runbooks/failback/run-failback.ts';
import type { Hook } from '../runbooks/hooks/hook-steps.ts';
import { stepLines } from './render-plan.ts';
import { reportedStepLines } from './render-steps.ts';

/** The plan for people: what diverged, the steps with the commands that a person would type, blockers. Pure. */
export function renderFailbackPlan(plan: FailbackPlan, hooks: readonly Hook[] = []): string {
  const out = [
    `failback: mirror from ${plan.active} back to ${plan.region} (promoted in roles epoch ${plan.promotion})`,
  ];
  if (plan.blockers.length === 0) {
    out.push(`${plan.partitions} partitions in ${plan.region}, ${plan.diverged.length} not where the shared log ends`);
  }
  for (const d of plan.diverged) out.push(`  ${describeDivergence(d)}`);
  out.push('');
  out.push(...stepLines(plan, hooks));
  out.push('');
  for (const b of plan.blockers) out.push(`blocker: ${b.code}: ${b.message}`);
  return `${out.join('\n')}\n`;
}

/** One partition that is not where the shared log ends. Pure. */
function describeDivergence({ topic, partition, kind, sharedEnd, old, orphans, older, gone }: Divergence): string {
  const parts = [`${topic}-${partition}: ${kind}, shared up to ${sharedEnd}, holds [${old.from}, ${old.to})`];
  if (orphans) parts.push(`orphans [${orphans.from}, ${orphans.to})`);
  if (older) parts.push(`deleted on the active side [${older.from}, ${older.to})`);
  if (gone) parts.push(`gone everywhere [${gone.from}, ${gone.to})`);
  return parts.join('; ');
}

/** What a failback did and found. Pure. */
export function renderFailback(report: FailbackReport, inSync?: InSync): string {
  const out = [`failback ${report.run}: ${report.outcome}, ${report.active} → ${report.region}`];
  if (report.reason !== undefined) out.push(`because: ${report.reason}`);
  out.push(...reportedStepLines(report.steps));
  for (const [topic, t] of Object.entries(report.topics)) {
    const of = [
      ...(t.aborted > 0 ? [`${t.aborted} in aborted transactions`] : []),
      ...(t.open > 0 ? [`${t.open} in open transactions`] : []),
    ];
    out.push(`${topic}: ${t.orphans} orphans${of.length > 0 ? ` (${of.join(', ')})` : ''}, kept in ${t.where}`);
    if (t.older > 0) out.push(`${topic}: ${t.older} records that ${report.active} had deleted, kept there as well`);
    for (const g of t.gone) out.push(`${topic}-${g.partition}: [${g.from}, ${g.to}) is gone everywhere`);
  }
  if (report.begunAnew.length > 0) out.push(`begun anew on ${report.region}: ${report.begunAnew.join(', ')}`);
  if (report.unfenced) out.push(`${report.region}'s jobs were not seen stopped: a person accepted that`);
  out.push(`to hand it on: argus report show ${report.run} --out ${report.run}.html`);
  if (report.outcome !== 'done') out.push(report.error?.hint ?? 'run `argus failback` again');
  else if (inSync?.kind === 'ready')
    out.push(`${report.region} follows: ready to switch back with \`argus switchover\``);
  else out.push(`${report.region} is mirrored to since the roles of epoch ${report.rolesEpoch}`);
  return `${out.join('\n')}\n`;
}
