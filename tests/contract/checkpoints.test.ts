import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileReferences } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { listReplica, verifyPoint } from '../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { chooseRecoveryPoint } from '../../replication/recovery-point/choose.ts';
import { FULL, putFullSample } from '../support/checkpoint-bucket.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} };

let servers: ObjectServer[] = [];
let source: ObjectStore;
let target: ObjectStore;

function storeAt(server: ObjectServer, bucket: string): ObjectStore {
  const { endpoint, accessKeyId, secretAccessKey } = server;
  return s3ObjectStore({ endpoint, bucket, accessKeyId, secretAccessKey, region: 'us-east-1', pathStyle: true });
}

beforeAll(async () => {
  const primary = await startObjectServer({ buckets: ['flink-primary'] });
  servers = [primary];
  const standby = await startObjectServer({ buckets: ['replica'] });
  servers.push(standby);
  source = storeAt(primary, 'flink-primary');
  target = storeAt(standby, 'replica');
});

afterAll(async () => {
  await source?.close();
  await target?.close();
  for (const server of servers) await server.stop();
});

test('a checkpoint copied between two stores can be chosen with the primary’s store gone', async () => {
  const keys = await putFullSample(source);
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
  const from = performance.now();
  const { replicated } = await sync.step();
  const tookMs = performance.now() - from;
  expect(replicated).toMatchObject(FULL);
  const { filesCopied, bytesCopied } = sync.status();
  console.info(`${filesCopied} files, ${bytesCopied} bytes copied in ${tookMs.toFixed(0)} ms`);

  const asked = servers[0]?.accessLog().length ?? 0;
  const idle = performance.now();
  expect((await sync.step()).replicated).toBeUndefined();
  console.info(`a step without news: ${(performance.now() - idle).toFixed(1)} ms`);
  const requests = (servers[0]?.accessLog() ?? []).slice(asked);
  expect(requests.length).toBeLessThanOrEqual(1);

  servers[0]?.signal('SIGKILL');
  await expect(sync.step()).rejects.toMatchObject({ code: 'ObjectStoreUnreachable' });

  const replica = await listReplica(target, 'counts', { hashMetadata: true });
  const point = replica.points[0];
  if (point === undefined) throw new Error('no point');
  expect(verifyPoint(point, replica.objects)).toEqual([]);
  const logRanges = point.manifest.sourceOffsets.map((o) => ({
    topic: o.topic,
    partition: o.partition,
    logStartOffset: 0n,
    logEndOffset: 10_000n,
  }));
  const choice = chooseRecoveryPoint({ candidates: replica.points, objects: replica.objects, logRanges });
  expect(choice).toMatchObject({ kind: 'chosen', point: FULL, replay: { records: 20_000n - 6_470n - 5_650n } });

  const relocated = await target.get(point.manifest.metadata.key);
  const uris = fileReferences(readMetadata(relocated?.body ?? new Uint8Array()), 'nowhere').map((f) => f.uri);
  expect(uris.length).toBe(keys.length);
  for (const uri of uris) expect(await target.head(uri.replace('s3://replica/', ''))).toBeDefined();
});
