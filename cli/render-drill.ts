import type { DrillReport } from '../drills/drill-report.ts';
import type { DrilledJob } from '../drills/isolated/context.ts';
import type { DrillPlan } from '../drills/isolated/plan.ts';
import { formatMs } from '../health/render-status.ts';
import type { ReportedStep } from '../runbooks/engine/run-result.ts';
import { reportedStepLines } from './render-steps.ts';

/** What a drill will do, and where. Pure. */
export function renderDrillPlan(
  { jobs, blockers }: DrillPlan,
  about: { readonly run: string; readonly from: string; readonly to: string; readonly storeUri: string },
): string {
  const { run, from, to, storeUri } = about;
  const lines = [
    `isolated drill ${run}: what a failover from ${from} would restore is started on ${to}, beside the mirror`,
    ...jobs.flatMap((job) => jobLines(job, storeUri)),
    'production is only looked at; all that is made has a name of the drill, and is removed at the end',
  ];
  for (const { message, hint } of blockers) lines.push(`BLOCKED: ${message}`, ...(hint ? [`  ${hint}`] : []));
  return `${lines.join('\n')}\n`;
}

function jobLines(job: DrilledJob, uri: string) {
  const { config, flinkJobId, topics, group, transactionalIdPrefix, checkpoints, manifest } = job;
  return [
    `  ${config.name}: Flink job ${flinkJobId}`,
    ...(manifest ? [`    FlinkDeployment ${manifest.metadata.namespace}/${manifest.metadata.name}`] : []),
    `    group ${group}, transactional ids ${transactionalIdPrefix}…`,
    ...[...topics].map(([of, name]) => `    writes ${name} in place of ${of}`),
    `    checkpoints in ${uri}/${checkpoints}`,
  ];
}

/** What an isolated drill came to. Pure. */
export function renderDrill(report: DrillReport, steps: readonly ReportedStep[] = []): string {
  const { rto, rpo, leaks } = report;
  const out = [
    `drill ${report.run} (${report.kind}): ${report.outcome}, ${report.from} → ${report.to}`,
    report.verdict,
  ];
  if (report.reason !== undefined) out.push(`because: ${report.reason}`);
  out.push(...reportedStepLines(steps));
  if (rto !== undefined) out.push(`RTO ${formatMs(rto.ms)} (objective ${formatMs(rto.objectiveMs)})`);
  if (rpo !== undefined) {
    const records = rpo.records === undefined ? 'an unknown number of records' : `${rpo.records} records`;
    const age = rpo.ms === undefined ? '' : `, ${formatMs(rpo.ms)}`;
    out.push(`RPO ${records}${age}, ${rpo.certainty} (objective ${formatMs(rpo.objectiveMs)})`);
  }
  for (const { job, checkpointId, replayRecords } of report.points) {
    const replay = replayRecords === undefined ? '' : `, ${replayRecords} records read again`;
    out.push(`${job}: restored from checkpoint ${checkpointId}${replay}`);
  }
  for (const { job, checkpointId, code, message } of report.rejected)
    out.push(`passed over checkpoint ${checkpointId} of ${job}: ${code}: ${message}`);
  for (const each of report.comparisons) {
    const where = `${each.job} → ${each.topic}`;
    if (each.kind === 'skipped') out.push(`output ${where}: not compared: ${each.why}`);
    else {
      const { records, missing, unexpected, differing, first, against } = each;
      const wrong = missing + unexpected + differing;
      const what = wrong === 0 ? 'equal' : `${missing} missing, ${unexpected} unexpected, ${differing} differing`;
      out.push(`output ${where}: ${records} records of production's (${against}): ${what}${first ? `; ${first}` : ''}`);
    }
  }
  for (const { fault, expected, seen, met, healed } of report.faults ?? [])
    out.push(
      `fault ${fault}: expected ${expected}; seen ${seen}: ${met ? 'met' : 'NOT met'}${healed ? '' : '; NOT healed'}`,
    );
  for (const { code, message } of report.causes) out.push(`cause: ${code}: ${message}`);
  if (leaks !== undefined) {
    out.push(leaks.length === 0 ? 'nothing is left of it: 0 leaks' : `${leaks.length} leaks:`);
    for (const { kind, name } of leaks) out.push(`  ${kind} ${name}`);
  }
  out.push(`to hand it on: argus report show ${report.run} --out ${report.run}.html`);
  return `${out.join('\n')}\n`;
}
