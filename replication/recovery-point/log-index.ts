import { type LogRange, partitionKey } from '../../domain/offsets.ts';

/** Ranges of a log, to look them up. */
export interface LogIndex {
  /** By `partitionKey`. */
  readonly partitions: ReadonlyMap<string, LogRange>;
  /** By topic, in the order of the ranges. */
  readonly topics: ReadonlyMap<string, readonly LogRange[]>;
}

const made = new WeakMap<readonly LogRange[], LogIndex>();

/** The index of these ranges, which are never changed: made once, though every job is judged by the ranges of all topics. */
export function indexRanges(ranges: readonly LogRange[]): LogIndex {
  const known = made.get(ranges);
  if (known !== undefined) return known;
  const topics = new Map<string, LogRange[]>();
  for (const range of ranges) {
    const same = topics.get(range.topic);
    if (same === undefined) topics.set(range.topic, [range]);
    else same.push(range);
  }
  const index = { partitions: new Map(ranges.map((range) => [partitionKey(range), range])), topics };
  made.set(ranges, index);
  return index;
}
