import { scaleLinear, scaleUtc } from 'd3-scale';
import { line } from 'd3-shape';
import { type Html, html } from '../../../domain/html.ts';

/** One line of a plot; undefined values are gaps. */
export interface PlotSeries {
  readonly label: string;
  readonly points: readonly { readonly atMs: number; readonly value: number | undefined }[];
}

export interface PlotOptions {
  /** For those who don't see it. */
  readonly sentence: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** While the run was at work. */
  readonly band: { readonly fromMs: number; readonly toMs: number; readonly label: string };
  /** In milliseconds; drawn where it fits. */
  readonly objective?: { readonly ms: number; readonly label: string };
  /** Times that are told by an upright line. */
  readonly marks?: readonly { readonly atMs: number; readonly label: string }[];
}

const size = { width: 760, height: 190 };
const margin = { left: 58, right: 14, top: 20, bottom: 24 };
/** More can't be told apart. */
const lines = 4;

/** Milliseconds over time as an SVG: gaps where nobody could tell. Pure. */
export function durationPlot(series: readonly PlotSeries[], options: PlotOptions): Html {
  const shown = series.slice(0, lines);
  const values = shown.flatMap((s) => s.points.flatMap((p) => p.value ?? []));
  const unit = unitOf(Math.max(1_000, ...values));
  const right = size.width - margin.right;
  const bottom = size.height - margin.bottom;
  const x = scaleUtc([options.fromMs, options.toMs], [margin.left, right]);
  const y = scaleLinear([0, Math.max(1_000, ...values) / unit.ms], [bottom, margin.top]).nice(4);
  const at = (ms: number) => round(y(ms / unit.ms));
  const grid = y
    .ticks(4)
    .map(
      (tick) =>
        html`<line class="grid" x1="${margin.left}" x2="${right}" y1="${round(y(tick))}" y2="${round(y(tick))}"/><text class="axis" x="${margin.left - 8}" y="${round(y(tick) + 4)}" text-anchor="end">${y.tickFormat(4)(tick)} ${unit.name}</text>`,
    );
  const times = x
    .ticks(6)
    .filter((t) => x(t) > margin.left + 24 && x(t) < right - 24)
    .map(
      (t) =>
        html`<text class="axis" x="${round(x(t))}" y="${size.height - 6}" text-anchor="middle">${clockText(t, options)}</text>`,
    );
  const { band, objective, marks = [] } = options;
  const bandAt = round(x(band.fromMs));
  const wide = Math.max(2, round(x(band.toMs) - x(band.fromMs)));
  const across =
    objective === undefined || at(objective.ms) < margin.top
      ? undefined
      : html`<line class="objective" x1="${margin.left}" x2="${right}" y1="${at(objective.ms)}" y2="${at(objective.ms)}"/><text class="axis" x="${right}" y="${at(objective.ms) - 5}" text-anchor="end">${objective.label}</text>`;
  const upright = marks
    .filter((m) => m.atMs >= options.fromMs && m.atMs <= options.toMs)
    .map(
      (m) =>
        html`<line class="mark" x1="${round(x(m.atMs))}" x2="${round(x(m.atMs))}" y1="${margin.top}" y2="${bottom}"/><text class="axis" x="${round(x(m.atMs)) - 4}" y="${margin.top + 10}" text-anchor="end">${m.label}</text>`,
    );
  const path = line<PlotSeries['points'][number]>()
    .defined((p) => p.value !== undefined)
    .x((p) => x(p.atMs))
    .y((p) => y((p.value ?? 0) / unit.ms))
    .digits(1);
  const drawn = shown.map((s, i) => html`<path class="line line-${i}" d="${path(s.points) ?? ''}"/>`).reverse();
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${options.sentence}"><svg class="plot" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${options.sentence}"><rect class="band" x="${bandAt}" y="${margin.top}" width="${wide}" height="${bottom - margin.top}"/><text class="axis" x="${round(bandAt + wide / 2)}" y="${margin.top - 6}" text-anchor="middle">${band.label}</text>${grid}${times}${drawn}${across}${upright}</svg></div>`;
}

/** Which line is which. Pure. */
export function plotLegend(series: readonly PlotSeries[]): Html {
  const more = series.length - lines;
  const rest = more > 0 ? html`<li>and ${more} more</li>` : undefined;
  return html`<ul class="legend">${series.slice(0, lines).map((s, i) => html`<li><svg class="swatch" viewBox="0 0 26 6" aria-hidden="true"><path class="line line-${i}" d="M0 3H26"/></svg>${s.label}</li>`)}${rest}</ul>`;
}

/** The unit in which a duration's axis is told. Pure. */
export function unitOf(mostMs: number): { readonly ms: number; readonly name: string } {
  if (mostMs < 180_000) return { ms: 1_000, name: 's' };
  return mostMs < 10_800_000 ? { ms: 60_000, name: 'min' } : { ms: 3_600_000, name: 'h' };
}

function clockText(time: Date, { fromMs, toMs }: PlotOptions): string {
  const text = time.toISOString();
  if (toMs - fromMs > 2 * 86_400_000) return text.slice(0, 10);
  return toMs - fromMs < 10 * 60_000 ? text.slice(11, 19) : text.slice(11, 16);
}

/** To a tenth of a pixel. Pure. */
export const round = (n: number): number => Math.round(n * 10) / 10;
