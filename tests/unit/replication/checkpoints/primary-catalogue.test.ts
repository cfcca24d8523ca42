import { expect, test } from 'vitest';
import type { FlinkSnapshot } from '../../../../regions/flink/flink-jobs.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import {
  gatherPrimaryPoints,
  mergePrimaryPoints,
  type SeenPoint,
} from '../../../../replication/checkpoints/primary-catalogue.ts';
import { putHollowSample } from '../../../support/changelog-bucket.ts';
import { FULL, putFullSample, putFullSampleAs } from '../../../support/checkpoint-bucket.ts';

const RUN = 'a'.repeat(32);

const seen = (checkpointId: number, over: Partial<SeenPoint> = {}): SeenPoint => ({
  kind: 'checkpoint',
  flinkJobId: RUN,
  checkpointId,
  uri: `s3://b/c/${RUN}/chk-${checkpointId}`,
  completedAtMs: checkpointId * 1_000,
  ...over,
});

test.each([
  ['nothing', [], [], []],
  ['the bucket alone', [seen(1), seen(2)], [], ['2 bucket', '1 bucket']],
  ['Flink alone', [], [seen(1)], ['1 flink']],
  ['both', [seen(1)], [seen(1), seen(2)], ['2 flink', '1 bucket+flink']],
  ['another name of the same bucket', [seen(1)], [seen(1, { uri: `s3a://b/c/${RUN}/chk-1/` })], ['1 bucket+flink']],
])('what is seen by %s is listed once, newest first', (_, inBucket, inFlink, expected) => {
  const points = mergePrimaryPoints(inBucket, inFlink, []);
  expect(points.map((p) => `${p.checkpointId} ${p.seenIn.join('+')}`)).toEqual(expected);
});

test('Flink tells whose a savepoint is; without it nobody does, and nothing is said to be replicated', () => {
  const savepoint = { kind: 'savepoint', uri: 's3://b/s/savepoint-1' } as const;
  const inBucket = [seen(9, { ...savepoint, flinkJobId: null })];
  const replica = [{ flinkJobId: RUN, checkpointId: 9 }];
  expect(mergePrimaryPoints(inBucket, [], replica)).toMatchObject([{ flinkJobId: null, replicated: false }]);
  expect(mergePrimaryPoints(inBucket, [seen(9, savepoint)], replica)).toMatchObject([
    { kind: 'savepoint', flinkJobId: RUN, replicated: true },
  ]);
});

test('lists checkpoints and savepoints of the bucket without a look at shared files, also while Flink is silent', async () => {
  const objects = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  await putFullSample(objects);
  await putFullSampleAs(objects, 5);
  await objects.delete(`checkpoints/${FULL.flinkJobId}/chk-5/_metadata`);
  const { directory } = await putHollowSample(objects, 'savepoint-NATIVE');
  await objects.put('savepoints/savepoint-foreign/_metadata', new Uint8Array(3));
  objects.calls.length = 0;
  const options = { objects, job: 'counts', prefix: 'checkpoints', savepoints: 'savepoints', replicated: [FULL] };
  const silent = () => Promise.reject(new Error('no answer'));
  const dark = await gatherPrimaryPoints({ ...options, flink: { list: silent, snapshots: silent } });
  expect(dark.flinkSilent).toBe('no answer');
  expect(dark.points.map((p) => [p.kind, p.checkpointId, p.flinkJobId, p.replicated])).toEqual(
    expect.arrayContaining([
      ['checkpoint', 4, FULL.flinkJobId, true],
      ['savepoint', 25, null, false],
    ]),
  );
  expect(dark.points).toHaveLength(2);
  expect(objects.calls.filter((call) => call.includes('shared'))).toEqual([]);

  const told: FlinkSnapshot = {
    kind: 'savepoint',
    id: 25,
    path: `s3://flink-primary/${directory}`,
    completedAtMs: 1,
  };
  const flink = {
    list: async () => [{ id: FULL.flinkJobId, name: 'counts', state: 'RUNNING', startedAtMs: 1 }],
    snapshots: async () => [told],
  };
  const { points } = await gatherPrimaryPoints({ ...options, flink });
  expect(points.find((p) => p.kind === 'savepoint')).toMatchObject({
    flinkJobId: FULL.flinkJobId,
    seenIn: ['bucket', 'flink'],
  });
});
