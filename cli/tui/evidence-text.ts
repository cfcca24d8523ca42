import { formatMs } from '../../health/render-status.ts';
import type { Json } from '../../state/journal.ts';

/** So many of a list are told. */
const told = 3;

/** What a step saw, in one line for people: keys and values, instants as times, offsets as `topic-0 at 407`. Pure. */
export function evidenceText(evidence: Json): string {
  if (evidence === null) return '';
  if (typeof evidence !== 'object') return String(evidence);
  return Array.isArray(evidence) ? list(evidence) : fields(evidence);
}

function fields(object: { readonly [key: string]: Json }): string {
  const parts = Object.entries(object).map(([key, value]) => {
    if (value === true) return words(key);
    if (value === false) return `not ${words(key)}`;
    if (typeof value === 'number' && /(^a|A)tMs$|UntilMs$/.test(key))
      return `${words(key.slice(0, -2))} ${clock(value)}`;
    if (typeof value === 'number' && /(^ms|Ms)$/.test(key)) return `${words(key.slice(0, -2))} ${formatMs(value)}`;
    if (Array.isArray(value) && value.length === 0) return `no ${words(key)}`;
    return `${words(key)} ${evidenceText(value)}`.trimEnd();
  });
  return parts.filter((part) => part !== '').join('; ');
}

function list(values: readonly Json[]): string {
  const shown = values.slice(0, told).map((value) => position(value) ?? evidenceText(value));
  const more = values.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function position(value: Json): string | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const { topic, partition, offset, ...others } = value;
  if (topic === undefined || partition === undefined || offset === undefined) return undefined;
  const rest = fields(others);
  return `${topic}-${partition} at ${offset}${rest === '' ? '' : ` (${rest})`}`;
}

/** `endOffsets` as `end offsets`; names with dots or dashes are names of something and stay. */
const words = (key: string) =>
  /^[a-z]+([A-Z][a-z]*)*$/.test(key) ? key.replaceAll(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`) : key;

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19);
