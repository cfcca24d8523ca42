import type { Json } from '../../state/journal.ts';
import type { ReportStep, Seen } from './model.ts';

type Flat = string | number | boolean | null;

/** All that the steps saw, in the order in which people look for it: when they acted, and when they were taken back. Pure. */
export function seenBy(steps: readonly ReportStep[]): readonly (Seen & { readonly title: string })[] {
  return steps.flatMap(({ title, evidence, takenBack }) => [
    ...(evidence === undefined ? [] : [{ ...evidence, title }]),
    ...(takenBack === undefined || takenBack.error !== undefined
      ? []
      : [{ ...takenBack, title: `${title} (taken back)` }]),
  ]);
}

const isFlat = (json: Json): json is Flat => json === null || typeof json !== 'object';
const isShallow = (json: Json): boolean => isFlat(json) || Object.values(json).every((value) => isFlat(value as Json));

/** What a step saw, as lines for people: an object a line where it holds only plain values, deeper ones below each other. Pure. */
export function evidenceLines(json: Json): readonly string[] {
  if (isFlat(json)) return [flat(json)];
  if (Array.isArray(json)) {
    if (json.length === 0) return ['none'];
    if (json.every(isFlat)) return json.map((value) => `- ${flat(value as Flat)}`);
    return json.flatMap((value) => indented(isShallow(value) ? [oneLine(value)] : evidenceLines(value), '- '));
  }
  return Object.entries(json).flatMap(([name, value]) => {
    if (isFlat(value)) return [`${name}: ${flat(value, name)}`];
    if (Array.isArray(value) && value.length > 0 && value.every(isFlat))
      return [`${name}: ${value.map((v) => flat(v as Flat)).join(', ')}`];
    if (Object.keys(value).length === 0) return [`${name}: none`];
    return [`${name}:`, ...evidenceLines(value).map((line) => `  ${line}`)];
  });
}

/** `events-0: 407` where it is a partition's offset, else `name: value, …`. */
function oneLine(json: Json): string {
  if (isFlat(json)) return flat(json);
  const fields = Object.entries(json as Readonly<Record<string, Json>>);
  const { topic, partition, offset } = Object.fromEntries(fields) as Readonly<Record<string, Json>>;
  if (fields.length === 3 && typeof topic === 'string' && typeof partition === 'number' && offset !== undefined)
    return `${topic}-${partition} at ${flat(offset as Flat)}`;
  return fields.map(([name, value]) => `${name}: ${flat(value as Flat, name)}`).join(', ');
}

/** Instants are told as such. */
function flat(value: Flat, name = ''): string {
  if (typeof value === 'number' && /AtMs$|UntilMs$|^atMs$/.test(name) && value > 1e12)
    return new Date(value).toISOString();
  return value === null ? 'unknown' : String(value);
}

const indented = (lines: readonly string[], mark: string) =>
  lines.map((line, i) => (i === 0 ? `${mark}${line}` : `${' '.repeat(mark.length)}${line}`));
