import { ArgusError } from '../../domain/errors.ts';

/**
 * Kafka's primitive types, as requests and responses hold them.
 * Source: Kafka protocol guide, "Protocol Primitive Types"; flexible versions: KIP-482.
 */

/** The error of every decoder here: bytes that are not what the protocol says. */
export function malformed(what: string): ArgusError {
  return new ArgusError('KafkaMalformed', `Kafka sent bytes that cannot be read: ${what}`, {
    hint: 'check that the address belongs to a Kafka broker and that nothing on the way alters its traffic',
  });
}

/** Builds a request body. Large byte fields are kept as they are, without a copy. */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(256);
  #start = 0;
  #end = 0;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  int8(value: number): this {
    this.#reserve(1);
    this.#end = this.#buffer.writeInt8(value, this.#end);
    return this;
  }

  int16(value: number): this {
    this.#reserve(2);
    this.#end = this.#buffer.writeInt16BE(value, this.#end);
    return this;
  }

  int32(value: number): this {
    this.#reserve(4);
    this.#end = this.#buffer.writeInt32BE(value, this.#end);
    return this;
  }

  int64(value: bigint): this {
    this.#reserve(8);
    this.#end = this.#buffer.writeBigInt64BE(value, this.#end);
    return this;
  }

  /** Unsigned variable-length integer, 7 bits a byte, lowest first. */
  uvarint(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.#byte(rest);
  }

  /** A string with a 2-byte length; null is length -1. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length).#reserve(length);
    this.#end += this.#buffer.write(value, this.#end);
    return this;
  }

  /** A string of the flexible versions: its length plus one as a variable-length integer. */
  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    this.uvarint(length + 1).#reserve(length);
    this.#end += this.#buffer.write(value, this.#end);
    return this;
  }

  /** An array with a 4-byte length. */
  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** Bytes with a 4-byte length; the buffer is kept, not copied, and must not change until it is sent. */
  bytes(value: Buffer): this {
    this.int32(value.length);
    this.#flush();
    this.#chunks.push(value);
    this.#length += value.length;
    return this;
  }

  /** The parts in order; their lengths add up to `length`. */
  finish(): { readonly chunks: readonly Buffer[]; readonly length: number } {
    this.#flush();
    return { chunks: this.#chunks, length: this.#length };
  }

  #byte(value: number): this {
    this.#reserve(1);
    this.#end = this.#buffer.writeUInt8(value, this.#end);
    return this;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const pending = this.#buffer.subarray(this.#start, this.#end);
    const next = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, pending.length + bytes));
    pending.copy(next);
    this.#buffer = next;
    this.#end = pending.length;
    this.#start = 0;
  }

  #flush(): void {
    if (this.#end === this.#start) return;
    const part = this.#buffer.subarray(this.#start, this.#end);
    this.#chunks.push(part);
    this.#length += part.length;
    this.#start = this.#end;
  }
}

/** Reads a response body. Every read past the end is `KafkaMalformed`. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#take(1));
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
    }
    throw malformed('a variable-length integer of more than five bytes');
  }

  nullableString(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    const from = this.#take(length);
    return this.#bytes.toString('utf8', from, from + length);
  }

  string(): string {
    const value = this.nullableString();
    if (value === null) throw malformed('a string is null where none may be');
    return value;
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1;
    if (length < 0) return null;
    const from = this.#take(length);
    return this.#bytes.toString('utf8', from, from + length);
  }

  /** A view of the response's own bytes; empty when null. */
  bytes(): Buffer {
    const length = this.int32();
    if (length < 0) return this.#bytes.subarray(0, 0);
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** A null array reads as an empty one. */
  array<T>(read: () => T): T[] {
    return this.#items(this.int32(), read);
  }

  compactArray<T>(read: () => T): T[] {
    return this.#items(this.uvarint() - 1, read);
  }

  /** Skips the tagged fields of the flexible versions (KIP-482). */
  tags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.#take(this.uvarint());
    }
  }

  #items<T>(count: number, read: () => T): T[] {
    // Each entry takes at least one byte: a larger count is a lie that must not make us allocate.
    if (count > this.remaining) throw malformed(`an array of ${count} entries in ${this.remaining} bytes`);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  #take(bytes: number): number {
    const from = this.#at;
    if (bytes < 0 || from + bytes > this.#bytes.length) {
      throw malformed(`${bytes} bytes wanted at ${from}, the message has ${this.#bytes.length}`);
    }
    this.#at = from + bytes;
    return from;
  }
}
