import { crc32c } from '@node-rs/crc32';

export interface BatchFields {
  readonly baseOffset?: bigint;
  readonly lastOffsetDelta?: number;
  readonly recordCount?: number;
  readonly attributes?: number;
  readonly baseTimestampMs?: number;
  readonly maxTimestampMs?: number;
  readonly producerId?: bigint;
  readonly payload?: Buffer;
}

/** A record batch as a broker stores it, with a checksum that holds; the records are only filler bytes. */
export function batchBytes(fields: BatchFields = {}): Buffer {
  const payload = fields.payload ?? Buffer.from('records');
  const count = fields.recordCount ?? (fields.lastOffsetDelta ?? 0) + 1;
  const b = Buffer.alloc(61 + payload.length);
  b.writeBigInt64BE(fields.baseOffset ?? 0n, 0);
  b.writeInt32BE(b.length - 12, 8);
  b.writeInt32BE(7, 12);
  b.writeInt8(2, 16);
  b.writeInt16BE(fields.attributes ?? 0, 21);
  b.writeInt32BE(fields.lastOffsetDelta ?? count - 1, 23);
  b.writeBigInt64BE(BigInt(fields.baseTimestampMs ?? 1_000), 27);
  b.writeBigInt64BE(BigInt(fields.maxTimestampMs ?? 2_000), 35);
  b.writeBigInt64BE(fields.producerId ?? -1n, 43);
  b.writeInt16BE(-1, 51);
  b.writeInt32BE(-1, 53);
  b.writeInt32BE(count, 57);
  payload.copy(b, 61);
  b.writeUInt32BE(crc32c(b.subarray(21)), 17);
  return b;
}
