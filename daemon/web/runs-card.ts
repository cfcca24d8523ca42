import { type Html, html } from '../../domain/html.ts';
import { formatMs } from '../../health/render-status.ts';
import type { BoardFacts } from './board.ts';
import { ago, instant, type Tone, tag } from './parts.ts';
import type { RunView, StepView } from './run-view.ts';

const tones: Readonly<Record<RunView['status'], Tone>> = {
  running: 'info',
  done: 'ok',
  failed: 'bad',
  refused: 'warn',
  interrupted: 'bad',
};

/** The newest runs: the one under way, or else the last, with its steps; the others folded. */
export function runs({ runs: all }: BoardFacts, nowMs: number): Html {
  const [first, ...others] = all;
  const newest = first === undefined ? html`<p class="soft">No run yet.</p>` : open(first, nowMs);
  const heading = first?.status === 'running' ? 'Run under way' : 'Runs';
  const folded = others.map(
    (run) =>
      html`<details id="run-${run.run}"><summary>${run.runbook} ${tag(tones[run.status], run.status)} <span class="soft">${instant(run.startedAtMs)}</span></summary>${body(run, nowMs)}</details>`,
  );
  return html`<div class="card"><h2>${heading}</h2>${newest}${others.length > 0 ? html`<div>${folded}</div>` : undefined}</div>`;
}

function open(run: RunView, nowMs: number): Html {
  return html`<article id="run-${run.run}"><div class="head"><h3>${run.runbook}</h3>${tag(tones[run.status], run.status)}<span class="soft">${instant(run.startedAtMs)}</span></div>${body(run, nowMs)}</article>`;
}

function body(run: RunView, nowMs: number): Html {
  const reason = run.reason === undefined ? '' : `: ${run.reason}`;
  const took =
    run.status === 'running'
      ? html`under way for ${ago(run.startedAtMs, nowMs)}`
      : html`took ${formatMs(run.lastAtMs - run.startedAtMs)}`;
  const rto = run.rtoMs === undefined ? undefined : html`; RTO ${formatMs(run.rtoMs)}`;
  const hint = run.hint === undefined || run.status === 'done' ? undefined : html`<p>${run.hint}</p>`;
  return html`<p class="soft">${run.run}, by ${run.by}${reason}; ${took}${rto}</p>${hint}<ol class="steps">${run.steps.map((s) => step(s, nowMs))}</ol>`;
}

const said: Readonly<Record<StepView['status'], string>> = {
  waiting: 'waits',
  started: 'under way',
  done: 'done',
  already: 'was so already',
  failed: 'failed',
  refused: 'refused',
  compensated: 'taken back',
};

function step(s: StepView, nowMs: number): Html {
  const time =
    s.status === 'started' && s.startedAtMs !== undefined
      ? html`, ${ago(s.startedAtMs, nowMs)}`
      : s.ms === undefined
        ? undefined
        : html`, ${formatMs(s.ms)}`;
  const why = s.message === undefined ? undefined : html`<span class="why">${s.message}</span>`;
  return html`<li class="${s.status}"><span>${s.title}</span><span class="soft">${said[s.status]}${time}</span>${why}</li>`;
}
