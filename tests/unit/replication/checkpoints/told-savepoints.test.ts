import { expect, test } from 'vitest';
import type { FlinkJobSettings, FlinkSnapshot } from '../../../../regions/flink/flink-jobs.ts';
import { fileReferences } from '../../../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { listReplica, verifyPoint } from '../../../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { savepointDirectories, toldSavepoints } from '../../../../replication/checkpoints/told-savepoints.ts';
import { putHollowSample } from '../../../support/changelog-bucket.ts';
import { FULL, putFullSample } from '../../../support/checkpoint-bucket.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

const at = { bucketUri: 's3://b', prefix: 'savepoints', flinkJobId: FULL.flinkJobId };
const told = (path: string, kind: FlinkSnapshot['kind'] = 'savepoint'): FlinkSnapshot => ({
  kind,
  id: 9,
  path,
  completedAtMs: 1,
});

test.each([
  ['below the prefix', told('s3://b/savepoints/savepoint-1'), 'savepoints/savepoint-1'],
  ['by another name of the bucket', told('s3a://b/savepoints/savepoint-1/'), 'savepoints/savepoint-1'],
  ['in another bucket', told('s3://c/savepoints/savepoint-1'), undefined],
  ['below another prefix', told('s3://b/savepoints-old/savepoint-1'), undefined],
  ['that is a checkpoint', told('s3://b/savepoints/chk-9', 'checkpoint'), undefined],
])('a savepoint %s', (_, snapshot, directory) => {
  expect(savepointDirectories([snapshot], at, false).map((each) => each.directory)).toEqual(
    directory === undefined ? [] : [directory],
  );
});

function settings(changelog: boolean): FlinkJobSettings {
  const checkpointing = {
    mode: 'exactly_once',
    timeoutMs: 1,
    whenEnded: 'kept' as const,
    unaligned: false,
    changelog,
  };
  return { checkpointing, cluster: new Map(), operators: [] };
}

test.each(['savepoint-NATIVE', 'savepoint-CANONICAL'])('%s is replicated like a checkpoint, once', async (name) => {
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  const target = memoryObjectStore('replica', { uri: 's3://replica' });
  await putFullSample(source);
  const { directory } = await putHollowSample(source, name);
  const id = name === 'savepoint-NATIVE' ? 25 : 24;
  let answers = false;
  const flink = {
    snapshots: async () => {
      if (!answers) throw new Error('no answer');
      return [{ ...told(`s3://flink-primary/${directory}`), id }];
    },
    settings: async () => settings(true),
  };
  const sync = createCheckpointSync({
    job: 'counts',
    prefix: 'checkpoints',
    source,
    target,
    clock: virtualClock(),
    savepoints: toldSavepoints(flink, source.uri, 'savepoints'),
  });
  expect((await sync.step()).replicated).toMatchObject(FULL);
  expect((await sync.step()).replicated).toBeUndefined();
  answers = true;
  const { replicated } = await sync.step();
  // Its job uses the changelog, which a savepoint does not show.
  expect(replicated).toMatchObject({ kind: 'savepoint', checkpointId: id, needsClaim: true });
  expect((await sync.step()).replicated).toBeUndefined();

  const { points, objects, problems } = await listReplica(target, 'counts', { hashMetadata: true });
  expect(points.map((p) => p.manifest.kind)).toEqual(expect.arrayContaining(['savepoint', undefined]));
  expect(problems).toEqual([]);
  for (const point of points) expect(verifyPoint(point, objects)).toEqual([]);
  const written = await target.get(replicated?.metadata.key ?? '');
  const uris = fileReferences(readMetadata(written?.body ?? new Uint8Array()), 'nowhere').map((f) => f.uri);
  expect(uris).toHaveLength(replicated?.files.length ?? -1);
  for (const uri of uris) expect(uri).toMatch('s3://replica/argus/replica/counts/files/savepoints/');
});

test('Flink is asked for the settings once, and only where there are savepoints', async () => {
  let asked = 0;
  let snapshots: readonly FlinkSnapshot[] = [];
  const flink = {
    snapshots: async () => snapshots,
    settings: async () => {
      asked++;
      return settings(false);
    },
  };
  const savepoints = toldSavepoints(flink, 's3://b', 'savepoints');
  expect(await savepoints(FULL.flinkJobId)).toEqual([]);
  expect(asked).toBe(0);
  snapshots = [told('s3://b/savepoints/savepoint-1')];
  for (let n = 0; n < 2; n++) expect(await savepoints(FULL.flinkJobId)).toMatchObject([{ needsClaim: false }]);
  expect(asked).toBe(1);
});
