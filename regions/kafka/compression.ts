import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { unpackLz4 } from './lz4.ts';
import { unpackSnappy } from './snappy.ts';
import { malformed } from './wire.ts';

/** By the number that a batch's attributes have for it. */
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof codecs)[number];

/** The codec that a batch's attributes name; `KafkaMalformed` for a number without one. */
export function codecOf(attributes: number): Codec {
  const codec = codecs[attributes & 7];
  if (!codec) throw malformed(`a batch with the unknown codec ${attributes & 7}`);
  return codec;
}

/** The bits of a batch's attributes for a codec. */
export function codecBits(codec: Codec): number {
  return codecs.indexOf(codec);
}

/**
 * What a batch's compressed records are without compression; with `none` a view of the same bytes. `KafkaMalformed`
 * when they can't be read, or are more than `limit` bytes.
 */
export function unpack(codec: Codec, bytes: Buffer, limit: number): Buffer {
  if (bytes.length === 0) throw malformed('a batch without bytes for its records');
  switch (codec) {
    case 'none':
      return bytes;
    case 'snappy':
      return unpackSnappy(bytes, limit);
    case 'lz4':
      return unpackLz4(bytes, limit);
    case 'gzip':
    case 'zstd':
      try {
        if (codec === 'gzip') return gunzipSync(bytes, { maxOutputLength: limit });
        return zstdDecompressSync(bytes, {
          maxOutputLength: limit,
          params: { [constants.ZSTD_d_windowLogMax]: 27 },
        });
      } catch (error) {
        throw malformed(`records that are no ${codec}: ${(error as Error).message}`);
      }
  }
}

/** Codecs that Node can write. */
export type PackCodec = Exclude<Codec, 'snappy' | 'lz4'>;

/** Compresses a batch's records. */
export function pack(codec: PackCodec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes);
    case 'zstd':
      return zstdCompressSync(bytes);
  }
}
