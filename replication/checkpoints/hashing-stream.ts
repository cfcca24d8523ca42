import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import type { FileChecksum } from '../../domain/checkpoint.ts';

/**
 * A stream that gives what `from` gives, and knows the checksum when all of it has passed. Destroying it destroys
 * `from`. `passed` is told the size of each piece.
 */
export function hashingStream(
  from: Readable,
  passed?: (bytes: number) => void,
): { readonly stream: Readable; checksum(): FileChecksum } {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      passed?.(chunk.length);
      done(null, chunk);
    },
  });
  // An error of either is the other's too; who reads the stream sees it.
  pipeline(from, stream, () => undefined);
  return { stream, checksum: () => ({ sha256: hash.digest('hex'), sizeBytes }) };
}

/** The checksum of a file that is held in memory. */
export function checksumOf(bytes: Uint8Array): FileChecksum {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
}
