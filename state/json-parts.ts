import type { Json } from './journal.ts';

/** One part of what a run noted; undefined where there is none. Pure. */
export function partOf(json: Json | undefined, key: string): Json | undefined {
  if (json === null || json === undefined || typeof json !== 'object' || Array.isArray(json)) return undefined;
  return json[key];
}

/** A number in what a run noted; undefined where there is none. Pure. */
export function numberIn(json: Json | undefined, key: string): number | undefined {
  const value = partOf(json, key);
  return typeof value === 'number' ? value : undefined;
}

/** A text in what a run noted; undefined where there is none. Pure. */
export function textIn(json: Json | undefined, key: string): string | undefined {
  const value = partOf(json, key);
  return typeof value === 'string' ? value : undefined;
}
