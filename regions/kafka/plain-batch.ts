import { crc32c } from '@node-rs/crc32';

/** A record without headers, as an ordinary producer sends it. */
export interface PlainRecord {
  readonly timestampMs: number;
  readonly key: Buffer;
  readonly value: Buffer;
}

const headerBytes = 61;

/**
 * One record in an uncompressed batch (version 2) of a producer without id: a repeat would be a second record.
 * Source: Kafka documentation, "Message Format"; lengths and deltas are zigzag varints.
 */
export function plainBatch({ timestampMs, key, value }: PlainRecord): Buffer {
  // Attributes, timestamp delta, offset delta: all 0.
  const body = [Buffer.alloc(3), varint(key.length), key, varint(value.length), value, varint(0)];
  const record = Buffer.concat([varint(body.reduce((n, b) => n + b.length, 0)), ...body]);
  const bytes = Buffer.alloc(headerBytes + record.length);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  bytes.writeBigInt64BE(BigInt(timestampMs), 27);
  bytes.writeBigInt64BE(BigInt(timestampMs), 35);
  bytes.writeBigInt64BE(-1n, 43);
  bytes.writeInt16BE(-1, 51);
  bytes.writeInt32BE(-1, 53);
  bytes.writeInt32BE(1, 57);
  record.copy(bytes, headerBytes);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
