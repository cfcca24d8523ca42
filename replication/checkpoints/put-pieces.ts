import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';

/** Up to this size the pieces are joined, so that their upload can be tried again. */
const JOINED_BYTES = 1 << 20;

/** Writes an object that is held in pieces; a large one is streamed, so that it is not in memory twice. */
export async function putPieces(
  store: ObjectStore,
  key: string,
  pieces: readonly Uint8Array[],
  options: CallOptions,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for (const piece of pieces) {
    hash.update(piece);
    sizeBytes += piece.length;
  }
  const sha256 = hash.digest('hex');
  if (sizeBytes <= JOINED_BYTES) await store.put(key, Buffer.concat(pieces), { ...options, sha256 });
  else await store.put(key, { stream: Readable.from(pieces, { objectMode: false }), sizeBytes }, options);
  return { sizeBytes, sha256 };
}
