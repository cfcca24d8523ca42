import { InvalidArgumentError } from 'commander';
import type { PartitionOffset } from '../domain/offsets.ts';

/** An instant as ISO 8601 or in milliseconds. */
export const instant = (text: string): number => {
  const ms = /^\d{13}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isFinite(ms)) throw new InvalidArgumentError('an instant like 2026-11-21T03:00:00Z is needed.');
  return ms;
};

/** `90s`, `5m`, `500ms` in milliseconds; `unknown` for a loss that nobody can tell. */
export const lossBudget = (text: string): number | 'unknown' => {
  if (text === 'unknown') return text;
  const ms = parsedSpan(text);
  if (ms === undefined) throw new InvalidArgumentError('something like 90s or 5m is needed, or unknown.');
  return ms;
};

/** `90s`, `5m`, `500ms` or `0` in milliseconds. */
export const span = (text: string): number => {
  const ms = text === '0' ? 0 : parsedSpan(text);
  if (ms === undefined) throw new InvalidArgumentError('something like 90s or 5m is needed.');
  return ms;
};

function parsedSpan(text: string): number | undefined {
  const [, n, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  return n === undefined ? undefined : Number(n) * ({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? 1);
}

/** A whole number. */
export const count = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is needed.');
  return Number(text);
};

/** An offset of Kafka's. */
export const offset = (text: string): bigint => {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('an offset is needed.');
  return BigInt(text);
};

/** `topic-partition=offset`, added to those before it. */
export const partitionOffset = (text: string, before: readonly PartitionOffset[] = []): readonly PartitionOffset[] => {
  const [, topic = '', partition, at] = /^([\w.-]{1,249})-(\d{1,9})=(\d{1,18})$/.exec(text) ?? [];
  if (at === undefined) throw new InvalidArgumentError('something like events-0=1234 is needed.');
  return [...before, { topic, partition: Number(partition), offset: BigInt(at) }];
};

/** An amount of money without its currency, like `0.09`. */
export const price = (text: string): number => {
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError('an amount like 0.09 is needed.');
  return Number(text);
};
