import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileReferences } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { claimFolder } from '../../replication/checkpoints/locations.ts';
import { listReplica, verifyPoint } from '../../replication/checkpoints/replica.ts';
import { gatherRestoreCopy, lackingOf, makeCopy } from '../../replication/checkpoints/restore-copy.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { putHollowSample } from '../support/changelog-bucket.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} };

let server: ObjectServer | undefined;
let replica: ObjectStore;

beforeAll(async () => {
  server = await startObjectServer({ buckets: ['replica'] });
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const access = { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1', pathStyle: true };
  replica = s3ObjectStore({ ...access, bucket: 'replica' });
});

afterAll(async () => {
  await replica?.close();
  await server?.stop();
});

test('a changelog job’s copy is made inside a real store, is made good when broken off, and may be consumed', async () => {
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  await putHollowSample(source, 'v6-changelog-fs-pending');
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target: replica, clock });
  const { replicated } = await sync.step();
  if (replicated === undefined) throw new Error('not replicated');
  const folder = claimFolder('counts', '5'.repeat(32), replicated);
  const copy = await gatherRestoreCopy(replica, replicated, folder);

  const asked = server?.accessLog().length ?? 0;
  let left = 4;
  const check = () => {
    if (left-- === 0) throw new Error('killed');
  };
  const all = await lackingOf(replica, copy);
  if (all === undefined) throw new Error('nothing lacks');
  await expect(makeCopy(replica, copy, all, { check })).rejects.toThrow('killed');
  const rest = await lackingOf(replica, copy);
  expect(rest).toMatchObject({ metadata: true });
  expect(rest?.files.length).toBeLessThan(all.files.length);
  if (rest) await makeCopy(replica, copy, rest);
  expect(await lackingOf(replica, copy)).toBeUndefined();
  // The bytes never came here: nothing was put but the _metadata.
  const requests = (server?.accessLog() ?? []).slice(asked);
  const of = (kind: string) => requests.filter((line) => line.includes(` s3_${kind} `));
  expect(of('CopyObject')).toHaveLength(copy.files.length);
  expect(of('PutObject')).toHaveLength(1);
  expect(of('GetObject')).toHaveLength(1);

  const { body } = (await replica.get(copy.metadata.key)) ?? { body: new Uint8Array() };
  for (const { uri, sizeBytes } of fileReferences(readMetadata(body), copy.uri)) {
    expect(uri).toMatch(`s3://replica/${folder}/files/`);
    const found = await replica.head(uri.slice('s3://replica/'.length));
    expect(found?.sizeBytes).toBeGreaterThanOrEqual(sizeBytes);
  }

  // As Flink does by and by with what it claimed.
  for (const { to } of copy.files) await replica.delete(to);
  await replica.delete(copy.metadata.key);
  const { points, objects } = await listReplica(replica, 'counts', { hashMetadata: true });
  expect(points.map((point) => verifyPoint(point, objects))).toEqual([[]]);
});
