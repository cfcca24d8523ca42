import { codecOf, type PackCodec } from '../../regions/kafka/compression.ts';
import type { RecordBatch } from '../../regions/kafka/record-batch.ts';
import { type BatchTraits, decodeRecords, encodeBatch, type KafkaRecord } from '../../regions/kafka/record-codec.ts';

/** Whether compaction took records from inside a batch, or from its end. */
export function hasInnerHoles(batch: Pick<RecordBatch, 'baseOffset' | 'lastOffset' | 'recordCount'>): boolean {
  return batch.recordCount > 0 && BigInt(batch.recordCount) !== batch.lastOffset - batch.baseOffset + 1n;
}

/** A piece that isn't larger than its batch is taken by every topic that takes the batch; a small one always is. */
const smallPieceBytes = 16_384;

/**
 * A batch with holes as batches without, which brokers take: what is left of its records in runs, and for each hole a
 * batch without records. They begin at `from`, or at the batch's first offset when that is later, and follow each other
 * up to its last offset. Records keep offset, timestamp, key, value and headers; the codec stays where Node can write
 * it, snappy and lz4 become gzip. `KafkaMalformed` as `decodeRecords`.
 */
export function splitCompacted(batch: RecordBatch, from = batch.baseOffset): readonly RecordBatch[] {
  const traits = traitsOf(batch);
  const largest = Math.max(smallPieceBytes, batch.bytes.length);
  const pieces: RecordBatch[] = [];
  let next = batch.baseOffset;
  if (from > next) next = from;
  const begin = next;
  const records = decodeRecords(batch).filter((r) => r.offset >= begin);
  for (let i = 0; i < records.length; ) {
    let end = i + 1;
    while (end < records.length && records[end]?.offset === (records[end - 1]?.offset ?? 0n) + 1n) end++;
    const run = records.slice(i, end);
    const first = run[0] as KafkaRecord;
    if (first.offset > next) pieces.push(holeFrom(batch, next, first.offset));
    pieces.push(...encodeWithin(run, traits, largest));
    next = first.offset + BigInt(run.length);
    i = end;
  }
  if (next <= batch.lastOffset) pieces.push(holeFrom(batch, next, batch.lastOffset + 1n));
  return pieces;
}

function encodeWithin(run: readonly KafkaRecord[], traits: BatchTraits, largest: number): readonly RecordBatch[] {
  const piece = encodeBatch(run, traits);
  if (piece.bytes.length <= largest || run.length === 1) return [piece];
  const middle = run.length >>> 1;
  return [...encodeWithin(run.slice(0, middle), traits, largest), ...encodeWithin(run.slice(middle), traits, largest)];
}

function traitsOf(batch: RecordBatch): BatchTraits {
  const attributes = batch.bytes.readInt16BE(21);
  const codec = codecOf(attributes);
  return {
    codec: codec === 'snappy' || codec === 'lz4' ? 'gzip' : (codec satisfies PackCodec),
    stampedByBroker: (attributes & 0x08) !== 0,
    transactional: batch.transactional,
    producerId: batch.producerId,
  };
}

/** Stands for a header, so that what is queued has a size. */
const noRecords = Buffer.alloc(61);

/** Offsets from `baseOffset` to `to` (exclusive) that hold nothing, as a batch without records. */
function holeFrom(batch: RecordBatch, baseOffset: bigint, to: bigint): RecordBatch {
  const { maxTimestampMs, firstTimestampMs } = batch;
  const nothing = {
    bytes: noRecords,
    recordCount: 0,
    stampedByBroker: false,
    transactional: false,
    control: false,
    producerId: -1n,
  };
  return { ...nothing, baseOffset, lastOffset: to - 1n, maxTimestampMs, firstTimestampMs };
}
