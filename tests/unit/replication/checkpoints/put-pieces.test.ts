import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { putPieces } from '../../../../replication/checkpoints/put-pieces.ts';

test.each([
  ['a small object in one piece', [3, 0, 5], 8],
  ['a large one as a stream', [1 << 20, 7, 1 << 18], (1 << 20) + 7 + (1 << 18)],
  ['an empty one', [], 0],
])('writes %s, and tells its size and checksum', async (_, lengths, sizeBytes) => {
  const store = memoryObjectStore('standby');
  const pieces = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
  const bytes = Buffer.concat(pieces);
  expect(await putPieces(store, 'k', pieces, {})).toEqual({
    sizeBytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
  expect(Buffer.from((await store.get('k'))?.body ?? []).equals(bytes)).toBe(true);
});
