import type { RecordBatch } from '../../regions/kafka/record-batch.ts';

/** What two logs differ in, at an offset. */
export interface LogDifference {
  readonly offset: bigint;
  readonly what: string;
}

/** How one partition's two logs compare, up to where it was walked. */
export interface BatchTally {
  /** Compared on both sides and found equal. */
  batches: bigint;
  records: bigint;
  bytes: bigint;
  /** On the standby alone, where the source has no records: they only take up offsets. */
  fillers: bigint;
  /** Rewritten or removed by compaction on one side, so that nothing is left to compare. */
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
 * looked at: producer id, epoch and sequence, leader epoch, checksum, timestamp type; of a marker only its outcome counts.
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
  let a = await next(source);
  let b = await next(standby);
  while (a || b) {
    const floor = options.floor();
    if (a && a.lastOffset < floor) a = await next(source);
    else if (b && b.lastOffset < floor) b = await next(standby);
    else if (a && b && a.baseOffset === b.baseOffset) {
      const difference = comparePair(a, b, options.compacted, tally);
      if (difference) return difference;
      [a, b] = [await next(source), await next(standby)];
    } else if (a && (!b || a.lastOffset < b.baseOffset)) {
      if (!options.compacted) return { offset: a.baseOffset, what: 'the standby lacks the records' };
      tally.compacted++;
      a = await next(source);
    } else if (b && (!a || b.lastOffset < a.baseOffset)) {
      if (isFiller(b)) tally.fillers++;
      else if (options.compacted) tally.compacted++;
      else return { offset: b.baseOffset, what: 'the source has no records there, the standby has' };
      b = await next(standby);
    } else if (a && b) {
      // In Kafka's logs it can't be: somebody else wrote to the standby.
      const [, at] = [a.baseOffset, b.baseOffset].sort((x, y) => Number(x - y)) as [bigint, bigint];
      return { offset: at, what: `batches begin elsewhere: at ${a.baseOffset} and at ${b.baseOffset}` };
    }
  }
  return undefined;
}

/** Markers and transactional placeholders: no read_committed reader sees them. */
function isFiller(batch: RecordBatch): boolean {
  return batch.control || batch.transactional;
}

function comparePair(a: RecordBatch, b: RecordBatch, compacted: boolean, tally: BatchTally): LogDifference | undefined {
  const what = differenceOf(a, b);
  if (what === undefined) {
    tally.batches++;
    tally.records += a.control ? 0n : BigInt(a.recordCount);
    tally.bytes += BigInt(a.bytes.length);
    return undefined;
  }
  // The cleaner keeps a batch's offsets and rewrites its records.
  if (compacted && a.lastOffset === b.lastOffset && isRewritten(a, b)) {
    tally.compacted++;
    return undefined;
  }
  return { offset: a.baseOffset, what };
}

function isRewritten(a: RecordBatch, b: RecordBatch): boolean {
  return a.recordCount !== b.recordCount || deleteHorizon(a) !== deleteHorizon(b);
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
