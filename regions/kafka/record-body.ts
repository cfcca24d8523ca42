import { malformed } from './wire.ts';

/** What a producer gave a record, beside its timestamp. Null: there is none. */
export interface RecordBody {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** One header: names may come again, their order is kept. */
export interface RecordHeader {
  readonly name: Buffer;
  readonly value: Buffer | null;
}

/**
 * Decodes the body of a record of version 2, as `decodeRecords` gives it. Views of the given bytes; `KafkaMalformed`
 * when they are not what they say.
 *
 *     key length, -1 = null | key | value length, -1 = null | value | headers: count { name length | name | value length | value }
 *
 * Integers are zigzag varints. Source: Kafka documentation, "Message Format / Record".
 */
export function decodeBody(body: Buffer): RecordBody {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = body[at++];
      if (byte === undefined) throw malformed('a record body that is cut');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw malformed('a variable-length integer of more than five bytes');
  };
  const bytes = (): Buffer | null => {
    const length = varint();
    if (length < 0) return null;
    if (at + length > body.length) throw malformed('a record body that is cut');
    at += length;
    return body.subarray(at - length, at);
  };
  const key = bytes();
  const value = bytes();
  const count = varint();
  if (count < 0 || count > body.length) throw malformed(`a record with ${count} headers`);
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    const name = bytes();
    if (name === null) throw malformed('a record header without a name');
    headers.push({ name, value: bytes() });
  }
  if (at !== body.length) throw malformed('a record body that is longer than it says');
  return { key, value, headers };
}

/** The bytes of a record's body; the inverse of `decodeBody`. */
export function encodeBody({ key, value, headers }: RecordBody): Buffer {
  const parts: Buffer[] = [];
  const bytes = (part: Buffer | null) => {
    parts.push(varint(part === null ? -1 : part.length));
    if (part !== null) parts.push(part);
  };
  bytes(key);
  bytes(value);
  parts.push(varint(headers.length));
  for (const header of headers) {
    bytes(header.name);
    bytes(header.value);
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
