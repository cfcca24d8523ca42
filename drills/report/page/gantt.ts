import { scaleLinear } from 'd3-scale';
import { type Html, html } from '../../../domain/html.ts';
import { formatMs } from '../../../health/render-status.ts';
import type { ReportModel, ReportStep } from '../model.ts';
import { statusMark, statusText } from '../words.ts';
import { round, unitOf } from './plot.ts';

const width = 1_000;
const labels = 372;
const right = 62;
const row = 22;
const head = 24;
/** So many rows fit on a printed page beside other things. */
const rowsAtOnce = 30;

/** The steps as bars over time, what was waited for others hatched; in pieces that fit on a page. Pure. */
export function gantt(model: Pick<ReportModel, 'steps' | 'startedAtMs' | 'endedAtMs' | 'pointOfNoReturn'>): Html {
  const { steps, startedAtMs } = model;
  const ends = steps.map((s) => (s.startedAtMs ?? startedAtMs) + (s.ms ?? 0));
  const toMs = Math.max(model.endedAtMs, startedAtMs + 1, ...ends);
  const pieces = Array.from({ length: Math.ceil(steps.length / rowsAtOnce) }, (_, i) => i * rowsAtOnce);
  return html`${pieces.map((from) => piece(model, steps.slice(from, from + rowsAtOnce), { from, toMs }))}`;
}

function piece(
  { startedAtMs, pointOfNoReturn, steps: all }: Pick<ReportModel, 'steps' | 'startedAtMs' | 'pointOfNoReturn'>,
  steps: readonly ReportStep[],
  { from, toMs }: { readonly from: number; readonly toMs: number },
): Html {
  const unit = unitOf(toMs - startedAtMs);
  const x = scaleLinear([0, (toMs - startedAtMs) / unit.ms], [labels, width - right]);
  const at = (atMs: number) => round(x((atMs - startedAtMs) / unit.ms));
  const bottom = head + steps.length * row;
  const ticks = x.ticks(8);
  const grid = ticks.map(
    (tick) =>
      html`<line class="grid" x1="${round(x(tick))}" x2="${round(x(tick))}" y1="${head - 4}" y2="${bottom}"/><text class="axis" x="${round(x(tick))}" y="${head - 9}" text-anchor="middle">${x.tickFormat(8)(tick)} ${unit.name}</text>`,
  );
  const stripes = steps.map((_, i) =>
    (from + i) % 2 === 0
      ? undefined
      : html`<rect class="stripe" x="0" y="${head + i * row}" width="${width}" height="${row}"/>`,
  );
  const rows = steps.map((step, i) => bar(step, { top: head + i * row, n: from + i + 1, at }));
  const limit = pointOfNoReturn === undefined ? undefined : at(pointOfNoReturn.atMs);
  const line =
    limit === undefined
      ? undefined
      : html`<line class="limit" x1="${limit}" x2="${limit}" y1="${head - 4}" y2="${bottom + 4}"/><text class="limit-text" x="${limit > width - 200 ? limit - 5 : limit + 5}" y="${bottom + 14}" text-anchor="${limit > width - 200 ? 'end' : 'start'}">point of no return</text>`;
  const label = `Steps ${from + 1} to ${from + steps.length} of ${all.length} over time; the table of steps says the same`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><svg class="gantt" viewBox="0 0 ${width} ${bottom + 20}" role="img" aria-label="${label}">${stripes}${grid}${line}${rows}</svg></div>`;
}

function bar(
  step: ReportStep,
  { top, n, at }: { readonly top: number; readonly n: number; readonly at: (atMs: number) => number },
): Html {
  const middle = top + row / 2 + 4;
  const title = `${n}. ${step.title}`;
  const label = html`<text class="label${step.status === 'not-run' ? ' faint' : ''}" x="18" y="${middle}">${short(title, 48)}</text><text class="mark-${step.status}" x="4" y="${middle}">${statusMark(step)}</text>`;
  if (step.startedAtMs === undefined) return html`<g>${label}</g>`;
  const begin = at(step.startedAtMs);
  const own = (step.ms ?? 0) - (step.waitedMs ?? 0);
  const split = at(step.startedAtMs + Math.max(0, own));
  const end = Math.max(begin + 2, at(step.startedAtMs + (step.ms ?? 0)));
  const waited =
    step.waitedMs === undefined || end - split < 0.5
      ? undefined
      : html`<rect class="bar waited" x="${split}" y="${top + 5}" width="${round(end - split)}" height="${row - 10}"/>`;
  const told = step.ms === undefined ? statusText(step) : formatMs(step.ms);
  const why =
    step.waitsFor === undefined || step.waitedMs === undefined
      ? ''
      : `, ${formatMs(step.waitedMs)} of it waiting for ${step.waitsFor}`;
  const outside =
    end + 6 + told.length * 6.5 > width ? { x: begin - 6, anchor: 'end' } : { x: end + 6, anchor: 'start' };
  return html`<g><title>${title}: ${statusText(step)}, ${told}${why}</title>${label}<rect class="bar ${step.status}" x="${begin}" y="${top + 5}" width="${round(Math.max(2, (waited ? split : end) - begin))}" height="${row - 10}"/>${waited}<text class="axis" x="${round(outside.x)}" y="${middle}" text-anchor="${outside.anchor}">${told}</text></g>`;
}

const short = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`);
