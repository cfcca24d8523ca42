import { crc32c } from '@node-rs/crc32';
import { malformed } from './wire.ts';

/**
 * Record batch, version 2 (`magic` 2). Big-endian; sizes in bytes:
 *
 *     0 baseOffset 8 | 8 batchLength 4 | 12 partitionLeaderEpoch 4 | 16 magic 1 | 17 crc 4 | 21 attributes 2
 *    23 lastOffsetDelta 4 | 27 baseTimestamp 8 | 35 maxTimestamp 8 | 43 producerId 8 | 51 producerEpoch 2
 *    53 baseSequence 4 | 57 recordCount 4 | 61 records
 *
 * `batchLength` counts from byte 12. The CRC-32C covers byte 21 to the end. Attributes: bits 0-2 codec, 3 timestamp
 * type (1 = LogAppendTime), 4 transactional, 5 control, 6 delete horizon.
 * Source: Kafka documentation, "Message Format / Record Batch"; KIP-98.
 */
const headerBytes = 61;
const lengthPrefixBytes = 12;
const magicAt = 16;
const crcFrom = 21;

const stampedBit = 0x08;
const transactionalBit = 0x10;
const controlBit = 0x20;

/** One batch in a fetched range: its header, and the view of its bytes. */
export interface RecordBatch {
  readonly bytes: Buffer;
  readonly baseOffset: bigint;
  /** Inclusive. */
  readonly lastOffset: bigint;
  /** Records in it; after compaction fewer than the offsets that it spans. */
  readonly recordCount: number;
  readonly maxTimestampMs: number;
  readonly firstTimestampMs: number;
  /** The broker stamped it on append: every record has `maxTimestampMs`, whatever the records' bytes say. */
  readonly stampedByBroker: boolean;
  readonly transactional: boolean;
  /** A transaction marker, not records of a producer. */
  readonly control: boolean;
  readonly producerId: bigint;
}

/**
 * The complete batches at the front of a fetched range, in order. A broker cuts the range at the byte limit, so an
 * incomplete last batch is normal and left out. Anything else that is not a batch is `KafkaMalformed`.
 */
export function* recordBatches(range: Buffer): Generator<RecordBatch> {
  for (let at = 0; at + magicAt < range.length; ) {
    // The one field that has the same place in every version; messages of the old ones may be shorter than a header.
    const magic = range.readInt8(at + magicAt);
    if (magic !== 2)
      throw malformed(`records in format version ${magic}; only version 2 (Kafka 0.11 and newer) is read`);
    if (at + headerBytes > range.length) return;
    const size = range.readInt32BE(at + 8) + lengthPrefixBytes;
    if (size < headerBytes) throw malformed(`a record batch of ${size} bytes`);
    if (at + size > range.length) return;
    yield readBatch(range.subarray(at, at + size));
    at += size;
  }
}

/** Reads a batch's header; its records may be cut. Inconsistent fields are `KafkaMalformed`; the checksum is not looked at. */
export function readBatch(bytes: Buffer): RecordBatch {
  if (bytes.length < headerBytes) throw malformed(`a record batch of ${bytes.length} bytes`);
  const baseOffset = bytes.readBigInt64BE(0);
  const lastOffsetDelta = bytes.readInt32BE(23);
  const recordCount = bytes.readInt32BE(57);
  if (baseOffset < 0n || lastOffsetDelta < 0 || recordCount < 0 || recordCount > lastOffsetDelta + 1) {
    throw malformed(`a record batch at ${baseOffset} with last delta ${lastOffsetDelta} and ${recordCount} records`);
  }
  const attributes = bytes.readInt16BE(21);
  return {
    bytes,
    baseOffset,
    lastOffset: baseOffset + BigInt(lastOffsetDelta),
    recordCount,
    firstTimestampMs: Number(bytes.readBigInt64BE(27)),
    maxTimestampMs: Number(bytes.readBigInt64BE(35)),
    stampedByBroker: (attributes & stampedBit) !== 0,
    transactional: (attributes & transactionalBit) !== 0,
    control: (attributes & controlBit) !== 0,
    producerId: bytes.readBigInt64BE(43),
  };
}

/** Whether the batch's own checksum is right. */
export function checksumHolds(bytes: Buffer): boolean {
  return bytes.length >= headerBytes && bytes.readUInt32BE(17) === crc32c(bytes.subarray(crcFrom));
}

/** The epoch of the leader that appended a fetched batch; undefined once it was made ready to be produced. */
export function leaderEpochOf(batch: RecordBatch): number | undefined {
  const epoch = batch.bytes.readInt32BE(12);
  return epoch < 0 ? undefined : epoch;
}

export interface BatchProducer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** The sequence after `count` records from `sequence` on: behind the largest comes 0 again. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % 2 ** 31;
}

/** The sequence of the batch that begins at `baseOffset`: the offset in the 31 bits that a sequence has. */
export function sequenceOf(baseOffset: bigint): number {
  return Number(baseOffset & 0x7fff_ffffn);
}

/**
 * Makes a fetched batch ready to be produced, in place: base offset 0 and leader epoch -1, as brokers want them from a
 * client; the producer that sends it, with the batch's offset as its sequence unless told; a fresh checksum. The records stay as they are.
 */
export function patchForProduce(
  batch: RecordBatch,
  producer: BatchProducer,
  sequence: number = sequenceOf(batch.baseOffset),
): void {
  const { bytes } = batch;
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(-1, 12);
  bytes.writeBigInt64BE(producer.producerId, 43);
  bytes.writeInt16BE(producer.producerEpoch, 51);
  bytes.writeInt32BE(sequence, 53);
  bytes.writeUInt32BE(crc32c(bytes.subarray(crcFrom)), 17);
}

/**
 * What a marker says; undefined when the control batch is none.
 *
 *     record: length varint | attributes i8 | timestamp delta varint | offset delta varint | key length varint
 *       | key: version i16, type i16 (0 = ABORT, 1 = COMMIT) | value …
 *
 * Source: Kafka documentation, "Message Format / Control Batches".
 */
export function markerOutcome(batch: RecordBatch): 'commit' | 'abort' | undefined {
  const { bytes } = batch;
  if (!batch.control || batch.recordCount !== 1) return undefined;
  let at = skipVarint(bytes, headerBytes) + 1;
  for (let field = 0; field < 3; field++) at = skipVarint(bytes, at);
  if (at + 4 > bytes.length) return undefined;
  const type = bytes.readInt16BE(at + 2);
  return type === 1 ? 'commit' : type === 0 ? 'abort' : undefined;
}

function skipVarint(bytes: Buffer, from: number): number {
  let at = from;
  while ((bytes[at] ?? 0) >= 0x80) at++;
  return at + 1;
}
