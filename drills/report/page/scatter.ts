import { scaleSymlog, scaleUtc } from 'd3-scale';
import { symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';
import { type Html, html } from '../../../domain/html.ts';
import { formatMs } from '../../../health/render-status.ts';
import { round } from './plot.ts';

/** One run in the picture. */
export interface Dot {
  readonly kind: string;
  readonly atMs: number;
  readonly ms: number;
  readonly well: boolean;
  readonly label: string;
}

const size = { width: 760, height: 230 };
const margin = { left: 64, right: 84, top: 16, bottom: 26 };
const shapes = [symbolCircle, symbolTriangle, symbolSquare, symbolDiamond];
/** Where lines across help to read a scale of powers. */
const steps = [0, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 86_400_000];

/** Durations of many runs over time, by kind, on a scale on which seconds and hours can both be read. Pure. */
export function durationScatter(
  dots: readonly Dot[],
  kinds: readonly string[],
  options: { readonly sentence: string; readonly objectiveMs: number },
): Html {
  const times = dots.map((d) => d.atMs);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const pad = Math.max(3_600_000, (last - first) * 0.03);
  const most = Math.max(options.objectiveMs, ...dots.map((d) => d.ms)) * 1.4;
  const [right, bottom] = [size.width - margin.right, size.height - margin.bottom];
  const x = scaleUtc([first - pad, last + pad], [margin.left, right]);
  const y = scaleSymlog([0, most], [bottom, margin.top]).constant(1_000);
  const grid = steps
    .filter((ms) => ms <= most)
    .map(
      (ms) =>
        html`<line class="grid" x1="${margin.left}" x2="${right}" y1="${round(y(ms))}" y2="${round(y(ms))}"/><text class="axis" x="${margin.left - 8}" y="${round(y(ms) + 4)}" text-anchor="end">${wholeUnit(ms)}</text>`,
    );
  const long = last - first > 3 * 86_400_000;
  const dates = x
    .ticks(5)
    .filter((t) => x(t) > margin.left + 34 && x(t) < right - 34)
    .map(
      (t) =>
        html`<text class="axis" x="${round(x(t))}" y="${size.height - 7}" text-anchor="middle">${long ? t.toISOString().slice(0, 10) : t.toISOString().slice(5, 16).replace('T', ' ')}</text>`,
    );
  const limit = round(y(options.objectiveMs));
  const drawn = dots.map(
    (d) =>
      html`<path class="dot dot-${kinds.indexOf(d.kind) % 4}${d.well ? '' : ' not-well'}" d="${shapeOf(kinds.indexOf(d.kind))}" transform="translate(${round(x(d.atMs))} ${round(y(d.ms))})"><title>${d.label}</title></path>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${options.sentence}"><svg class="plot" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${options.sentence}">${grid}${dates}<line class="objective" x1="${margin.left}" x2="${right}" y1="${limit}" y2="${limit}"/><text class="axis" x="${right + 8}" y="${limit - 3}">objective<tspan x="${right + 8}" dy="14">${formatMs(options.objectiveMs)}</tspan></text>${drawn}</svg></div>`;
}

/** Which shape is which kind. Pure. */
export function shapesLegend(kinds: readonly string[]): Html {
  return html`<ul class="legend">${kinds.map((kind, i) => html`<li><svg class="swatch shape" viewBox="-8 -8 16 16" aria-hidden="true"><path class="dot dot-${i % 4}" d="${shapeOf(i)}"/></svg>${kind}</li>`)}<li><svg class="swatch shape" viewBox="-8 -8 16 16" aria-hidden="true"><path class="dot not-well" d="${shapeOf(0)}"/></svg>hollow: did not end well</li></ul>`;
}

const shapeOf = (kind: number) => symbol(shapes[kind % shapes.length], 90).digits(1)() ?? '';

function wholeUnit(ms: number): string {
  if (ms < 60_000) return ms === 0 ? '0' : `${ms / 1_000} s`;
  return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
}
