import { malformed } from './wire.ts';

/**
 * Snappy as Kafka's clients write it: blocks of raw Snappy behind a header of snappy-java (xerial), or one raw block.
 *
 *     xerial: 0x82 "SNAPPY" 0x00 | version i32 | compatible i32 | { size i32 | raw block }…       (big-endian)
 *     raw block: uncompressed length uvarint | elements: tag byte, its low two bits 0 = literal, 1-3 = copy of earlier
 *     output with an offset of 11, 16 or 32 bits                                                  (little-endian)
 *
 * Source: google/snappy, format_description.txt; xerial/snappy-java, SnappyOutputStream. Only the library's own
 * decoders could be had, and they bound no output.
 */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeaderBytes = 16;

/** The uncompressed bytes. `KafkaMalformed` when they are no Snappy, or would be more than `limit` bytes. */
export function unpackSnappy(bytes: Buffer, limit: number): Buffer {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return unpackBlock(bytes, limit);
  const blocks: Buffer[] = [];
  let left = limit;
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    const size = at + 4 <= bytes.length ? bytes.readInt32BE(at) : -1;
    at += 4;
    if (size <= 0 || at + size > bytes.length) throw malformed('a Snappy block that is cut');
    const block = unpackBlock(bytes.subarray(at, at + size), left);
    left -= block.length;
    blocks.push(block);
    at += size;
  }
  return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks);
}

function unpackBlock(bytes: Buffer, limit: number): Buffer {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined || shift > 28) throw malformed('a Snappy block without its length');
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  // No element makes more than 64 bytes of output out of two of input.
  if (length > limit || length > bytes.length * 64) throw malformed(`a Snappy block of ${length} bytes`);
  const out = Buffer.allocUnsafe(length);
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      let size = tag >>> 2;
      if (size >= 60) {
        const extra = size - 59;
        if (at + extra > bytes.length) throw malformed('a Snappy literal that is cut');
        size = bytes.readUIntLE(at, extra);
        at += extra;
      }
      size++;
      if (at + size > bytes.length || to + size > length) throw malformed('a Snappy literal that is too long');
      bytes.copy(out, to, at, at + size);
      at += size;
      to += size;
      continue;
    }
    const extra = kind === 3 ? 4 : kind;
    if (at + extra > bytes.length) throw malformed('a Snappy copy that is cut');
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const back = kind === 1 ? ((tag >>> 5) << 8) | (bytes[at] as number) : bytes.readUIntLE(at, extra);
    at += extra;
    if (back === 0 || back > to || to + size > length) throw malformed('a Snappy copy of what is not there');
    to = copyBack(out, to, back, size);
  }
  if (to !== length) throw malformed(`a Snappy block of ${length} bytes with ${to}`);
  return out;
}

/** Repeats `size` bytes from `back` bytes before `to`, which may overlap with what is written. Gives the new end. */
export function copyBack(out: Buffer, to: number, back: number, size: number): number {
  if (back >= size) out.copyWithin(to, to - back, to - back + size);
  else for (let i = to; i < to + size; i++) out[i] = out[i - back] as number;
  return to + size;
}
