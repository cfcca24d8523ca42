import { beforeEach, describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { fileReferences } from '../../../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { type MemoryObjectStore, memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { claimFolder, parseClaim } from '../../../../replication/checkpoints/locations.ts';
import { listReplica } from '../../../../replication/checkpoints/replica.ts';
import {
  estimateCopyMs,
  gatherRestoreCopy,
  lackingOf,
  makeCopy,
  needsClaim,
} from '../../../../replication/checkpoints/restore-copy.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { putHollowSample } from '../../../support/changelog-bucket.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

const JOB = 'counts';
const STANDBY_JOB = '5'.repeat(32);

let target: MemoryObjectStore;

async function replicated(sample: string): Promise<CheckpointManifest> {
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  target = memoryObjectStore('replica', { uri: 's3://replica' });
  await putHollowSample(source, sample);
  const sync = createCheckpointSync({ job: JOB, prefix: 'checkpoints', source, target, clock: virtualClock() });
  const { replicated } = await sync.step();
  if (replicated === undefined) throw new Error('not replicated');
  return replicated;
}

describe.each(['v6-changelog-fs', 'v6-changelog-fs-pending'])('a copy of %s', (sample) => {
  let manifest: CheckpointManifest;
  let folder: string;
  beforeEach(async () => {
    manifest = await replicated(sample);
    folder = claimFolder(JOB, STANDBY_JOB, manifest);
  });

  test('needs nothing but its own files, which have the bytes of the point’s', async () => {
    expect(manifest.needsClaim).toBe(true);
    const copy = await gatherRestoreCopy(target, manifest, folder);
    const lacking = await lackingOf(target, copy);
    if (lacking === undefined) throw new Error('nothing lacks');
    expect(lacking).toMatchObject({ files: copy.files, metadata: true });
    await makeCopy(target, copy, lacking);
    expect(await lackingOf(target, copy)).toBeUndefined();

    const written = await target.get(copy.metadata.key);
    const uris = fileReferences(readMetadata(written?.body ?? new Uint8Array()), copy.uri).map((f) => f.uri);
    expect(uris).toHaveLength(manifest.files.length);
    for (const uri of uris) expect(uri).toMatch(`s3://replica/${folder}/files/`);
    for (const { from, to } of copy.files) {
      expect(Buffer.from((await target.get(to))?.body ?? [])).toEqual(
        Buffer.from((await target.get(from))?.body ?? []),
      );
    }
    // Flink deletes the folder of a checkpoint that it claimed.
    expect((await target.list(`${copy.uri.slice('s3://replica/'.length)}/`)).objects).toHaveLength(1);
  });

  test('that was interrupted anywhere is made good, and nothing is copied twice', async () => {
    const copy = await gatherRestoreCopy(target, manifest, folder);
    for (let effects = 0; effects <= copy.files.length; effects++) {
      let left = effects;
      const lacking = await lackingOf(target, copy);
      if (lacking === undefined) break;
      const check = () => {
        if (left-- === 0) throw new Error('killed');
      };
      await makeCopy(target, copy, lacking, { check }).catch(() => undefined);
    }
    const lacking = await lackingOf(target, copy);
    if (lacking !== undefined) await makeCopy(target, copy, lacking);
    expect(await lackingOf(target, copy)).toBeUndefined();
    expect(target.calls.filter((call) => call.startsWith('copy ')).sort()).toEqual(
      copy.files.map((file) => `copy ${file.from}`).sort(),
    );
  });

  test('is not complete with a file that is too short, or another _metadata', async () => {
    const copy = await gatherRestoreCopy(target, manifest, folder);
    await makeCopy(target, copy, { files: copy.files, bytes: 0, metadata: true });
    const [file] = copy.files;
    if (file === undefined) throw new Error('no file');
    await target.put(file.to, new Uint8Array(file.sizeBytes - 1));
    await target.put(copy.metadata.key, new Uint8Array(3));
    expect(await lackingOf(target, copy)).toEqual({ files: [file], bytes: file.sizeBytes, metadata: true });
  });

  test('of a point whose _metadata was changed, or whose file is gone, is refused', async () => {
    const copy = await gatherRestoreCopy(target, manifest, folder);
    await target.delete(copy.files[0]?.from ?? '');
    const making = makeCopy(target, copy, { files: copy.files, bytes: 0, metadata: true });
    await expect(making).rejects.toMatchObject({ code: 'FileMissing' });
    expect(await target.head(copy.metadata.key)).toBeUndefined();
    await target.put(manifest.metadata.key, new Uint8Array(3));
    await expect(gatherRestoreCopy(target, manifest, folder)).rejects.toMatchObject({ code: 'MetadataDamaged' });
  });

  test('is no point of the replica, and is known as what it is', async () => {
    const copy = await gatherRestoreCopy(target, manifest, folder);
    await makeCopy(target, copy, { files: copy.files, bytes: 0, metadata: true });
    const { points, problems } = await listReplica(target, JOB);
    expect([points.length, problems]).toEqual([1, []]);
    const { flinkJobId, checkpointId } = manifest;
    for (const key of [copy.metadata.key, copy.files[0]?.to ?? '', folder]) {
      expect(parseClaim(JOB, key)).toEqual({ folder, point: { flinkJobId, checkpointId } });
    }
    expect(parseClaim(JOB, manifest.metadata.key)).toBeUndefined();
    expect(parseClaim('other', folder)).toBeUndefined();
  });
});

test('what an old manifest doesn’t say is read from its _metadata', async () => {
  const changelog = await replicated('v6-changelog-fs');
  expect(await needsClaim(target, { ...changelog, needsClaim: undefined })).toBe(true);
  const other = await replicated('v6-p2-busy');
  expect(other.needsClaim).toBe(false);
  expect(await needsClaim(target, { ...other, needsClaim: undefined })).toBe(false);
});

test('merged files move with their directories', async () => {
  const manifest = await replicated('v6-filemerging');
  const folder = claimFolder(JOB, STANDBY_JOB, manifest);
  const copy = await gatherRestoreCopy(target, manifest, folder);
  await makeCopy(target, copy, { files: copy.files, bytes: 0, metadata: true });
  const { operators } = readMetadata(copy.metadata.bytes);
  const directories = operators.flatMap(({ subtasks }) =>
    subtasks === 'finished'
      ? []
      : subtasks.flatMap((s) =>
          s.kind === 'state' && s.managedOperator?.tag === 17
            ? [s.managedOperator.taskOwnedDirectory, s.managedOperator.sharedDirectory]
            : [],
        ),
  );
  expect(directories.length).toBeGreaterThan(0);
  for (const directory of directories) expect(directory).toMatch(`s3://replica/${folder}/files/`);
});

test('the guess of its time grows with bytes and with files', () => {
  expect(estimateCopyMs({ files: 0, bytes: 0 })).toBeLessThan(100);
  expect(estimateCopyMs({ files: 10, bytes: 10_000_000_000 })).toBeGreaterThan(100_000);
  expect(estimateCopyMs({ files: 8_000, bytes: 0 })).toBeGreaterThan(50_000);
});
