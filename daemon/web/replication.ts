import { type Html, html } from '../../domain/html.ts';
import { formatMs } from '../../health/render-status.ts';
import type { StatusView } from '../../health/status-view.ts';
import type { BoardFacts } from './board.ts';
import { lagChart, lagLegend } from './lag-chart.ts';
import { ago, count } from './parts.ts';
import { table } from './regions.ts';

/** How far the mirror is behind, now and over the last hour. */
export function lag({ status, lag: series }: BoardFacts, nowMs: number, objectiveMs: number): Html {
  if (status === undefined) return html``;
  const chart =
    series.length === 0
      ? html`<p class="soft">${status.roles.replication === 'suspended' ? 'Replication is suspended: nothing is mirrored.' : 'This daemon has seen no lag yet: it mirrors nothing, or has just begun.'}</p>`
      : html`${lagChart(series, { nowMs, objectiveMs })}${lagLegend(series)}`;
  const rows = status.mirror.map((m, i) => {
    const loss = status.wouldLose[i];
    return html`<tr><th scope="row">${m.topic}</th><td class="number">${m.lagRecords === undefined ? 'unknown' : count(m.lagRecords)}</td><td class="number">${m.lagMs === undefined ? 'unknown' : formatMs(m.lagMs)}</td><td>${lossText(loss)}</td><td class="soft">${m.basis === 'last-seen' ? 'when last seen' : m.basis}</td></tr>`;
  });
  const topics =
    rows.length === 0
      ? undefined
      : table(
          'Topics',
          ['Topic', { number: 'Records behind' }, { number: 'Time behind' }, 'Lost if it failed now', 'Basis'],
          rows,
        );
  return html`<div class="card"><h2>Mirror lag</h2>${chart}${topics}</div>`;
}

function lossText(loss: StatusView['wouldLose'][number] | undefined): string {
  if (loss?.records === undefined) return 'unknown';
  const text = `${loss.estimated ? 'about ' : ''}${count(loss.records)} records`;
  return loss.ms === undefined || loss.records === 0 ? text : `${text}, ${formatMs(loss.ms)}`;
}

/** From which checkpoint each job would go on. */
export function points({ status }: BoardFacts, nowMs: number): Html {
  if (status === undefined || status.recoveryPoints.length === 0) return html``;
  const rows = status.recoveryPoints.map((p) => {
    const age = p.ageMs === undefined ? '' : html`${ago(status.atMs - p.ageMs, nowMs)} old`;
    const refused = p.newestRefused;
    const note =
      p.checkpointId === undefined
        ? html`<span class="mark failed">none usable</span> ${p.detail}`
        : refused &&
          html`${p.refusedCount === 1 ? 'A newer one' : `${p.refusedCount} newer ones`} can't be used; ${refused.checkpointId}: ${refused.message}`;
    return html`<tr><th scope="row">${p.job}</th><td class="number">${p.checkpointId}</td><td class="number">${age}</td><td class="soft">${note}</td></tr>`;
  });
  return html`<div class="card"><h2>Recovery points</h2>${table('Recovery points', ['Job', { number: 'Checkpoint' }, { number: 'Age' }, 'Note'], rows)}</div>`;
}
