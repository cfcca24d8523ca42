import { afterAll, beforeAll, expect, test } from 'vitest';
import { replicaPruner } from '../../daemon/prune-replica.ts';
import { wallClock as clock } from '../../daemon/wall-clock.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { listReplica, verifyPoint } from '../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { FULL, putFullSample, putFullSampleAs } from '../support/checkpoint-bucket.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

let server: ObjectServer | undefined;
let target: ObjectStore;

beforeAll(async () => {
  server = await startObjectServer({ buckets: ['replica'] });
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const access = { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1', pathStyle: true };
  target = s3ObjectStore({ ...access, bucket: 'replica' });
});

afterAll(async () => {
  await target?.close();
  await server?.stop();
});

test('retention over a real store keeps whole what it keeps, and the sync copies no removed point again', async () => {
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  await putFullSample(source);
  for (const id of [5, 6, 7, 8]) await putFullSampleAs(source, id);
  const job = 'counts';
  // Without `keep`, as before there was retention: all five are there.
  const before = createCheckpointSync({ job, prefix: 'checkpoints', source, target, clock });
  while ((await before.step()).more);
  expect((await listReplica(target, job)).points.length).toBe(5);
  await target.put(`argus/replica/${job}/files/checkpoints/left`, new Uint8Array(7));

  const restored = { id: 4, path: `${target.uri}/argus/replica/${job}/points/${FULL.flinkJobId}-0000000004`, atMs: 0 };
  const flink: Pick<FlinkJobs, 'list' | 'checkpoints'> = {
    list: async () => [{ id: 'tried', name: 'by hand', state: 'RUNNING', startedAtMs: 0 }],
    checkpoints: async () => ({ restored, completedCount: 0, failedCount: 0 }),
  };
  const sync = createCheckpointSync({ job, prefix: 'checkpoints', source, target, clock, keep: 2 });
  const log = quietLog();
  const pruner = replicaPruner({
    state: memoryObjectStore('state'),
    target: { objects: target, flink: flink as FlinkJobs },
    clock,
    log,
    holder: 'test',
    periodMs: 0,
  });
  await pruner.pruneWhenDue(job, { keep: 2, maxAgeMs: 1_000_000_000 }, sync, new AbortController().signal);
  expect(log.lines.map((l) => l.message)).toEqual([
    expect.stringMatching(
      /^pruned on the replica: 2 checkpoints, \d+ files, 0 orphans, \d+ bytes; 3 checkpoints stay$/,
    ),
  ]);

  const expectThree = async () => {
    const { points, objects, problems } = await listReplica(target, job, { hashMetadata: true });
    expect(points.map((p) => p.manifest.checkpointId).sort()).toEqual([4, 7, 8]);
    for (const point of points) expect(verifyPoint(point, objects)).toEqual([]);
    expect(problems).toEqual([]);
    // Written after the newest manifest: it may belong to a copy that goes on.
    expect(objects.has(`argus/replica/${job}/files/checkpoints/left`)).toBe(true);
    return objects;
  };
  const objects = await expectThree();
  expect([...objects.keys()].some((key) => key.includes('/chk-5/') || key.includes('/chk-6/'))).toBe(false);
  expect((await sync.step()).replicated).toBeUndefined();
  await expectThree();

  await putFullSampleAs(source, 9);
  expect((await sync.step()).replicated?.checkpointId).toBe(9);
});
