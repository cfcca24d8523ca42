/**
 * Records of one partition, in the order of their offsets, as flat lists: three numbers a record, so that millions of
 * them fit. Keys are numbers of a {@link KeyTable}, `-1` without one.
 */
export interface CollectedRecords {
  readonly partition: number;
  readonly keys: number[];
  readonly contents: number[];
  /** Exact up to 2^53. */
  readonly offsets: number[];
}

/** Gives equal keys the same number. */
export type KeyTable = (key: string | undefined) => number;

/** An empty list. */
export function noRecords(partition: number): CollectedRecords {
  return { partition, keys: [], contents: [], offsets: [] };
}

/** Adds the records of one list behind another's. */
export function append(to: CollectedRecords, from: CollectedRecords): void {
  for (let i = 0; i < from.keys.length; i++) {
    to.keys.push(from.keys[i] as number);
    to.contents.push(from.contents[i] as number);
    to.offsets.push(from.offsets[i] as number);
  }
}

/** Numbers keys in the order in which they come. */
export function keyTable(): KeyTable {
  const numbers = new Map<string, number>();
  return (key) => {
    if (key === undefined) return -1;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  };
}
