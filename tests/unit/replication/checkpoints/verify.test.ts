import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { decodeManifest, encodeManifest } from '../../../../replication/checkpoints/manifest.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { fileDifference, prefixHashes, verifyCheckpoints } from '../../../../replication/checkpoints/verify.ts';
import { putFullSample } from '../../../support/checkpoint-bucket.ts';

const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const clock = { now: () => 1_000_000, monotonic: () => 0, sleep: async () => {} };

async function replicated() {
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  const target = memoryObjectStore('standby', { uri: 's3://replica' });
  await putFullSample(source);
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
  const { replicated: manifest } = await sync.step();
  if (manifest === undefined) throw new Error('nothing was replicated');
  return { source, target, sync, manifest };
}

const shared = (manifest: CheckpointManifest) => {
  const file = manifest.files.find((f) => f.key.includes('/shared/') && f.sizeBytes > 100);
  if (file === undefined) throw new Error('the sample has no shared file');
  return file;
};

describe('checksums', () => {
  test('are kept of every file while it is copied', async () => {
    const { source, manifest } = await replicated();
    for (const file of manifest.files) {
      const original = await source.get(file.key.replace('argus/replica/counts/files/', ''));
      expect(file.checksum).toEqual({ sha256: hex(original?.body ?? new Uint8Array()), sizeBytes: file.sizeBytes });
    }
  });

  test('of files that an earlier checkpoint brought come from its manifest, also in a new process', async () => {
    const { source, target, manifest } = await replicated();
    const manifestKey = manifest.metadata.key.replace('_metadata', 'manifest.json');
    const folder = manifestKey.slice(0, manifestKey.lastIndexOf('/'));
    // The point itself is to be made anew, beside an older one that knows the checksums.
    const older = { ...manifest, checkpointId: 3, metadata: { ...manifest.metadata } };
    await target.put(`${folder.replace(/4$/, '3')}/manifest.json`, encodeManifest(older));
    await target.delete(manifestKey);
    target.calls.length = 0;
    const again = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
    const { replicated: second } = await again.step();
    expect(target.calls.filter((c) => c.startsWith('put argus/replica/counts/files/'))).toEqual([]);
    expect(second?.files).toEqual(manifest.files);
  });

  test('a file that was overwritten since is not given the checksum of its copy, but copied again', async () => {
    const { source, target, manifest } = await replicated();
    const { key, sizeBytes, etag, checksum } = shared(manifest);
    await target.put(key, new Uint8Array(sizeBytes));
    const folder = manifest.metadata.key.replace('/_metadata', '');
    await target.put(`${folder.replace(/4$/, '3')}/manifest.json`, encodeManifest({ ...manifest, checkpointId: 3 }));
    await target.delete(`${folder}/manifest.json`);
    const again = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
    const { replicated: second } = await again.step();
    expect(second?.files.find((f) => f.key === key)).toMatchObject({ etag, checksum });
    expect((await target.head(key))?.etag).toBe(etag);
  });

  test('a manifest of before they were kept stays readable', async () => {
    const { manifest } = await replicated();
    const files = manifest.files.map(({ checksum: _, ...file }) => file);
    expect(decodeManifest(encodeManifest({ ...manifest, files }))).toEqual({ ...manifest, files });
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  });
});

describe('prefixHashes', () => {
  test('gives the hash of each prefix, however the bytes are cut', () => {
    const cut = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 });
    fc.assert(
      fc.property(cut, fc.uniqueArray(fc.nat(150), { maxLength: 5 }), (chunks, lengths) => {
        const all = Buffer.concat(chunks);
        const hashes = prefixHashes(new Set(lengths));
        for (const chunk of chunks) hashes.update(chunk);
        const expected = lengths.filter((n) => n <= all.length).map((n) => [n, hex(all.subarray(0, n))] as const);
        expect(hashes.digests()).toEqual(new Map(expected));
      }),
    );
  });
});

describe('fileDifference', () => {
  const bytes = Buffer.from('0123456789');
  const file = { key: 'k', sizeBytes: 10, sizeRule: 'exact' as const, etag: 'e' };
  const checksum = { sha256: hex(bytes), sizeBytes: 10 };
  const read = (sizeBytes: number, sha256: string) => ({ sizeBytes, etag: 'e', sha256: new Map([[10, sha256]]) });
  const longer = { ...file, sizeRule: 'atLeast' as const, sizeBytes: 9 };

  test.each([
    ['the same bytes', { ...file, checksum }, read(10, hex(bytes)), undefined],
    ['a byte more than an exact size', { ...file, checksum }, read(11, hex(bytes)), 'FileSizeDiffers'],
    ['other bytes of the same size', { ...file, checksum }, read(10, 'other'), 'BytesDiffer'],
    ['nothing there', { ...file, checksum }, undefined, 'FileMissing'],
    ['a changelog file that is a byte longer than recorded', { ...longer, checksum }, read(10, hex(bytes)), undefined],
    ['a segment file that grew after its copy', { ...longer, checksum }, read(40, hex(bytes)), undefined],
    ['a changelog file whose last byte is lost', { ...longer, checksum }, read(9, 'x'), 'FileSizeDiffers'],
    ['a segment file whose beginning changed', { ...longer, checksum }, read(40, 'other'), 'BytesDiffer'],
    ['only a size to compare', longer, read(9, 'x'), undefined],
    ['no checksum, and another ETag', { ...file, etag: 'before' }, read(10, 'x'), 'FileChanged'],
    ['only a size to compare, and too short', longer, read(8, 'x'), 'FileSizeDiffers'],
  ])('%s', (_, expected, found, code) => {
    expect(fileDifference(expected, found)?.code).toBe(code);
  });
});

describe('verifyCheckpoints', () => {
  test('a replica as it was copied is the same, each file read once for all its checkpoints', async () => {
    const { target, manifest } = await replicated();
    target.calls.length = 0;
    const seen: number[] = [];
    const twice = [manifest, manifest];
    const result = await verifyCheckpoints({
      store: target,
      manifests: twice,
      onProgress: (p) => seen.push(p.bytes / p.totalBytes),
    });
    expect(result.checkpoints.map((c) => [c.state, c.unprovenFiles])).toEqual([
      ['same', 0],
      ['same', 0],
    ]);
    expect(target.calls.filter((c) => c.startsWith('open ')).length).toBe(manifest.files.length);
    expect(result.filesRead).toBe(manifest.files.length);
    expect(seen.at(-1)).toBe(1);
  });

  test('one changed bit is found in the file that has it', async () => {
    const { target, manifest } = await replicated();
    const { key } = shared(manifest);
    const body = (await target.get(key))?.body ?? new Uint8Array();
    body[50] = (body[50] ?? 0) ^ 1;
    await target.put(key, body);
    const { checkpoints } = await verifyCheckpoints({ store: target, manifests: [manifest] });
    expect(checkpoints[0]).toMatchObject({ state: 'differs', differences: [{ key, code: 'BytesDiffer' }] });
  });

  test('a missing file, a cut one and a damaged _metadata are each named', async () => {
    const { target, manifest } = await replicated();
    const [first, second] = manifest.files;
    await target.delete(first?.key ?? '');
    await target.put(second?.key ?? '', new Uint8Array((second?.sizeBytes ?? 1) - 1));
    await target.put(manifest.metadata.key, new Uint8Array(5));
    const { checkpoints } = await verifyCheckpoints({ store: target, manifests: [manifest] });
    expect(checkpoints[0]?.differences.map((d) => [d.key, d.code])).toEqual([
      [manifest.metadata.key, 'MetadataDamaged'],
      [first?.key, 'FileMissing'],
      [second?.key, 'FileSizeDiffers'],
    ]);
  });

  test('a _metadata that needs a file which its manifest does not name is no good', async () => {
    const { target, manifest } = await replicated();
    const lacking = { ...manifest, files: manifest.files.slice(1) };
    const { checkpoints } = await verifyCheckpoints({ store: target, manifests: [lacking] });
    expect(checkpoints[0]?.differences.map((d) => d.code)).toEqual(['MetadataPointsElsewhere']);
  });

  test('a checkpoint that was removed meanwhile is not called damaged', async () => {
    const { target, manifest } = await replicated();
    await target.delete(`${manifest.metadata.key.replace('_metadata', 'manifest.json')}`);
    await target.delete(manifest.files[0]?.key ?? '');
    const { checkpoints } = await verifyCheckpoints({ store: target, manifests: [manifest] });
    expect(checkpoints[0]).toMatchObject({ state: 'gone', differences: [] });
  });

  test('without a checksum an ETag that is the MD5 of the bytes vouches for them; another one leaves them unproven', async () => {
    const { target, manifest } = await replicated();
    const files = manifest.files.map(({ checksum: _, ...file }, i) => (i === 0 ? { ...file, etag: '' } : file));
    const { checkpoints } = await verifyCheckpoints({ store: target, manifests: [{ ...manifest, files }] });
    expect(checkpoints[0]).toMatchObject({ state: 'same', unprovenFiles: 1 });
  });
});
