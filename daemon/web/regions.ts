import { type Html, html } from '../../domain/html.ts';
import { formatMs } from '../../health/render-status.ts';
import type { StatusView } from '../../health/status-view.ts';
import type { BoardFacts } from './board.ts';
import { mark, tag } from './parts.ts';

/** Both regions side by side, and what the names answer. */
export function regions({ status }: BoardFacts): Html {
  if (status === undefined) return html``;
  return html`<div class="pair">${status.regions.map(card)}</div>${namesCard(status)}`;
}

function card({ name, role, components }: StatusView['regions'][number]): Html {
  const rows = components.map(
    (c) =>
      html`<tr><th scope="row">${c.component}</th><td>${mark(c.status)}</td><td class="number">${formatMs(c.latencyMs)}</td><td class="soft">${c.detail}</td></tr>`,
  );
  return html`<div class="card"><div class="head"><h2>${name}</h2>${tag(role === 'primary' ? 'info' : undefined, role)}</div>
${table(name, ['Part', 'Answer', { number: 'Took' }, 'Detail'], rows)}</div>`;
}

function namesCard({ names, roles }: StatusView): Html {
  if (names.length === 0) return html``;
  const rows = names.map((n) => {
    const answer =
      n.status === 'ok' ? `${n.addresses.join(', ') || 'no address'}${n.region ? ` (${n.region})` : ''}` : n.detail;
    const elsewhere = n.status === 'ok' && n.region !== roles.primary ? tag('warn', 'not the primary') : undefined;
    return html`<tr><th scope="row">${n.name}</th><td>${mark(n.status)}</td><td>${answer} ${elsewhere}</td><td class="soft">${n.resolver}</td></tr>`;
  });
  return html`<div class="card"><h2>Names</h2>${table('Names', ['Name', 'Answer', 'Address', 'As seen from'], rows)}</div>`;
}

/** A column's head: `{ number }` over figures. */
export type Head = string | { readonly number: string };

/** A table that scrolls by itself where it is too wide, by keyboard as well. */
export function table(label: string, heads: readonly Head[], rows: readonly Html[]): Html {
  const cells = heads.map((h) =>
    typeof h === 'string' ? html`<th scope="col">${h}</th>` : html`<th scope="col" class="number">${h.number}</th>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${cells}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
