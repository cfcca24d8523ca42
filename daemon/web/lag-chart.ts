import { type Html, html } from '../../domain/html.ts';
import { formatMs } from '../../health/render-status.ts';
import type { LagSeries } from './lag-history.ts';

const width = 720;
const height = 200;
const margin = { left: 56, right: 12, top: 12, bottom: 24 };
/** More lines than this can't be told apart. */
const lines = 4;
const columns = 240;
const spanMs = 3_600_000;

interface ChartOptions {
  readonly nowMs: number;
  /** Drawn as a line across, where it fits. */
  readonly objectiveMs: number;
}

/** The lag of the last hour as a picture: one line a topic, the worst first, gaps where nobody could tell. */
export function lagChart(series: readonly LagSeries[], { nowMs, objectiveMs }: ChartOptions): Html {
  const drawn = series.slice(0, lines);
  const values = drawn.flatMap((s) => s.points.flatMap((p) => p.lagMs ?? []));
  const top = ceilingOf(Math.max(1_000, ...values));
  const fromMs = nowMs - spanMs;
  const x = (atMs: number) => margin.left + ((atMs - fromMs) / spanMs) * (width - margin.left - margin.right);
  const y = (ms: number) => height - margin.bottom - (ms / top) * (height - margin.top - margin.bottom);
  const right = width - margin.right;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = round(y(top * part));
    return html`<line class="grid" x1="${margin.left}" x2="${right}" y1="${at}" y2="${at}"/><text class="axis" x="${margin.left - 8}" y="${round(at + 4)}" text-anchor="end">${axisText(top * part)}</text>`;
  });
  const hours = [60, 45, 30, 15, 0].map((minutes) => {
    const anchor = minutes === 60 ? 'start' : minutes === 0 ? 'end' : 'middle';
    return html`<text class="axis" x="${round(x(nowMs - minutes * 60_000))}" y="${height - 6}" text-anchor="${anchor}">${minutes === 0 ? 'now' : `−${minutes} min`}</text>`;
  });
  const limit = round(y(objectiveMs));
  const objective =
    objectiveMs > top
      ? undefined
      : html`<line class="objective" x1="${margin.left}" x2="${right}" y1="${limit}" y2="${limit}"/><text class="axis" x="${right}" y="${round(limit - 5)}" text-anchor="end">RPO objective</text>`;
  const paths = drawn.map((s, i) => html`<path class="line line-${i}" d="${pathOf(s, { fromMs, x, y })}"/>`).reverse();
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Lag of the last hour"><svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${sentenceOf(drawn)}">${grid}${hours}${objective}${paths}</svg></div>`;
}

/** Which line is which topic. */
export function lagLegend(series: readonly LagSeries[]): Html {
  const shown = series.slice(0, lines);
  const more = series.length - shown.length;
  const rest = more > 0 ? html`<li>and ${more} with less, in the table</li>` : undefined;
  return html`<ul class="legend">${shown.map((s, i) => html`<li><svg class="swatch" viewBox="0 0 18 6" aria-hidden="true"><path class="line line-${i}" d="M0 3H18"/></svg>${s.topic}</li>`)}${rest}</ul>`;
}

function sentenceOf(series: readonly LagSeries[]): string {
  if (series.length === 0) return 'No lag is known yet';
  const said = series.map(({ topic, points }) => {
    const worst = Math.max(...points.map((p) => p.lagMs ?? -1));
    const now = points.at(-1)?.lagMs;
    return `${topic}: now ${now === undefined ? 'unknown' : formatMs(now)}, at most ${worst < 0 ? 'unknown' : formatMs(worst)}`;
  });
  return `Mirror lag of the last hour. ${said.join('; ')}`;
}

/** The worst of each column; the line is broken where a column knows nothing, unless samples are wider apart than columns. */
function pathOf(
  { points }: LagSeries,
  { fromMs, x, y }: { readonly fromMs: number; readonly x: (ms: number) => number; readonly y: (ms: number) => number },
): string {
  const worst = new Map<number, number | undefined>();
  for (const { atMs, lagMs } of points) {
    if (atMs < fromMs) continue;
    const column = Math.floor(((atMs - fromMs) / spanMs) * columns);
    const there = worst.get(column);
    worst.set(column, lagMs === undefined ? there : Math.max(there ?? 0, lagMs));
  }
  let pen = false;
  const parts: string[] = [];
  for (const [column, ms] of worst) {
    if (ms === undefined) pen = false;
    else {
      const at = `${round(x(fromMs + ((column + 0.5) / columns) * spanMs))} ${round(y(ms))}`;
      // A single sample is a dot: a line of no length with round ends.
      parts.push(pen ? `L${at}` : `M${at}L${at}`);
      pen = true;
    }
  }
  return parts.join('');
}

/** 1, 2 or 5 of the unit's decades, so that a quarter of it can be read. */
function ceilingOf(ms: number): number {
  for (const top of [1, 2, 4, 8, 20, 40, 60, 120, 240, 480, 1_200, 2_400, 3_600, 7_200, 14_400, 28_800, 86_400]) {
    if (ms <= top * 1_000) return top * 1_000;
  }
  return Math.ceil(ms / 86_400_000) * 86_400_000;
}

function axisText(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 120_000) return `${ms / 1_000} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 6_000) / 10} min`;
  return `${Math.round(ms / 360_000) / 10} h`;
}

const round = (n: number) => Math.round(n * 10) / 10;
