import { type Html, html } from '../../domain/html.ts';
import type { BoardFacts } from './board.ts';
import { ago, type Tone, tag } from './parts.ts';
import { wordsOf } from './summary.ts';

const tones: Readonly<Record<string, Tone>> = { ok: 'ok', info: 'info', warning: 'warn', critical: 'bad' };
const readinessTones: Readonly<Record<string, Tone>> = { green: 'ok', yellow: 'warn', red: 'bad' };

/** What is in the way of a failover, what was judged of all that is seen, and what automatic mode makes of it. */
export function standing({ status, standing: { readiness, verdicts, decision } }: BoardFacts, nowMs: number): Html {
  if (status === undefined) return html``;
  const findings = [
    ...status.blockers.map((b) => line('bad', 'blocker', b.code, html`${b.sentence}`)),
    ...(verdicts ?? [])
      .filter((v) => v.severity !== 'ok')
      .map((v) =>
        line(
          tones[v.severity],
          v.severity,
          v.subject === undefined ? v.code : `${v.code} (${v.subject})`,
          html`${v.sentence} <span class="soft">(for ${ago(v.sinceMs, nowMs)})</span>`,
        ),
      ),
    ...status.warnings.map((w) => line('warn', 'warning', w.code, html`${w.sentence}`)),
  ];
  const list =
    findings.length === 0
      ? html`<p>Nothing blocks a failover, and nothing is warned of.</p>`
      : html`<ul class="says">${findings}</ul>`;
  const colour = readiness && tag(readinessTones[readiness.colour], `ready: ${readiness.colour}`);
  const decided =
    decision &&
    html`<p class="soft decided">Mode ${decision.mode}: ${decision.sentence} <span>(for ${ago(decision.atMs, nowMs)})</span></p>`;
  return html`<div class="card"><div class="head"><h2>Readiness and verdicts</h2>${colour}</div>${readiness && html`<p>${readiness.sentence}</p>`}${list}${decided}</div>`;
}

function line(tone: Tone | undefined, word: string, code: string, sentence: Html): Html {
  return html`<li>${tag(tone, word)}<div><strong>${wordsOf(code)}</strong> ${sentence}</div></li>`;
}
