import { type Html, html } from '../../../domain/html.ts';
import { formatMs } from '../../../health/render-status.ts';
import type { TrendModel, TrendRun } from '../trend.ts';
import { count, instant } from '../words.ts';
import { page, section, table } from './frame.ts';
import { type Dot, durationScatter, shapesLegend } from './scatter.ts';

/** The trend as one HTML file. Pure. */
export function trendPage(model: TrendModel): string {
  const { runs, kinds, slowest, madeAtMs } = model;
  const counted = runs.filter((r) => r.goneOnWith === undefined);
  const well = counted.filter((r) => r.well).length;
  const last = runs.at(-1);
  const body = html`<header><section class="hero ${well === counted.length ? 'ok' : 'warn'}"><h1>Runs and drills</h1><p class="say">${runs.length === 0 ? 'No run and no drill yet' : `${well} of ${counted.length} ended well`}</p><p class="more">${runs[0] === undefined || last === undefined ? '' : `${instant(runs[0].atMs)} to ${instant(last.atMs)}; `}made ${instant(madeAtMs)} by Argus ${model.version}</p></section></header>${measured(model, 'RTO', (r) => r.rtoMs, model.objectives.rtoMs)}${measured(model, 'RPO', (r) => r.rpoMs, model.objectives.rpoMs)}${
    kinds.length === 0
      ? undefined
      : section(
          'Outcomes',
          table(
            'How runs and drills of each kind ended',
            [
              { head: 'Kind', cell: (k) => k.kind },
              { head: 'Well', number: true, cell: (k) => String(k.well) },
              { head: 'Not', number: true, cell: (k) => String(k.not) },
            ],
            kinds,
          ),
        )
  }${
    slowest.length === 0
      ? undefined
      : section(
          'Slowest steps',
          table(
            'Where the time goes, over all runs in which the step acted',
            [
              { head: 'Step', cell: (s) => s.title },
              { head: 'Median', number: true, cell: (s) => formatMs(s.medianMs) },
              { head: 'Longest', number: true, cell: (s) => formatMs(s.mostMs) },
              { head: 'Runs', number: true, cell: (s) => String(s.runs) },
            ],
            slowest,
          ),
        )
  }${all(runs)}`;
  return page('Runs and drills', body);
}

function measured(
  model: TrendModel,
  name: string,
  of: (run: TrendRun) => number | undefined,
  objectiveMs: number,
): Html {
  const dots = model.runs.flatMap((r): Dot[] => {
    const ms = of(r);
    return ms === undefined
      ? []
      : [{ kind: r.kind, atMs: r.atMs, ms, well: r.well, label: `${r.kind} of ${instant(r.atMs)}: ${formatMs(ms)}` }];
  });
  const kinds = [...new Set(dots.map((d) => d.kind))];
  if (dots.length === 0) return section(name, html`<p class="soft">No run measured it yet.</p>`);
  const missed = dots.filter((d) => d.ms > objectiveMs).length;
  const sentence = `${name} of ${dots.length} runs against the objective of ${formatMs(objectiveMs)}: ${missed === 0 ? 'none missed it' : `${missed} missed it`}`;
  return section(
    name,
    html`<p>${sentence}.</p>${durationScatter(dots, kinds, { sentence, objectiveMs })}${shapesLegend(kinds)}${name === 'RTO' ? html`<p class="note">Of a failover: from the outage on. Of a switchover: from the producers' first denial on. Of a drill by switchover: the longer of its two moves, counted so. Of an isolated drill: from the order on, without detection, fencing and names.</p>` : undefined}`,
  );
}

function all(runs: readonly TrendRun[]): Html | undefined {
  if (runs.length === 0) return undefined;
  return section(
    'All runs',
    table(
      'The newest first; argus report show RUN has the rest',
      [
        { head: 'Run', cell: (r) => r.run },
        { head: 'Kind', cell: (r) => r.kind },
        {
          head: 'Outcome',
          cell: (r) =>
            r.goneOnWith === undefined
              ? `${r.well ? '✓' : '✗'} ${r.verdict}`
              : `… cut off; ${r.goneOnWith} went on with it`,
        },
        { head: 'RTO', number: true, cell: (r) => (r.rtoMs === undefined ? '' : formatMs(r.rtoMs)) },
        { head: 'RPO', number: true, cell: (r) => (r.rpoMs === undefined ? '' : formatMs(r.rpoMs)) },
        { head: 'Lost', number: true, cell: (r) => (r.lostRecords === undefined ? '' : count(r.lostRecords)) },
        {
          head: 'Slowest step',
          cell: (r) =>
            r.slowest === undefined ? '' : `${r.slowest.title}, ${formatMs(r.slowest.ms).replaceAll(' ', '\u00a0')}`,
        },
      ],
      runs.toReversed(),
    ),
  );
}
