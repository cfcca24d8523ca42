import { crc32c } from '@node-rs/crc32';
import { codecBits, codecOf, pack, unpack } from './compression.ts';
import { type BatchProducer, checksumHolds, type RecordBatch } from './record-batch.ts';

/**
 * Placeholders: records that only take offsets. Each has the key 0x00 (a compacted topic takes no record without one),
 * no value, no timestamp (-1, which no time limit refuses) and no headers; a batch of them is compressed: with zstd where
 * nobody reads it, with gzip where readers may come across it, since every client library has that. A few aren't.
 *
 *     record: length varint | attributes i8 (0) | timestamp delta varint (0) | offset delta varint | key length varint (1)
 *       | key (0x00) | value length varint (-1) | headers varint (0)
 *
 * Source: Kafka documentation, "Message Format / Record"; zigzag as in Protocol Buffers.
 */
export interface FillerRecords {
  readonly count: number;
  readonly codec: FillerCodec;
  /** As the codec has it. */
  readonly bytes: Buffer;
}

export type FillerCodec = 'zstd' | 'gzip' | 'none';

const fillerCodecs: readonly FillerCodec[] = ['zstd', 'gzip', 'none'];

/** What a broker with a small heap still takes in one batch; it costs 0.8 bytes a record. */
export const maxFillerRecords = 1_000_000;

const headerBytes = 61;
const transactionalBit = 0x10;
const controlBit = 0x20;
const noTimestamp = -1;
/** Key length 1, the key, value length -1, no headers; as zigzag. */
const recordTail = Buffer.from([2, 0, 1, 0]);
/** With an offset delta of five bytes, the largest. */
const maxRecordBytes = 12;

/** The packed records of a placeholder batch; worth keeping, since each batch of the same size has the same. */
export function fillerRecords(count: number, codec: FillerCodec = 'zstd'): FillerRecords {
  if (!Number.isInteger(count) || count < 1 || count > maxFillerRecords) {
    throw new RangeError(`a placeholder batch holds 1 to ${maxFillerRecords} records, not ${count}`);
  }
  const raw = Buffer.allocUnsafe(count * maxRecordBytes);
  let at = 0;
  for (let delta = 0; delta < count; delta++) {
    const lengthAt = at++;
    raw[at++] = 0;
    raw[at++] = 0;
    at = writeVarint(raw, at, delta * 2);
    at += recordTail.copy(raw, at);
    raw[lengthAt] = (at - lengthAt - 1) * 2;
  }
  const used = raw.subarray(0, at);
  return { count, codec, bytes: pack(codec, used) };
}

/** One batch, ready to be produced. */
export function fillerBatch(
  records: FillerRecords,
  { producer, baseSequence, transactional = false }: FillerPlace,
): Buffer {
  const bytes = Buffer.alloc(headerBytes + records.bytes.length);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(codecBits(records.codec) | (transactional ? transactionalBit : 0), 21);
  bytes.writeInt32BE(records.count - 1, 23);
  bytes.writeBigInt64BE(BigInt(noTimestamp), 27);
  bytes.writeBigInt64BE(BigInt(noTimestamp), 35);
  bytes.writeBigInt64BE(producer.producerId, 43);
  bytes.writeInt16BE(producer.producerEpoch, 51);
  bytes.writeInt32BE(baseSequence, 53);
  bytes.writeInt32BE(records.count, 57);
  records.bytes.copy(bytes, headerBytes);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

/** Whose batch it is, and where in its producer's sequence it stands. */
export interface FillerPlace {
  readonly producer: BatchProducer;
  readonly baseSequence: number;
  /** Inside a transaction of that producer. */
  readonly transactional?: boolean;
}

/** Whether a batch's header could be that of placeholders; cheap, and enough only to say no. */
export function mayBeFiller(batch: RecordBatch): boolean {
  const attributes = batch.bytes.readInt16BE(21);
  return (
    fillerCodecs.some((codec) => codecBits(codec) === (attributes & 7)) &&
    (attributes & controlBit) === 0 &&
    batch.producerId >= 0n &&
    batch.firstTimestampMs === noTimestamp &&
    batch.maxTimestampMs === noTimestamp
  );
}

/** Whether every record of a whole batch is a placeholder; also of one that compaction took some from. */
export function isFiller(batch: RecordBatch): boolean {
  if (!mayBeFiller(batch) || !checksumHolds(batch.bytes) || batch.recordCount === 0) return false;
  let raw: Buffer;
  try {
    const codec = codecOf(batch.bytes.readInt16BE(21));
    raw = unpack(codec, batch.bytes.subarray(headerBytes), batch.recordCount * maxRecordBytes);
  } catch {
    return false; // Longer than placeholders can be, or not compressed at all.
  }
  let at = 0;
  for (let i = 0; i < batch.recordCount; i++) {
    const length = raw[at] ?? 0;
    const end = at + 1 + length / 2;
    const tailAt = end - recordTail.length;
    if (length % 2 === 1 || end > raw.length || tailAt < at + 4 || raw[at + 1] !== 0 || raw[at + 2] !== 0) return false;
    if (recordTail.compare(raw, tailAt, end) !== 0) return false;
    at = end;
  }
  return at === raw.length;
}

function writeVarint(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    bytes[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[next++] = rest;
  return next;
}
