import { createHash, hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FileChecksum } from '../../domain/checkpoint.ts';

/** Takes the checksum of what somebody else reads from the stream; to be asked when all was read. */
export function checksumOfPassing(stream: Readable, passed: (bytes: number) => void): () => FileChecksum {
  const sum = createHash('sha256');
  let sizeBytes = 0;
  stream.on('data', (chunk: Buffer) => {
    sum.update(chunk);
    sizeBytes += chunk.length;
    passed(chunk.length);
  });
  // To listen must not make it flow before its reader is there.
  stream.pause();
  return () => ({ sha256: sum.digest('hex'), sizeBytes });
}

/** The checksum of a file that is held in memory. */
export function checksumOf(bytes: Uint8Array): FileChecksum {
  return { sha256: hash('sha256', bytes), sizeBytes: bytes.length };
}
