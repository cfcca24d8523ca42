import { expect, test } from 'vitest';
import type { CheckpointManifest, ReplicaFile } from '../../../../domain/checkpoint.ts';
import { withCopies } from '../../../../replication/checkpoints/mend.ts';

const checksum = (sha256: string) => ({ sha256, sizeBytes: 3 });
const file: ReplicaFile = { key: 'a', sizeBytes: 3, sizeRule: 'exact', etag: 'one', checksum: checksum('x') };
const manifestOf = (changes: Partial<ReplicaFile>) =>
  ({ files: [{ ...file, ...changes }] }) as unknown as CheckpointManifest;

test.each([
  ['the same ETag', {}, { etag: 'one', checksum: checksum('x') }, 'one'],
  ['another ETag of the same bytes', {}, { etag: 'two', checksum: checksum('x') }, 'two'],
  ['other bytes', {}, { etag: 'two', checksum: checksum('y') }, 'one'],
  ['a copy that the store made by itself', {}, { etag: 'two' }, 'two'],
  ['nothing known of the first copy', { checksum: undefined }, { etag: 'two', checksum: checksum('y') }, 'two'],
  ['a file that grows', { sizeRule: 'atLeast' as const }, { etag: 'two', checksum: checksum('x') }, 'one'],
])('a file that was copied again, %s', (_, changes, copy, etag) => {
  const manifest = manifestOf(changes);
  const known = new Map([['a', { sizeBytes: 3, ...copy }]]);
  const after = withCopies(manifest, new Set(['a']), known);
  expect(after.files.map((f) => f.etag)).toEqual([etag]);
  expect(after === manifest).toBe(etag === 'one');
  expect(withCopies(manifest, new Set(), known)).toBe(manifest);
});
