import { copyBack } from './snappy.ts';
import { malformed } from './wire.ts';

/**
 * LZ4 frames, as Kafka's clients write them; little-endian.
 *
 *     magic u32 0x184D2204 | flags u8: version 2 bits, independent blocks, block checksums, content size, content
 *       checksum, -, dictionary | block size u8: bits 4-6: 4 = 64 KiB … 7 = 4 MiB | [content size u64] | [dictionary u32]
 *       | header checksum u8 | { size u32, highest bit: not compressed | block | [checksum u32] }… | 0 u32 | [checksum u32]
 *     block: { token u8: literals, match length − 4 | [more literals] | literals | offset u16 | [more match length] }…
 *
 * The checksums aren't looked at: the record batch has its own over all of it. Source: lz4_Frame_format.md 1.6 and
 * lz4_Block_format.md of lz4/lz4. Only the library's own decoders could be had, and they bound no output.
 */
const magic = 0x184d2204;
const flag = { blockChecksum: 0x10, contentSize: 0x08, dictionary: 0x01 } as const;

/** The uncompressed bytes. `KafkaMalformed` when they are no LZ4 frame, or would be more than `limit` bytes. */
export function unpackLz4(bytes: Buffer, limit: number): Buffer {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== magic) throw malformed('no LZ4 frame');
  const flags = bytes[4] as number;
  const sizeCode = ((bytes[5] as number) >>> 4) & 7;
  if (flags >>> 6 !== 1 || sizeCode < 4 || (flags & flag.dictionary) !== 0) throw malformed('an unknown LZ4 frame');
  const blockBytes = 2 ** (8 + 2 * sizeCode);
  let at = 7 + (flags & flag.contentSize ? 8 : 0);
  let out = Buffer.allocUnsafe(Math.min(limit, blockBytes, bytes.length * 4));
  let to = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw malformed('an LZ4 frame that is cut');
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) return out.subarray(0, to);
    const size = word & 0x7fff_ffff;
    if (size > blockBytes || at + size > bytes.length) throw malformed('an LZ4 block that is cut');
    const most = word >>> 31 ? size : Math.min(blockBytes, size * 255);
    const needed = Math.min(to + most, limit);
    if (needed > out.length) out = Buffer.concat([out.subarray(0, to)], Math.min(limit, Math.max(needed, to * 2)));
    const end = Math.min(out.length, to + blockBytes);
    if (word >>> 31) {
      if (to + size > end) throw malformed(`an LZ4 frame of more than ${limit} bytes`);
      to += bytes.copy(out, to, at, at + size);
    } else to = unpackBlock(bytes, at, at + size, out, to, end);
    at += size + (flags & flag.blockChecksum ? 4 : 0);
  }
}

/** Appends a block's bytes to `out` from `to` on, up to `limit`. Gives the new end. */
function unpackBlock(bytes: Buffer, from: number, end: number, out: Buffer, begin: number, limit: number): number {
  let at = from;
  let to = begin;
  const more = (length: number): number => {
    if (length < 15) return length;
    let sum = length;
    for (;;) {
      if (at >= end) throw malformed('an LZ4 length that is cut');
      const byte = bytes[at++] as number;
      sum += byte;
      if (byte !== 255) return sum;
    }
  };
  while (at < end) {
    const token = bytes[at++] as number;
    const literals = more(token >>> 4);
    if (at + literals > end || to + literals > limit) throw malformed('LZ4 literals that are too long');
    bytes.copy(out, to, at, at + literals);
    at += literals;
    to += literals;
    // The last sequence is literals only.
    if (at === end) break;
    if (at + 2 > end) throw malformed('an LZ4 match that is cut');
    const back = bytes.readUInt16LE(at);
    at += 2;
    const size = more(token & 15) + 4;
    if (back === 0 || back > to || to + size > limit) throw malformed('an LZ4 match of what is not there');
    to = copyBack(out, to, back, size);
  }
  return to;
}
