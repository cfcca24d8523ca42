import { type Html, html } from '../../domain/html.ts';
import { formatMs } from '../../health/render-status.ts';
import type { BoardFacts } from './board.ts';
import { ago, instant, type Tone, tag } from './parts.ts';

const tones: Readonly<Record<string, Tone>> = { passed: 'ok', failed: 'bad', stopped: 'warn', 'under-way': 'info' };

/** The last drill and the next; nothing where there is neither. */
export function drills({ drills: facts }: BoardFacts, nowMs: number): Html {
  const { last, lastProof, next } = facts ?? {};
  if (last === undefined && next === undefined) return html``;
  const took = last?.endedAtMs === undefined ? '' : `, took ${formatMs(last.endedAtMs - last.startedAtMs)}`;
  const rto = last?.rtoMs === undefined ? '' : `, RTO ${formatMs(last.rtoMs)}`;
  const rpo = last?.rpoMs === undefined ? '' : `, RPO ${formatMs(last.rpoMs)}`;
  const lastLine =
    last === undefined
      ? html`<p class="soft">No drill yet.</p>`
      : html`<p>Last: ${last.kind}, ${ago(last.startedAtMs, nowMs)} ago${took}${rto}${rpo}</p>${last.verdict && html`<p class="soft">${last.verdict}</p>`}`;
  const proof =
    lastProof === undefined || lastProof.run === last?.run
      ? undefined
      : html`<p class="soft">Last one that restored or moved, and passed: ${lastProof.kind}, ${ago(lastProof.startedAtMs, nowMs)} ago</p>`;
  const word =
    next?.needsApproval && next.approvedBy === undefined ? `; it needs argus drill approve ${next.slot}` : '';
  const waits = next?.waits === undefined ? word : `; waits: ${next.waits.message}`;
  const nextLine =
    next === undefined
      ? html`<p class="soft">None is scheduled.</p>`
      : html`<p>Next: ${next.kind}, ${instant(next.dueAtMs)}${next.underWay ? '; under way' : waits}</p>`;
  const colour = last && tag(tones[last.outcome], last.outcome);
  return html`<div class="card"><div class="head"><h2>Drills</h2>${colour}</div>${lastLine}${proof}${nextLine}</div>`;
}
