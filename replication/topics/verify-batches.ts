import { describeError } from '../../domain/errors.ts';
import { largerOf, smallerOf } from '../../domain/offsets.ts';
import { isFiller } from '../../regions/kafka/filler-batch.ts';
import type { RecordBatch } from '../../regions/kafka/record-batch.ts';
import { compareRecords, RecordCache, type RecordComparison } from './compare-records.ts';
import { hasInnerHoles } from './split-batch.ts';

/** What two logs differ in, at an offset. */
export interface LogDifference {
  readonly offset: bigint;
  readonly what: string;
  /** The source has a record there, and the standby has none. */
  readonly missing?: true;
}

/** How one partition's two logs compare, up to where it was walked. */
export interface BatchTally {
  /** Compared on both sides and found equal. */
  batches: bigint;
  records: bigint;
  bytes: bigint;
  /** On the standby alone, where the source has no records: they only take up offsets. */
  fillers: bigint;
  /** Pairs or single batches of which compaction removed something on one side only. */
  compacted: bigint;
}

/** A tally of nothing yet. */
export function newTally(): BatchTally {
  return { batches: 0n, records: 0n, bytes: 0n, fillers: 0n, compacted: 0n };
}

export interface CompareOptions {
  /** One side's topic is compacted: what only one side still has is no difference. */
  readonly compacted: boolean;
  /** Batches that end below it are passed over: one side's log begins there. Read anew for each pair. */
  readonly floor: () => bigint;
  /** Exclusive: batches that begin at or past it are passed over. */
  readonly to: bigint;
}

/**
 * Walks two logs side by side and gives the first difference, undefined when there is none. What has to be the same:
 * offsets, timestamps, codec, kind (transactional, marker) and every byte of the records. What a mirror rewrites isn't
 * looked at: producer id, epoch and sequence, leader epoch, checksum; of a marker only its outcome counts.
 * Where compaction left holes in a batch of one side, records are compared one by one, however they are laid out.
 */
export async function compareLogs(
  source: AsyncIterator<RecordBatch>,
  standby: AsyncIterator<RecordBatch>,
  options: CompareOptions,
  tally: BatchTally,
): Promise<LogDifference | undefined> {
  const next = async (side: AsyncIterator<RecordBatch>): Promise<RecordBatch | undefined> => {
    for (;;) {
      const { done, value } = await side.next();
      if (done || value.baseOffset >= options.to) return undefined;
      // Compaction leaves the header of a producer's last batch behind.
      if (value.recordCount > 0) return value;
    }
  };
  const [recordsOfA, recordsOfB] = [new RecordCache(), new RecordCache()];
  let a = await next(source);
  let b = await next(standby);
  // Offsets below it were compared record by record.
  let at = 0n;
  while (a || b) {
    const floor = options.floor();
    if (a && a.lastOffset < floor) a = await next(source);
    else if (b && b.lastOffset < floor) b = await next(standby);
    else if (a && b && a.baseOffset <= b.lastOffset && b.baseOffset <= a.lastOffset) {
      const begun = a.baseOffset < at || b.baseOffset < at;
      if (begun || (isRewritten(a, b) && differenceOf(a, b) !== undefined)) {
        const end = smallerOf(a.lastOffset, b.lastOffset) + 1n;
        const range = { from: largerOf(at, floor), to: smallerOf(end, options.to) };
        const difference = compareByRecord([a, recordsOfA], [b, recordsOfB], range, options.compacted, tally);
        if (difference) return difference;
        at = end;
        if (a.lastOffset < end) {
          countPair(a, tally);
          a = await next(source);
        }
        if (b.lastOffset < end) b = await next(standby);
      } else if (a.baseOffset === b.baseOffset) {
        const difference = comparePair(a, b, tally);
        if (difference) return difference;
        [a, b] = [await next(source), await next(standby)];
      } else {
        // In Kafka's logs it can't be: somebody else wrote to the standby.
        const what = `batches begin elsewhere: at ${a.baseOffset} and at ${b.baseOffset}`;
        return { offset: largerOf(a.baseOffset, b.baseOffset), what };
      }
    } else if (a && (!b || a.lastOffset < b.baseOffset)) {
      const first = firstFrom(a, recordsOfA, largerOf(at, floor));
      if (first !== undefined && first < options.to) {
        if (!options.compacted) return { offset: first, what: 'the standby lacks the records', missing: true };
        tally.compacted++;
      }
      if (a.baseOffset < at) countPair(a, tally);
      a = await next(source);
    } else if (b) {
      const first = firstFrom(b, recordsOfB, largerOf(at, floor));
      if (takesUpOffsets(b)) tally.fillers++;
      else if (first !== undefined && first < options.to) {
        if (!options.compacted) return { offset: first, what: 'the source has no records there, the standby has' };
        tally.compacted++;
      }
      b = await next(standby);
    }
  }
  return undefined;
}

/** The first record of a batch from an offset on. A batch that begins there counts as it is. */
function firstFrom(batch: RecordBatch, records: RecordCache, from: bigint): bigint | undefined {
  if (batch.baseOffset >= from || batch.control) return batch.baseOffset;
  return records.of(batch).find((r) => r.offset >= from)?.offset;
}

/**
 * How two batches that span a common offset differ, and from where on; undefined when they hold the same. As
 * `compareLogs` does it, for one pair.
 */
export function differenceOfPair(a: RecordBatch, b: RecordBatch, compacted: boolean): LogDifference | undefined {
  if (a.baseOffset > b.lastOffset && takesUpOffsets(b)) return undefined;
  if (a.baseOffset > b.lastOffset || b.baseOffset > a.lastOffset) {
    if (compacted || a.recordCount === 0 || b.recordCount === 0) return undefined;
    const what = `batches begin at ${b.baseOffset} there and at ${a.baseOffset} at the source`;
    return { offset: smallerOf(a.baseOffset, b.baseOffset), what };
  }
  const what =
    a.baseOffset === b.baseOffset
      ? differenceOf(a, b)
      : `batches begin at ${b.baseOffset} there and at ${a.baseOffset} at the source`;
  if (what === undefined) return undefined;
  if (!isRewritten(a, b)) return { offset: smallerOf(a.baseOffset, b.baseOffset), what };
  const range = { from: largerOf(a.baseOffset, b.baseOffset), to: smallerOf(a.lastOffset, b.lastOffset) + 1n };
  return compareByRecord([a, new RecordCache()], [b, new RecordCache()], range, compacted, newTally());
}

/** Compares what two batches hold in a range; one of them may have been compared up to there before. */
function compareByRecord(
  [a, recordsOfA]: readonly [RecordBatch, RecordCache],
  [b, recordsOfB]: readonly [RecordBatch, RecordCache],
  { from, to }: { readonly from: bigint; readonly to: bigint },
  compacted: boolean,
  tally: BatchTally,
): LogDifference | undefined {
  let compared: RecordComparison;
  try {
    compared = compareRecords(recordsOfA.of(a), takesUpOffsets(b) ? [] : recordsOfB.of(b), from, to);
  } catch (error) {
    return { offset: largerOf(a.baseOffset, b.baseOffset), what: describeError(error) };
  }
  const { same, difference, firstOnlySource, firstOnlyStandby } = compared;
  if (difference) return difference;
  if (same > 0 && a.transactional !== b.transactional)
    return { offset: b.baseOffset, what: 'transactional on one side only' };
  tally.records += BigInt(same);
  if (firstOnlySource === undefined && firstOnlyStandby === undefined) {
    if (takesUpOffsets(b)) tally.fillers++;
    return undefined;
  }
  if (compacted) tally.compacted++;
  else if (firstOnlySource !== undefined) {
    return { offset: firstOnlySource, what: 'the standby lacks the records', missing: true };
  } else if (firstOnlyStandby !== undefined) {
    return { offset: firstOnlyStandby, what: 'the source has no records there, the standby has' };
  }
  return undefined;
}

/** Markers and placeholders in an aborted transaction: no read_committed reader sees them. */
function takesUpOffsets(batch: RecordBatch): boolean {
  return batch.control || (batch.transactional && isFiller(batch));
}

function countPair(source: RecordBatch, tally: BatchTally): void {
  tally.batches++;
  tally.bytes += BigInt(source.bytes.length);
}

function comparePair(a: RecordBatch, b: RecordBatch, tally: BatchTally): LogDifference | undefined {
  const what = differenceOf(a, b);
  if (what === undefined) {
    countPair(a, tally);
    tally.records += a.control ? 0n : BigInt(a.recordCount);
    return undefined;
  }
  return { offset: a.baseOffset, what };
}

/**
 * The same bytes don't say the same of both, nor other bytes something else. Compaction takes records out, and notes in
 * a batch's header when to drop its tombstones; where a broker stamped a batch, the times in its records don't count.
 */
function isRewritten(a: RecordBatch, b: RecordBatch): boolean {
  if (a.stampedByBroker !== b.stampedByBroker) return true;
  return hasInnerHoles(a) || hasInnerHoles(b) || deleteHorizon(a) !== deleteHorizon(b);
}

const codecBits = 0x07;
const deleteHorizonBit = 0x40;
const recordsFrom = 61;
const attributes = ({ bytes }: RecordBatch) => bytes.readInt16BE(21);
const deleteHorizon = (batch: RecordBatch) => (attributes(batch) & deleteHorizonBit) !== 0;

/** What two batches that begin at the same offset differ in, for people; undefined when they hold the same records. */
export function differenceOf(a: RecordBatch, b: RecordBatch): string | undefined {
  const say = (what: string, x: unknown, y: unknown) => `${what}: ${x} at the source, ${y} on the standby`;
  if (a.lastOffset !== b.lastOffset) return say('last offset', a.lastOffset, b.lastOffset);
  if (a.control !== b.control) return say('transaction marker', a.control, b.control);
  if (a.control) {
    const [x, y] = [markerType(a), markerType(b)];
    return x === y ? undefined : say('outcome of the transaction', x, y);
  }
  if (a.transactional !== b.transactional) return say('transactional', a.transactional, b.transactional);
  if (a.stampedByBroker !== b.stampedByBroker) return say('stamped on append', a.stampedByBroker, b.stampedByBroker);
  if (a.recordCount !== b.recordCount) return say('records in the batch', a.recordCount, b.recordCount);
  const [x, y] = [attributes(a) & codecBits, attributes(b) & codecBits];
  if (x !== y) return say('compression codec', x, y);
  if (a.firstTimestampMs !== b.firstTimestampMs) return say('first timestamp', a.firstTimestampMs, b.firstTimestampMs);
  if (a.maxTimestampMs !== b.maxTimestampMs) return say('newest timestamp', a.maxTimestampMs, b.maxTimestampMs);
  if (a.bytes.length !== b.bytes.length) return say('size in bytes', a.bytes.length, b.bytes.length);
  if (a.bytes.compare(b.bytes, recordsFrom, b.bytes.length, recordsFrom, a.bytes.length) !== 0) {
    return 'the bytes of the records differ';
  }
  return undefined;
}

/**
 * `commit` or `abort`. A marker's batch holds one record: length, attributes, timestamp delta and offset delta of one
 * byte each, the key's length, then the key: version i16 | type i16 (0 abort, 1 commit). Source: KIP-98, "Control Messages".
 */
function markerType({ bytes }: RecordBatch): string {
  if (bytes.length < recordsFrom + 9) return 'unreadable';
  const type = bytes.readInt16BE(recordsFrom + 7);
  return type === 1 ? 'commit' : type === 0 ? 'abort' : `type ${type}`;
}
