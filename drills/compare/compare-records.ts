import type { CollectedRecords } from './collected-records.ts';

/** Production's output of one partition, from the point that the drill restored on. */
export interface ProducedRecords {
  readonly partition: number;
  /** May belong to what was before the point: the drill makes the last so many of them again, or none. */
  readonly maybe: CollectedRecords;
  /** What the drill has to make again, all of it. */
  readonly expected: CollectedRecords;
  /** What came later: the drill may have got as far. */
  readonly further: CollectedRecords;
}

/** Where two outputs differ. `produced` and `drilled`: offsets; absent on the side that has no such record. */
export interface FirstDifference {
  readonly kind: 'missing' | 'unexpected' | 'differing';
  readonly partition: number;
  readonly produced?: number;
  readonly drilled?: number;
}

/** How a drill's output compares with production's. */
export interface OutputCounts {
  /** On both sides, and equal. */
  readonly records: number;
  /** Of those that are expected, the ones that the drill doesn't have where they belong. */
  readonly missing: number;
  /** The drill's that production hasn't. */
  readonly unexpected: number;
  readonly differing: number;
  /** The drill's that lie past all that is known of production: they could not be compared. */
  readonly beyond: number;
  readonly first?: FirstDifference;
}

export interface CompareOptions {
  readonly by: 'key' | 'set';
  /** Production's output is known at least as far as the drill got: a record that it hasn't is one too many. */
  readonly closed: boolean;
}

/**
 * Compares a drill's output with production's. By key: the records of a key, in a partition, have to come in production's
 * order, without one more or less. By set, and for records without a key: as often as in production, in any order and in
 * any partition. Pure.
 */
export function compareRecords(
  produced: readonly ProducedRecords[],
  drilled: readonly CollectedRecords[],
  { by, closed }: CompareOptions,
): OutputCounts {
  const tally = new Tally();
  const drills = new Map(drilled.map((each) => [each.partition, each]));
  const unkeyed: Sides = [[], [], [], []];
  const partitions = new Set([...produced.map(({ partition }) => partition), ...drills.keys()]);
  for (const partition of partitions) {
    const own = produced.find((each) => each.partition === partition) ?? nothing;
    const lists = [own.maybe, own.expected, own.further, drills.get(partition) ?? none];
    const sides = lists.map((records) => byKey(records, partition, by));
    for (const key of new Set(sides.flatMap((keyed) => [...keyed.keys()]))) {
      const picked = sides.map((keyed) => keyed.get(key) ?? []) as unknown as Sides;
      if (key === -1) for (const [i, records] of picked.entries()) for (const each of records) unkeyed[i]?.push(each);
      else compareSequences(picked, closed, tally);
    }
  }
  compareSets(unkeyed, closed, tally);
  return tally.counts();
}

/** Records of production's that may, must and can come again, and the drill's. */
type Sides = readonly [PlacedRecord[], PlacedRecord[], PlacedRecord[], PlacedRecord[]];

interface PlacedRecord {
  readonly content: number;
  readonly partition: number;
  readonly offset: number;
}

const none: CollectedRecords = { partition: 0, keys: [], contents: [], offsets: [] };
const nothing: ProducedRecords = { partition: 0, maybe: none, expected: none, further: none };

/** A partition's records by key, each in their order; `-1`: those that are compared as a set. */
function byKey(records: CollectedRecords, partition: number, by: CompareOptions['by']): Map<number, PlacedRecord[]> {
  const keyed = new Map<number, PlacedRecord[]>();
  for (let i = 0; i < records.keys.length; i++) {
    const key = by === 'set' ? -1 : (records.keys[i] as number);
    const record = { content: records.contents[i] as number, partition, offset: records.offsets[i] as number };
    const of = keyed.get(key);
    if (of === undefined) keyed.set(key, [record]);
    else of.push(record);
  }
  return keyed;
}

class Tally {
  records = 0;
  missing = 0;
  unexpected = 0;
  differing = 0;
  beyond = 0;
  #first: FirstDifference | undefined;

  found(kind: FirstDifference['kind'], own: PlacedRecord | undefined, drilled: PlacedRecord | undefined): void {
    this[kind]++;
    // The earliest of production's is the one to look at.
    const at = (offset: number | undefined) => offset ?? Number.POSITIVE_INFINITY;
    if (this.#first !== undefined && at(own?.offset) >= at(this.#first.produced)) return;
    this.#first = {
      kind,
      partition: own?.partition ?? drilled?.partition ?? 0,
      ...(own === undefined ? {} : { produced: own.offset }),
      ...(drilled === undefined ? {} : { drilled: drilled.offset }),
    };
  }

  /** A record of the drill's behind all that is known of production. */
  past(record: PlacedRecord, closed: boolean): void {
    if (closed) this.found('unexpected', undefined, record);
    else this.beyond++;
  }

  counts(): OutputCounts {
    const { records, missing, unexpected, differing, beyond } = this;
    const first = this.#first === undefined ? {} : { first: this.#first };
    return { records, missing, unexpected, differing, beyond, ...first };
  }
}

/**
 * The drill's records of a key have to be: some of the last that may come again, all that are expected, then as many of
 * the further ones as it got to. Where they differ, one record of look-ahead tells whether it is one too many or one that
 * lacks.
 */
function compareSequences([maybe, expected, further, drill]: Sides, closed: boolean, tally: Tally): void {
  const produced = [...expected, ...further];
  let j = lengthOfMaybe(maybe, expected, drill);
  tally.records += j;
  for (const [i, own] of produced.entries()) {
    const found = drill[j];
    if (found === undefined) {
      if (i >= expected.length) break;
      tally.found('missing', own, undefined);
    } else if (found.content === own.content) {
      tally.records++;
      j++;
    } else if (drill[j + 1]?.content === own.content) {
      tally.found('unexpected', own, found);
      tally.records++;
      j += 2;
    } else if (found.content === produced[i + 1]?.content) tally.found('missing', own, found);
    else {
      tally.found('differing', own, found);
      j++;
    }
  }
  for (; j < drill.length; j++) tally.past(drill[j] as PlacedRecord, closed);
}

/** How many of the drill's first records are the last of `maybe`, so that the longest part of `expected` follows. */
function lengthOfMaybe(
  maybe: readonly PlacedRecord[],
  expected: readonly PlacedRecord[],
  drill: readonly PlacedRecord[],
): number {
  let best = { length: 0, follows: -1 };
  for (let length = 0; length <= Math.min(maybe.length, drill.length); length++) {
    const last = maybe.slice(maybe.length - length);
    if (!last.every(({ content }, i) => content === drill[i]?.content)) continue;
    let follows = 0;
    while (follows < expected.length && expected[follows]?.content === drill[length + follows]?.content) follows++;
    // Where nothing is expected, the most that fits.
    if (follows > best.follows || (expected.length === 0 && follows === best.follows)) best = { length, follows };
  }
  return best.length;
}

/** Every expected record has to be there as often; what is more has to be among the others. */
function compareSets([maybe, expected, further, drill]: Sides, closed: boolean, tally: Tally): void {
  const left = Map.groupBy(drill, ({ content }) => content);
  const take = ({ content }: PlacedRecord) => left.get(content)?.pop() !== undefined;
  for (const own of expected) {
    if (take(own)) tally.records++;
    else tally.found('missing', own, undefined);
  }
  for (const own of [...maybe, ...further]) if (take(own)) tally.records++;
  for (const records of left.values()) for (const record of records) tally.past(record, closed);
}
