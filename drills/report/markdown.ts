import { formatMs } from '../../health/render-status.ts';
import { evidenceLines, seenBy } from './evidence-lines.ts';
import type { ReportModel } from './model.ts';
import type { TrendModel } from './trend.ts';
import {
  bytesText,
  certaintyText,
  count,
  instant,
  journalText,
  measuredText,
  orUnknown,
  provenText,
  statusMark,
  statusText,
  timeOfDay,
} from './words.ts';

/** The report as Markdown, for a ticket or a wiki: the same as the page, without its pictures. Pure. */
export function reportMarkdown(model: ReportModel): string {
  return `${[
    ...head(model),
    ...summary(model),
    ...part(
      'What went wrong',
      model.causes.map((c) => `${code(c.code)} ${c.job === undefined ? '' : `(${text(c.job)}) `}${text(c.message)}`),
    ),
    ...part('What was accepted by whoever ordered it', model.accepted.map(text)),
    ...part(
      'What would make it better',
      model.hints.map((h) => text(h.sentence)),
    ),
    ...part(
      'Other runs of the same move',
      model.related.map((r) => `${code(r.run)}, ${instant(r.startedAtMs)}: ${r.relation}`),
    ),
    ...steps(model),
    ...losses(model),
    ...points(model),
    ...drill(model),
    ...samples(model),
    ...evidence(model),
    ...record(model),
  ].join('\n')}\n`;
}

/** What stands in other people's names and messages must not become markup. */
const text = (raw: string) => raw.replaceAll(/[\\`*_<>|[\]#]/g, (c) => `\\${c}`).replaceAll(/\s*\n\s*/g, ' ');
const code = (raw: string) =>
  `\`${raw
    .replaceAll('`', "'")
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')}\``;
const part = (heading: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', `## ${heading}`, '', ...lines.map((line) => `- ${line}`)];

function rows(heads: readonly string[], cells: readonly (readonly string[])[]): readonly string[] {
  return [
    '',
    `| ${heads.join(' | ')} |`,
    `| ${heads.map(() => '---').join(' | ')} |`,
    ...cells.map((r) => `| ${r.join(' | ')} |`),
  ];
}

function head({ title, verdict, run, status, by, reason, startedFrom, startedAtMs, endedAtMs }: ReportModel) {
  const from = startedFrom === undefined ? '' : `, logged in from ${text(startedFrom)}`;
  return [
    `# ${text(title)}`,
    '',
    `**${text(verdict.charAt(0).toUpperCase() + verdict.slice(1))}.**`,
    '',
    `${status}; run ${code(run)}, ${instant(startedAtMs)}, ${formatMs(endedAtMs - startedAtMs)}, ordered by ${text(by)}${from}${reason === undefined ? '' : `: ${text(reason)}`}`,
  ];
}

function summary({ rto, rpo, replayedRecords, share, objectivesOf }: ReportModel): readonly string[] {
  return part('Summary', [
    ...(rto === undefined ? [] : [`RTO ${measuredText(rto)} (${text(rto.means)})`]),
    ...(rpo === undefined ? [] : [`RPO ${measuredText(rpo)} (${text(rpo.means)})`]),
    ...(rpo === undefined
      ? []
      : [`records lost: ${orUnknown(rpo.records, count)}, ${orUnknown(rpo.bytes, bytesText)}; ${certaintyText(rpo)}`]),
    ...(replayedRecords === null ? [] : [`records read again: ${count(replayedRecords)}`]),
    ...(share === undefined ? [] : [`Argus' own share: ${formatMs(share.ownMs)} of ${formatMs(share.totalMs)}`]),
    ...(rto === undefined && rpo === undefined
      ? []
      : [objectivesOf === 'run' ? 'objectives as the run noted them' : 'objectives of the configuration of now']),
  ]);
}

function steps({ steps: all, startedAtMs }: ReportModel): readonly string[] {
  const cells = all.map((s, i) => [
    `${i + 1}. ${text(s.title)}${s.error === undefined ? '' : ` — ${code(s.error.code)} ${text(s.error.message)}`}${s.takenBack?.error === undefined ? '' : ` — not taken back: ${code(s.takenBack.error.code)} ${text(s.takenBack.error.message)}`}${s.pointOfNoReturn ? ' (point of no return)' : ''}`,
    `${statusMark(s)} ${statusText(s)}`,
    s.startedAtMs === undefined ? '' : `+${formatMs(Math.max(0, s.startedAtMs - startedAtMs))}`,
    s.ms === undefined ? '' : formatMs(s.ms),
    s.waitedMs ? `${formatMs(s.waitedMs)}${s.waitsFor === undefined ? '' : `, ${text(s.waitsFor)}`}` : '',
  ]);
  return ['', '## Steps', ...rows(['Step', 'Status', 'Began', 'Took', 'Of it waiting for'], cells)];
}

function losses({ rpo, output }: ReportModel): readonly string[] {
  if (rpo === undefined || rpo.topics.length === 0) return part('Output', output.map(text));
  const cells = rpo.topics.map((t) => [
    text(t.topic),
    orUnknown(t.records, count),
    orUnknown(t.bytes, bytesText),
    orUnknown(t.ms, formatMs),
    `${certaintyText(t)}${t.countedBy === undefined ? '' : `, by ${text(t.countedBy)}`}${t.estimatedRecords === undefined ? '' : `; estimated then: ${count(t.estimatedRecords)}`}`,
  ]);
  const lines = output.length === 0 ? [] : ['', ...output.map((line) => `- ${text(line)}`)];
  return ['', '## Loss', ...rows(['Topic', 'Records', 'Bytes', 'Time', 'How it is known'], cells), ...lines];
}

function points({ points: used, rejected }: ReportModel): readonly string[] {
  return [
    ...part(
      'Recovery points',
      used.map(
        (p) =>
          `${text(p.job)}: checkpoint ${p.checkpointId}, completed ${orUnknown(p.completedAtMs, instant)}, ${code(p.uri)}`,
      ),
    ),
    ...part(
      'Refused recovery points',
      rejected.map((r) => `${text(r.job)}: checkpoint ${r.checkpointId}: ${code(r.code)} ${text(r.message)}`),
    ),
  ];
}

function drill({ comparisons = [], faults = [], legs = [], leaks }: ReportModel): readonly string[] {
  const left =
    leaks === undefined
      ? []
      : leaks.length === 0
        ? ['nothing is left of it']
        : leaks.map((l) => `left: ${l.kind} ${code(l.name)}`);
  const compared = comparisons.map((c) =>
    c.kind === 'skipped'
      ? `${text(c.job)}, ${text(c.topic)}: not compared: ${text(c.why)}`
      : `${text(c.job)}, ${text(c.topic)}: ${count(c.records)} records against ${c.against}: ${c.missing} missing, ${c.unexpected} unexpected, ${c.differing} differing${c.first === undefined ? '' : `; ${text(c.first)}`}`,
  );
  const broken = faults.map(
    (f) =>
      `${text(f.fault)}: expected ${text(f.expected)}; seen ${text(f.seen)}; ${f.met ? 'met' : 'not met'}, ${f.healed ? 'healed' : 'not healed'}`,
  );
  const moves = legs.map(
    (leg) =>
      `${text(leg.from)} → ${text(leg.to)}: RTO ${orUnknown(leg.rtoMs, formatMs)}, producers waited ${orUnknown(leg.producersBlockedMs, formatMs)}, ${provenText(leg)}; ${leg.runs.map(code).join(', ')}`,
  );
  return part('Drill', [...moves, ...compared, ...broken, ...left]);
}

function samples({ samples: all, samplesNote }: ReportModel): readonly string[] {
  if (samplesNote !== undefined) return part('Before, during and after', [text(samplesNote)]);
  const worst = Math.max(0, ...all.flatMap((s) => s.lagMs ?? []));
  const oldest = Math.max(0, ...all.flatMap((s) => Object.values(s.checkpointAgeMs)));
  return part('Before, during and after', [
    `mirror lag at most ${formatMs(worst)}, checkpoints at most ${formatMs(oldest)} old, in ${all.length} samples; the plots are in the HTML`,
  ]);
}

function evidence({ steps: all }: ReportModel): readonly string[] {
  const seen = seenBy(all).flatMap((s) => [
    '',
    `**${text(s.title)}**, seen at ${timeOfDay(s.atMs)} UTC by ${text(s.by)}`,
    '',
    ...evidenceLines(s.seen).map((line) => `    ${line.replaceAll('\n', ' ')}`),
  ]);
  return seen.length === 0 ? [] : ['', '## Evidence', ...seen];
}

function record({ journal, versions, configSha256, madeAtMs, run }: ReportModel): readonly string[] {
  return part('Record', [
    `journal: ${text(journalText(journal))}`,
    ...(versions.argus === undefined ? [] : [`carried out by Argus ${versions.argus} on Node ${versions.node ?? ''}`]),
    ...(versions.platform ?? []).map((seen) => `in ${text(seen.region)}: ${text(seen.text)}`),
    ...(configSha256 === undefined ? [] : [`configuration: SHA-256 ${code(configSha256)}`]),
    `this report: made ${instant(madeAtMs)} by Argus ${versions.reportBy}, from the journal of ${code(run)}`,
  ]);
}

/** The trend as Markdown. Pure. */
export function trendMarkdown({ runs, objectives, slowest }: TrendModel): string {
  const counted = runs.filter((r) => r.goneOnWith === undefined);
  const cells = runs
    .toReversed()
    .map((r) => [
      code(r.run),
      r.kind,
      r.goneOnWith === undefined
        ? `${r.well ? '✓' : '✗'} ${text(r.verdict)}`
        : `… cut off; ${code(r.goneOnWith)} went on with it`,
      r.rtoMs === undefined ? '' : formatMs(r.rtoMs),
      r.rpoMs === undefined ? '' : formatMs(r.rpoMs),
      r.lostRecords === undefined ? '' : count(r.lostRecords),
    ]);
  const slow = slowest.map((s) => [text(s.title), formatMs(s.medianMs), formatMs(s.mostMs), String(s.runs)]);
  return `${[
    '# Runs and drills',
    '',
    `${counted.filter((r) => r.well).length} of ${counted.length} ended well; objectives: RTO ${formatMs(objectives.rtoMs)}, RPO ${formatMs(objectives.rpoMs)}.`,
    ...rows(['Run', 'Kind', 'Outcome', 'RTO', 'RPO', 'Lost'], cells),
    ...(slow.length === 0 ? [] : ['', '## Slowest steps', ...rows(['Step', 'Median', 'Longest', 'Runs'], slow)]),
  ].join('\n')}\n`;
}
