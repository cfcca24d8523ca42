import { crc32c } from '@node-rs/crc32';

/** What becomes one Kafka record. */
export interface PlainRecord {
  readonly key: string;
  readonly value: string;
}

const headerBytes = 61;

/**
 * One uncompressed record batch, magic 2, without producer id, all records with one timestamp.
 * Format: https://kafka.apache.org/documentation/#recordbatch
 *
 *   baseOffset i64 · batchLength i32 · leaderEpoch i32 · magic i8 · crc u32 · attributes i16 · lastOffsetDelta i32 ·
 *   baseTimestamp i64 · maxTimestamp i64 · producerId i64 · producerEpoch i16 · baseSequence i32 · count i32 · records
 */
export function encodeRecordBatch(records: readonly PlainRecord[], timestampMs: number): Buffer {
  const bytes = Buffer.allocUnsafe(
    records.reduce((sum, r) => sum + 3 * (r.key.length + r.value.length) + 32, headerBytes),
  );
  let at = headerBytes;
  records.forEach((record, i) => {
    const keyLength = Buffer.byteLength(record.key);
    const valueLength = Buffer.byteLength(record.value);
    // attributes and timestamp delta are 0 (one byte each), and so is the count of headers
    const body = 3 + varintBytes(i) + varintBytes(keyLength) + keyLength + varintBytes(valueLength) + valueLength;
    at = writeVarint(bytes, body, at);
    at = bytes.writeUInt8(0, at);
    at = bytes.writeUInt8(0, at);
    at = writeVarint(bytes, i, at);
    at = writeVarint(bytes, keyLength, at);
    at += bytes.write(record.key, at);
    at = writeVarint(bytes, valueLength, at);
    at += bytes.write(record.value, at);
    at = bytes.writeUInt8(0, at);
  });
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(at - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(0, 21);
  bytes.writeInt32BE(records.length - 1, 23);
  bytes.writeBigInt64BE(BigInt(timestampMs), 27);
  bytes.writeBigInt64BE(BigInt(timestampMs), 35);
  bytes.writeBigInt64BE(-1n, 43);
  bytes.writeInt16BE(-1, 51);
  bytes.writeInt32BE(-1, 53);
  bytes.writeInt32BE(records.length, 57);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21, at)), 17);
  return bytes.subarray(0, at);
}

/** Zigzag of a number from 0 is its double; 7 bits a byte, the lowest first. */
function writeVarint(bytes: Buffer, value: number, at: number): number {
  let rest = value * 2;
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value * 2; rest > 127; rest >>>= 7) bytes++;
  return bytes;
}
