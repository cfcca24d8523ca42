import { crc32c } from '@node-rs/crc32';
import { codecBits, codecOf, type PackCodec, pack, unpack } from './compression.ts';
import { type RecordBatch, readBatch } from './record-batch.ts';
import { malformed } from './wire.ts';

/**
 * The records of a batch, version 2. Integers are zigzag varints except where told.
 *
 *     length | attributes i8 | timestamp delta | offset delta
 *       | key length, -1 = null | key | value length, -1 = null | value | headers: count { name length | name | value length | value }
 *
 * The deltas are to the batch's base timestamp and base offset. With a delete horizon (attributes, bit 6) the base
 * timestamp is that horizon. In a batch that the broker stamped (bit 3) each record has the batch's max timestamp.
 * Source: Kafka documentation, "Message Format / Record".
 */
export interface KafkaRecord {
  readonly offset: bigint;
  readonly timestampMs: bigint;
  readonly attributes: number;
  /** Key, value and headers, as encoded. */
  readonly body: Buffer;
}

const headerBytes = 61;
const timestampTypeBit = 0x08;
const transactionalBit = 0x10;
/** A record's smallest size: length, attributes, two deltas, key, value, number of headers. */
const smallestRecord = 7;

/** More than this a batch may not unpack to. Producers fill batches of a few MiB; brokers have unpacked them before. */
export const maxUnpackedBytes = 64 * 1024 * 1024;

/**
 * The records of a whole batch, in order; of a compacted one those that are left. Views of `batch.bytes` where that is
 * not compressed. `KafkaMalformed` when they are not what the batch's header says, or unpack to more than `limit` bytes.
 */
export function decodeRecords(batch: RecordBatch, limit = maxUnpackedBytes): KafkaRecord[] {
  const { bytes, baseOffset, lastOffset, recordCount } = batch;
  if (recordCount === 0) return [];
  const attributes = bytes.readInt16BE(21);
  const base = bytes.readBigInt64BE(27);
  const stamped = (attributes & timestampTypeBit) !== 0 ? bytes.readBigInt64BE(35) : undefined;
  const raw = unpack(codecOf(attributes), bytes.subarray(headerBytes), limit);
  if (recordCount > raw.length / smallestRecord) throw malformed(`${recordCount} records in ${raw.length} bytes`);
  const reader = new VarintReader(raw);
  const records: KafkaRecord[] = [];
  let previous = baseOffset - 1n;
  for (let i = 0; i < recordCount; i++) {
    const length = reader.number();
    const end = reader.at + length;
    if (length < smallestRecord - 1 || end > raw.length) throw malformed(`a record of ${length} bytes`);
    const recordAttributes = raw[reader.at++] as number;
    const timestampMs = BigInt.asIntN(64, base + reader.long());
    const offset = baseOffset + BigInt(reader.number());
    // Records in another order would be given other offsets by the broker.
    if (offset <= previous || offset > lastOffset) throw malformed(`a record at ${offset} behind ${previous}`);
    previous = offset;
    checkBody(reader, end);
    const body = raw.subarray(reader.bodyAt, end);
    records.push({ offset, timestampMs: stamped ?? timestampMs, attributes: recordAttributes, body });
  }
  if (reader.at !== raw.length) throw malformed(`${raw.length - reader.at} bytes behind the last record`);
  return records;
}

function checkBody(reader: VarintReader, end: number): void {
  reader.bodyAt = reader.at;
  reader.skip(reader.number());
  reader.skip(reader.number());
  const headers = reader.number();
  if (headers < 0) throw malformed(`a record with ${headers} headers`);
  for (let i = 0; i < headers && reader.at < end; i++) {
    reader.skip(reader.number());
    reader.skip(reader.number());
  }
  if (reader.at !== end) throw malformed('a record that is longer or shorter than it says');
}

class VarintReader {
  readonly #bytes: Buffer;
  at = 0;
  bodyAt = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** A zigzag varint of 32 bits. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw malformed('a variable-length integer of more than five bytes');
  }

  /** A zigzag varint of 64 bits. */
  long(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt((low >>> 1) ^ -(low & 1));
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (BigInt.asUintN(64, value) >> 1n) ^ -(value & 1n));
    }
    throw malformed('a variable-length integer of more than ten bytes');
  }

  /** Passes over as many bytes; a negative number stands for null. */
  skip(length: number): void {
    if (length > 0) this.at += length;
    if (this.at > this.#bytes.length) throw malformed('a record that is cut');
  }

  #byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw malformed('a record that is cut');
    return byte;
  }
}

/** What a batch is beside its records. */
export interface BatchTraits {
  /** Records of less than a hundred bytes stay uncompressed in any case, and so does what would become larger. */
  readonly codec: PackCodec;
  /** The broker stamped the records: all have the same timestamp. */
  readonly stampedByBroker: boolean;
  readonly transactional: boolean;
  readonly producerId: bigint;
}

/** What smaller records don't pay for. */
const worthPacking = 100;

/**
 * A batch of records whose offsets follow each other; `RangeError` when they don't, or there is none. Producer epoch
 * and sequence are unset: `patchForProduce` gives them.
 */
export function encodeBatch(records: readonly KafkaRecord[], traits: BatchTraits): RecordBatch {
  const [first] = records;
  if (!first) throw new RangeError('a batch needs a record');
  const base = first.timestampMs;
  const raw = Buffer.allocUnsafe(records.reduce((sum, r) => sum + r.body.length + maxRecordHead, 0));
  let maxTimestamp = base;
  let at = 0;
  for (const [i, { offset, timestampMs, attributes, body }] of records.entries()) {
    if (offset !== first.offset + BigInt(i))
      throw new RangeError(`a record at ${offset} in the batch of ${first.offset}`);
    if (timestampMs > maxTimestamp) maxTimestamp = timestampMs;
    // The length comes first, but is known last.
    head[0] = attributes;
    let headEnd = writeLong(head, 1, BigInt.asIntN(64, timestampMs - base));
    headEnd = writeLong(head, headEnd, BigInt(i));
    at = writeLong(raw, at, BigInt(headEnd + body.length));
    at += head.copy(raw, at, 0, headEnd);
    at += body.copy(raw, at);
  }
  const plain = raw.subarray(0, at);
  const packed = traits.codec === 'none' || at < worthPacking ? plain : pack(traits.codec, plain);
  const [payload, codec] = packed.length < at ? [packed, traits.codec] : [plain, 'none' as const];
  const bits =
    codecBits(codec) | (traits.stampedByBroker ? timestampTypeBit : 0) | (traits.transactional ? transactionalBit : 0);
  const bytes = Buffer.allocUnsafe(headerBytes + payload.length);
  bytes.writeBigInt64BE(first.offset, 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(bits, 21);
  bytes.writeInt32BE(records.length - 1, 23);
  bytes.writeBigInt64BE(base, 27);
  bytes.writeBigInt64BE(maxTimestamp, 35);
  bytes.writeBigInt64BE(traits.producerId, 43);
  bytes.writeInt16BE(-1, 51);
  bytes.writeInt32BE(-1, 53);
  bytes.writeInt32BE(records.length, 57);
  payload.copy(bytes, headerBytes);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return readBatch(bytes);
}

/** Length, attributes, timestamp delta and offset delta at their longest. */
const maxRecordHead = 5 + 1 + 10 + 5;
const head = Buffer.alloc(maxRecordHead);

/** Appends a zigzag varint; gives where it ends. */
function writeLong(bytes: Buffer, at: number, value: bigint): number {
  let next = at;
  if (value >= -0x3fff_ffffn && value <= 0x3fff_ffffn) {
    const small = Number(value);
    let rest = ((small << 1) ^ (small >> 31)) >>> 0;
    for (; rest >= 0x80; rest >>>= 7) bytes[next++] = (rest & 0x7f) | 0x80;
    bytes[next++] = rest;
    return next;
  }
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest >= 0x80n; rest >>= 7n) bytes[next++] = Number(rest & 0x7fn) | 0x80;
  bytes[next++] = Number(rest);
  return next;
}
