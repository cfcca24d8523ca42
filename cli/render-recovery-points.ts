import { offsetToJson, partitionKey } from '../domain/offsets.ts';
import { formatMs } from '../health/render-status.ts';
import { type AssessedPoint, type AssessedSource, refusalsOf } from '../replication/recovery-point/assess.ts';
import type { RestoreRates } from '../replication/recovery-point/estimate-restore.ts';
import { describeRefusal, noPointSentence } from '../replication/recovery-point/find.ts';
import type { PointSurvey } from '../replication/recovery-point/survey.ts';
import { outputLines, type ReportedOutput, reportedOutput } from '../runbooks/failover/output.ts';

/** What holds for all jobs. */
export interface RecoveryPointsAbout {
  /** The standby. */
  readonly region: string;
  /** `counted` in both logs; `estimated` from the last sighting of a primary that doesn't answer; `unknown`: nobody saw it. */
  readonly rpoBasis: 'counted' | 'estimated' | 'unknown';
  readonly rates: RestoreRates;
}

/** A job's recovery points as JSON has them; with `explain` also files, offsets and transactions. Pure. */
export function jobPointsJson({ job, points, problems, older }: PointSurvey, options: { readonly explain: boolean }) {
  const chosen = points.find((p) => p.verdict === 'chosen');
  return {
    job,
    chosen: chosen?.manifest.checkpointId ?? null,
    ...(chosen ? {} : { because: noPoint(job, points) }),
    points: points.map((point) => pointJson(point, options)),
    problems,
    older,
  };
}

function pointJson(point: AssessedPoint, { explain }: { readonly explain: boolean }) {
  const { manifest, replay, rpo } = point;
  return {
    checkpointId: manifest.checkpointId,
    flinkJobId: manifest.flinkJobId,
    completedAtMs: manifest.completedAtMs,
    uri: manifest.replicaUri,
    verdict: point.verdict,
    reasons: point.reasons,
    ageMs: point.ageMs,
    stateBytes: point.stateBytes,
    replayRecords: replay === null ? null : replay.records.toString(),
    rpo,
    restoreMs: point.restoreMs,
    pendingTransactions: manifest.droppedTransactions.length,
    notes: point.notes,
    ...outputJson(point),
    ...(explain
      ? {
          committedAtMs: manifest.committedAtMs,
          metadataVersion: manifest.metadataVersion,
          sourceUri: manifest.sourceUri,
          sources: point.sources.map((source) => ({
            ...offsetToJson(source),
            logStartOffset: source.logStartOffset?.toString() ?? null,
            logEndOffset: source.logEndOffset?.toString() ?? null,
          })),
          files: manifest.files,
          transactions: manifest.droppedTransactions,
          sinkEnds: manifest.sinkEnds ?? null,
          resolvedMarkers: manifest.resolvedMarkers ?? null,
        }
      : {}),
  };
}

function outputJson({ manifest, output }: AssessedPoint): Partial<Omit<ReportedOutput, 'outputNotes'>> {
  if (output === undefined) return {};
  const { outputGap, doubledOutput } = reportedOutput([{ job: manifest.job, output }]);
  return { outputGap, doubledOutput };
}

const noPoint = (job: string, points: readonly AssessedPoint[]) =>
  noPointSentence(
    job,
    refusalsOf(points).map((r) => ({ checkpointId: r.checkpointId, message: describeRefusal(r) })),
  );

/** The same for people. Ends with a line break. Pure. */
export function renderRecoveryPoints(
  about: RecoveryPointsAbout,
  jobs: readonly PointSurvey[],
  options: { readonly explain: boolean },
): string {
  const out: string[] = [];
  for (const { job, points, problems, older } of jobs) {
    const chosen = points.find((p) => p.verdict === 'chosen');
    out.push(
      chosen
        ? `${job} on ${about.region}: checkpoint ${chosen.manifest.checkpointId}`
        : `${job}: ${noPoint(job, points)}`,
    );
    for (const point of points) out.push(...pointLines(point, about, options));
    for (const p of problems) out.push(`  not a checkpoint: ${p.code}: ${p.message}`);
    if (older > 0) out.push(`  ${older} older, not looked at`);
  }
  out.push('', ...basisLines(about));
  return `${out.join('\n')}\n`;
}

function pointLines(
  point: AssessedPoint,
  { rpoBasis }: RecoveryPointsAbout,
  { explain }: { readonly explain: boolean },
): readonly string[] {
  const { manifest, replay, restoreMs, reasons } = point;
  const first = reasons[0];
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  const why = first === undefined ? '' : `  ${first.code}: ${first.message}${explain ? '' : more}`;
  const out = [
    `  checkpoint ${manifest.checkpointId}  ${formatMs(point.ageMs)} old  ${point.verdict}${point.verdict === 'older' ? '' : why}`,
  ];
  if (explain) {
    for (const { code, message } of reasons.slice(point.verdict === 'refused' ? 1 : 0))
      out.push(`    ${code}: ${message}`);
    out.push(`    completed ${new Date(manifest.completedAtMs).toISOString()}, ${manifest.replicaUri}`);
  }
  if (replay !== null && restoreMs !== null && (point.verdict === 'chosen' || explain)) {
    const pending = manifest.droppedTransactions.length;
    out.push(
      `    RPO ${rpoText(point, rpoBasis)}; reads ${replay.records} records again; about ${formatMs(restoreMs)} to restore (${point.stateBytes} bytes); pending transactions of its sinks: ${pending}`,
    );
  }
  if (point.verdict === 'chosen') {
    const output = { doubled: [], gap: [], ...point.output, notes: point.notes };
    for (const line of outputLines(reportedOutput([{ job: manifest.job, output }]))) out.push(`    ${line}`);
  }
  if (!explain) return out;
  for (const source of point.sources) out.push(`    ${sourceText(source)}`);
  for (const split of manifest.resolvedMarkers?.splits ?? []) {
    const whose = split.marker === '-3' ? `, what ${manifest.resolvedMarkers?.group} had committed` : '';
    out.push(`    ${partitionKey(split)}: ${split.offset} stands for the marker ${split.marker}${whose}`);
  }
  for (const file of manifest.files)
    out.push(`    ${file.key}  ${file.sizeRule === 'atLeast' ? 'at least ' : ''}${file.sizeBytes} bytes`);
  for (const t of manifest.droppedTransactions)
    out.push(`    pending: ${t.transactionalId}, producer ${t.producerId}, epoch ${t.producerEpoch}`);
  for (const end of manifest.sinkEnds?.partitions ?? [])
    out.push(`    ${end.topic}-${end.partition}: its output ends below ${end.endOffset}`);
  return out;
}

function rpoText({ rpo }: AssessedPoint, basis: RecoveryPointsAbout['rpoBasis']): string {
  if (rpo.records === null) return 'unknown';
  const ms = rpo.ms === null ? ', of unknown age' : `, ${formatMs(rpo.ms)}`;
  return `${basis === 'counted' ? '' : 'about '}${rpo.records} records${ms}`;
}

function sourceText({ topic, partition, offset, logStartOffset, logEndOffset }: AssessedSource): string {
  const where = `${topic}-${partition}: goes on at ${offset < 0n ? 'the marker ' : ''}${offset}`;
  return logStartOffset === null || logEndOffset === null
    ? `${where}; the standby has no such partition of a mirrored topic`
    : `${where}; the standby holds [${logStartOffset}, ${logEndOffset})`;
}

function basisLines({ rpoBasis, rates }: RecoveryPointsAbout): readonly string[] {
  const rpo = {
    counted: 'RPO: counted in both logs just now',
    estimated: 'RPO: estimated from the last sight of the primary, which does not answer',
    unknown: 'RPO: unknown, nobody has seen the primary',
  }[rpoBasis];
  const start =
    rates.measuredIn === undefined
      ? `${formatMs(rates.startMs)} to start (a guess: no failover has measured it)`
      : `${formatMs(rates.startMs)} to start (as in ${rates.measuredIn})`;
  return [
    rpo,
    `time to restore: ${start}, ${rates.bytesPerSecond / 1_000_000} MB and ${rates.recordsPerSecond} records a second (guesses)`,
  ];
}
