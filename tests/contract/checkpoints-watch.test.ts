import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock as clock } from '../../daemon/wall-clock.ts';
import { watchReplica } from '../../daemon/watch-replica.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import { readReplicaHealth } from '../../state/replica-health.ts';
import { fakeFlink } from '../support/fake-flink.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

const access = { accessKeyId: 'tester', secretAccessKey: 'tester-secret', region: 'us-east-1', pathStyle: true };
const servers: ObjectServer[] = [];
let source: ObjectStore;
let target: ObjectStore;

beforeAll(async () => {
  for (const bucket of ['primary', 'replica']) servers.push(await startObjectServer({ buckets: [bucket] }));
  const [one, two] = servers as [ObjectServer, ObjectServer];
  source = s3ObjectStore({ ...access, endpoint: one.endpoint, bucket: 'primary' });
  target = s3ObjectStore({ ...access, endpoint: two.endpoint, bucket: 'replica' });
});

afterAll(async () => {
  await source?.close();
  await target?.close();
  for (const server of servers) await server.stop();
});

test('over real stores: damage is seen with one listing, mended from the primary, and told when the primary is gone', async () => {
  const flink = fakeFlink({ store: source, seed: 'watch', newFiles: () => [40_000, 2_000_000], retained: 2 });
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
  await flink.complete();
  const manifest = (await sync.step()).replicated;
  if (manifest === undefined) throw new Error('nothing was replicated');
  const [state, log] = [memoryObjectStore('state'), quietLog()];
  const look = async () => {
    const watch = watchReplica({ state, target: { name: 'singapore', objects: target }, clock, log, periodMs: 0 });
    await watch.look('counts', sync, new AbortController().signal);
    return (await readReplicaHealth(state, 'singapore'))?.jobs.counts?.verified;
  };
  expect(await look()).toMatchObject({ checkpoints: 1, files: 3, damagedFiles: 0 });

  const [gone = '', other = ''] = manifest.files.filter((f) => f.key.includes('/shared/')).map((f) => f.key);
  await target.delete(gone);
  await target.put(other, new Uint8Array((await target.head(other))?.sizeBytes ?? 0));
  expect(await look()).toMatchObject({ damagedFiles: 0 });
  const verified = await verifyCheckpoints({ store: target, manifests: [manifest] });
  expect(verified.checkpoints).toMatchObject([{ state: 'same', unprovenFiles: 0 }]);

  await target.delete(gone);
  servers[0]?.signal('SIGKILL');
  expect(await look()).toMatchObject({ damagedFiles: 1, damaged: [{ checkpointId: 1, code: 'FileMissing' }] });
  expect(log.lines.map((line) => line.message)).toEqual([
    '2 damaged files were copied again to the replica',
    expect.stringMatching(/^the replica can't be verified or mended: .* did not answer/),
    `checkpoint 1 on the replica is damaged: ${gone} is not on the replica`,
  ]);
});
