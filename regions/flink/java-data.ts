import { ArgusError } from '../../domain/errors.ts';

/** The one error of every decoder of Flink's files: what is wrong, and at which byte. */
export function metadataInvalid(problem: string, position: number, cause?: unknown): ArgusError {
  return new ArgusError('CheckpointMetadataInvalid', `${problem} (at byte ${position})`, {
    hint: 'The file is damaged or was written by a Flink that Argus does not know; an older checkpoint may be usable.',
    ...(cause === undefined ? {} : { cause }),
  });
}

const LARGEST_SIZE = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Reads what Java's `DataOutputStream` wrote: big endian, strings in modified UTF-8. Every read is checked against the
 * end; a count is refused when that many elements can't fit in the bytes that are left, so that memory stays bounded
 * by the input's size. Positions in errors count from the start of the file (`base` for a nested block).
 */
export class DataReader {
  readonly #bytes: Uint8Array;
  /** The same bytes: only a Buffer makes strings of them without a view for each. */
  readonly #buffer: Buffer;
  readonly #view: DataView;
  readonly #base: number;
  #position = 0;

  constructor(bytes: Uint8Array, base = 0) {
    // A plain array also when a Buffer is given, whose slices would be Buffers.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
  }

  /** From the start of the file. */
  get position(): number {
    return this.#base + this.#position;
  }

  get left(): number {
    return this.#bytes.length - this.#position;
  }

  fail(problem: string, at = this.position): never {
    throw metadataInvalid(problem, at);
  }

  #take(count: number): number {
    if (count < 0) this.fail(`a negative length, ${count}`);
    if (count > this.left) this.fail(`${count} bytes are needed, ${this.left} are left`);
    const at = this.#position;
    this.#position += count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  /** An i64 that stands for a length or a position: never negative, exact as a JavaScript number. */
  size(): bigint {
    const value = this.i64();
    if (value < 0n || value > LARGEST_SIZE) this.fail(`an impossible size, ${value}`, this.position - 8);
    return value;
  }

  /** A flag that Flink writes as 0 or 1 in a byte or in four. */
  flag(width: 1 | 4): boolean {
    const value = width === 1 ? this.u8() : this.i32();
    if (value !== 0 && value !== 1) this.fail(`a flag of ${value}`, this.position - width);
    return value === 1;
  }

  /** A view of the next bytes, not a copy. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** Bytes behind an i32 length. */
  block(): Uint8Array {
    return this.bytes(this.i32());
  }

  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  /** Reads a block that was taken from this reader just now; positions still count from the start of the file. */
  nested(block: Uint8Array): DataReader {
    return new DataReader(block, this.position - block.length);
  }

  /** An i32 count of elements that take at least `leastBytes` each. */
  count(leastBytes: number): number {
    const count = this.i32();
    if (count < 0 || count * leastBytes > this.left) this.fail(`an impossible count, ${count}`, this.position - 4);
    return count;
  }

  list<T>(leastBytes: number, read: () => T): T[] {
    const items: T[] = [];
    for (let n = this.count(leastBytes); n > 0; n--) items.push(read());
    return items;
  }

  /** A string as `DataOutput.writeUTF` encodes it; what that would never write is refused. */
  utf(): string {
    const length = this.u16();
    const start = this.position;
    const at = this.#take(length);
    // Nearly every string is ASCII. Built unit by unit, a string of V8 takes some 30 bytes a character.
    if (isAscii(this.#bytes, at, at + length)) return this.#buffer.toString('latin1', at, at + length);
    const bytes = this.#bytes.subarray(at, at + length);
    let text = '';
    for (let i = 0; i < bytes.length; ) {
      const lead = bytes[i] ?? 0;
      const width = lead < 0x80 ? 1 : (lead & 0xe0) === 0xc0 ? 2 : (lead & 0xf0) === 0xe0 ? 3 : 0;
      if (width === 0 || i + width > bytes.length) this.fail('a broken string', start + i);
      let code = width === 1 ? lead : width === 2 ? lead & 0x1f : lead & 0x0f;
      for (let k = 1; k < width; k++) {
        const next = bytes[i + k] ?? 0;
        if ((next & 0xc0) !== 0x80) this.fail('a broken string', start + i);
        code = (code << 6) | (next & 0x3f);
      }
      if (width !== utfWidth(code)) this.fail('a string in an encoding that Java does not write', start + i);
      text += String.fromCharCode(code);
      i += width;
    }
    return text;
  }

  /** Asserts that everything was read. */
  end(what: string): void {
    if (this.left > 0) this.fail(`${this.left} bytes too many after ${what}`);
  }
}

/** Whether modified UTF-8 has one byte for each of these: NUL it writes as two. */
function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0 || byte >= 0x80) return false;
  }
  return true;
}

/** Bytes of one UTF-16 unit in modified UTF-8: NUL takes two, each half of a surrogate pair three. */
function utfWidth(code: number): 1 | 2 | 3 {
  return code !== 0 && code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
}

/** Longer bytes are not copied into what is written, but stand in it as they are. */
const COPIED_BYTES = 4_096;
const PIECE_BYTES = 1 << 16;

/**
 * Writes what {@link DataReader} reads. Long bytes are kept by reference and must not change until the result is used:
 * most of a large file is state that is only carried over, and then it is not in memory twice.
 */
export class DataWriter {
  /** What is finished, in order. */
  readonly #pieces: Uint8Array[] = [];
  #buffer: Buffer;
  /** Where in the buffer the next piece begins. */
  #start = 0;
  #length = 0;

  /** `sizeHint`: about how long a short result will be. */
  constructor(sizeHint = 64) {
    this.#buffer = Buffer.allocUnsafeSlow(sizeHint);
  }

  #endPiece(): void {
    if (this.#length > this.#start) this.#pieces.push(this.#buffer.subarray(this.#start, this.#length));
    this.#start = this.#length;
  }

  /** Where the next `count` bytes go; the buffer has room for them. */
  #room(count: number): number {
    if (this.#length + count > this.#buffer.length) {
      this.#endPiece();
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(count, Math.min(this.#buffer.length * 2, PIECE_BYTES)));
      this.#start = 0;
      this.#length = 0;
    }
    const at = this.#length;
    this.#length += count;
    return at;
  }

  raw(bytes: Uint8Array): this {
    if (bytes.length > COPIED_BYTES) {
      this.#endPiece();
      this.#pieces.push(bytes);
    } else {
      const at = this.#room(bytes.length);
      this.#buffer.set(bytes, at);
    }
    return this;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#buffer.writeUInt8(value, at);
    return this;
  }

  i16(value: number): this {
    const at = this.#room(2);
    this.#buffer.writeInt16BE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.#room(4);
    this.#buffer.writeInt32BE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#buffer.writeUInt32BE(value, at);
    return this;
  }

  i64(value: bigint): this {
    const at = this.#room(8);
    this.#buffer.writeBigInt64BE(value, at);
    return this;
  }

  block(bytes: Uint8Array): this {
    return this.i32(bytes.length).raw(bytes);
  }

  utf(text: string): this {
    let length = 0;
    for (let i = 0; i < text.length; i++) length += utfWidth(text.charCodeAt(i));
    if (length > 0xffff) throw metadataInvalid(`a string of ${length} bytes can't be written`, 0);
    let at = this.#room(2 + length);
    const buffer = this.#buffer;
    at = buffer.writeUInt16BE(length, at);
    if (length === text.length) {
      buffer.write(text, at, 'latin1');
      return this;
    }
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      const width = utfWidth(code);
      if (width === 1) buffer[at++] = code;
      else {
        if (width === 2) buffer[at++] = 0xc0 | (code >> 6);
        else {
          buffer[at++] = 0xe0 | (code >> 12);
          buffer[at++] = 0x80 | ((code >> 6) & 0x3f);
        }
        buffer[at++] = 0x80 | (code & 0x3f);
      }
    }
    return this;
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.i32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** What was written, in pieces. Nothing more may be written afterwards. */
  pieces(): readonly Uint8Array[] {
    this.#endPiece();
    return this.#pieces;
  }

  /** What was written, in one piece. Nothing more may be written afterwards. */
  finish(): Buffer {
    return this.#pieces.length === 0 ? this.#buffer.subarray(this.#start, this.#length) : Buffer.concat(this.pieces());
  }
}
