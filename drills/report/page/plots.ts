import { type Html, html } from '../../../domain/html.ts';
import { formatMs } from '../../../health/render-status.ts';
import type { ReportModel } from '../model.ts';
import { section } from './frame.ts';
import { durationPlot, type PlotSeries, plotLegend } from './plot.ts';

/** Lag and checkpoint age before, during and after the run; where nobody noted them, that. Pure. */
export function plotsPart(model: ReportModel): Html {
  const heading = 'Before, during and after';
  const { samples, samplesNote, startedAtMs, endedAtMs, outageAtMs, rpo } = model;
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined)
    return section(heading, html`<p class="soft">${capital(samplesNote ?? 'Nobody noted anything')}.</p>`);
  const about = {
    fromMs: Math.min(first.atMs, startedAtMs),
    toMs: Math.max(last.atMs, endedAtMs),
    band: { fromMs: startedAtMs, toMs: endedAtMs, label: 'run' },
    marks: outageAtMs === undefined ? [] : [{ atMs: outageAtMs, label: 'outage' }],
  };
  const lag: readonly PlotSeries[] = [
    {
      label: 'mirror lag of the topic farthest behind',
      points: samples.map((s) => ({ atMs: s.atMs, value: s.lagMs })),
    },
  ];
  const jobs = [...new Set(samples.flatMap((s) => Object.keys(s.checkpointAgeMs)))];
  const ages: readonly PlotSeries[] = jobs.map((job) => ({
    label: `age of the newest checkpoint of ${job} on the standby`,
    points: samples.map((s) => ({ atMs: s.atMs, value: s.checkpointAgeMs[job] })),
  }));
  const objective = rpo === undefined ? {} : { objective: { ms: rpo.objectiveMs, label: 'RPO objective' } };
  const dark = samples.filter((s) => s.primarySeen === false).length;
  const seen = samples.filter((s) => s.primarySeen !== undefined).length;
  return section(
    heading,
    html`<h3>Mirror lag</h3>${durationPlot(lag, { ...about, ...objective, sentence: sentenceOf(lag, 'Mirror lag') })}${plotLegend(lag)}`,
    jobs.length === 0
      ? undefined
      : html`<h3>Checkpoint age</h3>${durationPlot(ages, { ...about, sentence: sentenceOf(ages, 'Checkpoint age') })}${plotLegend(ages)}`,
    html`<p class="note">${samples.length} samples of the daemon that led. A gap: nobody could tell, as while nothing is mirrored. The primary's Kafka answered in ${seen - dark} of ${seen} samples in which it was asked.</p>`,
  );
}

function sentenceOf(series: readonly PlotSeries[], what: string): string {
  const each = series.map(({ label, points }) => {
    const known = points.flatMap((p) => p.value ?? []);
    return known.length === 0 ? `${label}: nobody could tell` : `${label}: at most ${formatMs(Math.max(...known))}`;
  });
  return `${what} over time. ${each.join('; ')}`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
