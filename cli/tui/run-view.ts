import { formatMs } from '../../health/render-status.ts';
import { bar, beside, cutLine, justified, type Line, line, rule, type Size, span, type Tone, wrapped } from './line.ts';
import { isPastReturn, marks, type RunProgress } from './run-progress.ts';
import { stepRows, timesHead } from './run-steps.ts';

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19);

/** How far a run is, as the lines of a screen, as many as it has. Pure. */
export function runView(run: RunProgress, nowMs: number, size: Size, keys = ''): readonly Line[] {
  const { columns, rows } = size;
  const head = header(run, nowMs, columns);
  const foot = footer(run, columns, keys);
  const room = rows - head.length - foot.length;
  const body = columns >= 132 ? wideBody(run, nowMs, columns, room) : narrowBody(run, nowMs, columns, room);
  const blank = Math.max(0, room - body.length);
  return [...head, ...body.slice(0, room), ...Array.from({ length: blank }, (): Line => []), ...foot]
    .slice(0, rows)
    .map((l) => cutLine(l, columns));
}

function header(run: RunProgress, nowMs: number, width: number): readonly Line[] {
  const { about } = run;
  const title: Line = [span(` ${about.runbook} `, 'strong'), span(about.subject)];
  return [
    justified(title, [span(`${about.run} `, 'dim')], width),
    justified(timing(run, nowMs), [outlook(run, nowMs)], width),
  ];
}

/** The clock that counts, against its objective. */
function timing(run: RunProgress, nowMs: number): Line {
  const { measured } = run.about;
  const untilMs = run.ended?.atMs ?? nowMs;
  const from = measured?.from;
  const began = from === undefined ? undefined : 'atMs' in from ? from.atMs : stepBegan(run, from.step);
  if (measured === undefined || began === undefined) {
    const later = measured === undefined ? '' : `; ${measured.name} counts ${measured.from.why}`;
    return [span(` ${formatMs(Math.max(0, untilMs - run.beganAtMs))} since it began${later}`)];
  }
  const ms = Math.max(0, untilMs - began);
  const part = ms / measured.objectiveMs;
  const tone: Tone = part > 1 ? 'bad' : part > 0.8 ? 'warn' : 'good';
  return [
    span(` ${measured.name} `, 'strong'),
    span(`${formatMs(ms)} of ${formatMs(measured.objectiveMs).replace(/ 0 s$/, '')} `, tone),
    span(bar(part, 12), tone),
    span(`  ${measured.from.why}`, 'dim'),
  ];
}

const stepBegan = (run: RunProgress, id: string) => run.steps.find((s) => s.id === id)?.startedAtMs;

/** How the run stands, or how long it will still take by earlier runs. */
function outlook(run: RunProgress, nowMs: number) {
  if (run.ended) return span(`${run.ended.outcome} `, run.ended.outcome === 'done' ? 'good' : 'bad');
  if (run.stopping) return span('stopping ', 'warn');
  const left = run.steps.filter((s) => s.status === 'todo' || s.status === 'active');
  if (left.length === 0) return span('reporting ', 'accent');
  const known = left.filter((s) => s.usualMs !== undefined);
  if (known.length === 0) return span('no earlier run tells how long ', 'dim');
  const ms = known.reduce((sum, { usualMs = 0, startedAtMs, status }) => {
    const gone = status === 'active' && startedAtMs !== undefined ? nowMs - startedAtMs : 0;
    return sum + Math.max(0, usualMs - gone);
  }, 0);
  const more = known.length < left.length ? '+' : '';
  return span(`about ${formatMs(ms)}${more} to go `, 'accent');
}

function footer(run: RunProgress, width: number, keys: string): readonly Line[] {
  const at = run.steps.findLastIndex((s) => s.status === 'active');
  const active = at >= 0;
  const next = run.steps.slice(at + 1).find((s) => s.status === 'todo');
  const said =
    run.ended || (run.said === undefined && next === undefined)
      ? line(run.ended ? ' the report follows' : ' ', 'dim')
      : run.said !== undefined
        ? [span(` ${run.said}`, run.stopping ? 'warn' : undefined)]
        : [span(active ? ' next: ' : ' now: ', 'dim'), span(next?.title ?? '')];
  const { pointOfNoReturn } = run.about;
  const back: Line =
    pointOfNoReturn === undefined
      ? []
      : isPastReturn(run)
        ? [span(' past the point of no return', 'warn')]
        : [span(' what is done can still be taken back', 'dim')];
  return [rule('', width), cutLine(said, width), justified(back, [span(`${keys} `, 'dim')], width)];
}

function progressTitle(run: RunProgress): string {
  const ended = run.steps.filter((s) => s.status !== 'todo' && s.status !== 'active').length;
  return `steps ${ended} of ${run.steps.length}`;
}

function narrowBody(run: RunProgress, nowMs: number, width: number, rows: number): readonly Line[] {
  const evidenceRows = 1;
  const logRows = Math.max(2, Math.floor((rows - 3 - evidenceRows) / 4));
  const stepRoom = Math.max(3, rows - 3 - evidenceRows - logRows);
  const steps = stepRows(run, nowMs, width, stepRoom);
  const spare = stepRoom - steps.length;
  return [
    rule(progressTitle(run), width, timesHead),
    ...steps,
    rule('evidence', width),
    ...pad(evidence(run, width, evidenceRows), evidenceRows),
    rule('log', width),
    ...logTail(run, width, logRows + spare),
  ];
}

function wideBody(run: RunProgress, nowMs: number, width: number, rows: number): readonly Line[] {
  const leftWidth = Math.min(104, Math.floor(width * 0.52));
  const rightWidth = width - leftWidth - 2;
  const left = [rule(progressTitle(run), leftWidth, timesHead), ...stepRows(run, nowMs, leftWidth, rows - 1)];
  const evidenceRows = Math.max(3, Math.floor((rows - 2) * 0.6));
  const seen = evidence(run, rightWidth, evidenceRows);
  const right = [
    rule('evidence', rightWidth),
    ...seen,
    rule('log', rightWidth),
    ...logTail(run, rightWidth, rows - 2 - seen.length),
  ];
  return beside(left, right, leftWidth);
}

/** What the steps that ended have seen, the newest last, in at most so many rows. */
function evidence(run: RunProgress, width: number, rows: number): readonly Line[] {
  const told = run.steps.filter((s) => s.found !== undefined && s.found !== '' && s.status !== 'active');
  const shown: Line[] = [];
  for (const step of told.toReversed()) {
    const left = rows - shown.length;
    if (left <= 0) break;
    const [mark, tone] = marks[step.status];
    const most = Math.min(left, rows === 1 ? 1 : 3);
    const text = wrapped(`${step.id}: ${step.found}`, width - 4, most);
    shown.unshift(...text.map((t, i): Line => [span(i === 0 ? `  ${mark} ` : '    ', tone), span(t)]));
  }
  return shown;
}

function logTail(run: RunProgress, width: number, rows: number): readonly Line[] {
  return run.log
    .slice(-Math.max(0, rows))
    .map(({ atMs, text, tone }) => cutLine([span(`  ${clock(atMs)}  `, 'dim'), span(text, tone)], width));
}

const pad = (lines: readonly Line[], rows: number): readonly Line[] => [
  ...lines,
  ...Array.from({ length: Math.max(0, rows - lines.length) }, (): Line => []),
];
