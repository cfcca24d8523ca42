import { type Html, html } from '../../domain/html.ts';

export type Tone = 'ok' | 'info' | 'warn' | 'bad';

/** A word in a coloured pill. */
export const tag = (tone: Tone | undefined, text: string): Html => html`<span class="tag ${tone ?? ''}">${text}</span>`;

/** How a look ended, in a word and a sign. */
export const mark = (status: 'ok' | 'failed' | 'unknown'): Html => html`<span class="mark ${status}">${status}</span>`;

/** How long ago something was; the page's script keeps it true. */
export function ago(atMs: number, nowMs: number): Html {
  return html`<span data-since="${atMs}">${coarse(nowMs - atMs)}</span>`;
}

/** `12 s`, `3 min 20 s`, `2 h 5 min`, `3 days`: as the page's script says it. */
export function coarse(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 172_800) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} days`;
}

/** `2026-11-21 14:03:22 UTC` */
export const instant = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `12,345` */
export const count = (n: number): string => n.toString().replace(/\B(?=(\d{3})+$)/g, ',');
