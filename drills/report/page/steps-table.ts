import { type Html, html } from '../../../domain/html.ts';
import { formatMs } from '../../../health/render-status.ts';
import type { ReportModel } from '../model.ts';
import { orUnknown, statusMark, statusText } from '../words.ts';
import { table } from './frame.ts';

/** What each step took, and of it waited, and how long after the begin that counts it was over. Pure. */
export function stepsTable({ steps, startedAtMs, outageAtMs }: ReportModel): Html {
  const sinceMs = outageAtMs !== undefined && outageAtMs < startedAtMs ? outageAtMs : startedAtMs;
  const since = sinceMs === startedAtMs ? "the run's begin" : 'the outage';
  return table(
    `Each step's part in the time; the last column counts from ${since}`,
    [
      {
        head: 'Step',
        cell: (s, i) =>
          html`${i + 1}. ${s.title}${s.error === undefined ? undefined : html`<span class="note"> ${s.error.code}: ${s.error.message}</span>`}${s.takenBack?.error === undefined ? undefined : html`<span class="note"> not taken back: ${s.takenBack.error.code}: ${s.takenBack.error.message}</span>`}`,
      },
      { head: 'Status', cell: (s) => `${statusMark(s)}\u00a0${statusText(s).replaceAll(' ', '\u00a0')}` },
      { head: 'Took', number: true, cell: (s) => (s.ms === undefined ? '' : formatMs(s.ms)) },
      {
        head: 'Of it waiting for',
        cell: (s) => (s.waitedMs ? `${formatMs(s.waitedMs)}${s.waitsFor === undefined ? '' : `, ${s.waitsFor}`}` : ''),
      },
      {
        head: 'Over after',
        number: true,
        cell: (s) =>
          s.startedAtMs === undefined || s.ms === undefined
            ? ''
            : orUnknown(s.startedAtMs + s.ms - sinceMs, (ms) => `+${formatMs(Math.max(0, ms))}`),
      },
    ],
    steps,
  );
}
