import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { wallClock as clock } from '../../daemon/wall-clock.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { filesFolder } from '../../replication/checkpoints/locations.ts';
import { listReplica, verifyPoint } from '../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import { type FakeFlink, fakeFlink } from '../support/fake-flink.ts';
import { type Fault, type ObjectProxy, startObjectProxy } from '../support/object-proxy.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';

const access = { accessKeyId: 'tester', secretAccessKey: 'tester-secret', region: 'us-east-1', pathStyle: true };

const servers: ObjectServer[] = [];
const proxies: ObjectProxy[] = [];
const stores: ObjectStore[] = [];
let source: ObjectStore;
let target: ObjectStore;
/** Without the proxies: what Flink does, and what is looked at. */
let direct: { readonly source: ObjectStore; readonly target: ObjectStore };
let cases = 0;

beforeAll(async () => {
  for (const bucket of ['flink-primary', 'replica']) {
    const server = await startObjectServer({ buckets: [bucket] });
    servers.push(server);
    const proxy = await startObjectProxy(server.endpoint);
    proxies.push(proxy);
    const [through, past] = [proxy.endpoint, server.endpoint].map((endpoint) =>
      s3ObjectStore({ ...access, endpoint, bucket }),
    );
    stores.push(through as ObjectStore, past as ObjectStore);
  }
  source = stores[0] as ObjectStore;
  target = stores[2] as ObjectStore;
  direct = { source: stores[1] as ObjectStore, target: stores[3] as ObjectStore };
});

beforeEach(() => {
  for (const proxy of proxies) proxy.fault = undefined;
});

afterAll(async () => {
  for (const store of stores) await store.close();
  for (const proxy of proxies) await proxy.close();
  for (const server of servers) await server.stop();
});

/** A job of its own, with one checkpoint of a small, a middle and a large file. */
async function job() {
  const name = `job-${++cases}`;
  const flink = fakeFlink({
    store: direct.source,
    flinkJobId: String(cases).padStart(32, '0'),
    seed: name,
    newFiles: () => [30_000, 600_000, 3_000_000],
    liveFiles: 3,
  });
  await flink.complete();
  const run = async () => flink.flinkJobId;
  const make = () => createCheckpointSync({ job: name, prefix: 'checkpoints', source, target, clock, flinkJobId: run });
  return { name, flink, sync: make(), another: make() };
}

/** Every manifest that is there is whole, byte for byte; gives the checkpoints. */
async function whole(name: string, flink: FakeFlink): Promise<readonly number[]> {
  const { points, problems, objects } = await listReplica(direct.target, name, { hashMetadata: true });
  expect(problems.filter((p) => p.code !== 'HalfWritten')).toEqual([]);
  expect(points.flatMap((point) => verifyPoint(point, objects))).toEqual([]);
  const manifests = points.map((point) => point.manifest);
  const { checkpoints } = await verifyCheckpoints({ store: direct.target, manifests });
  expect(checkpoints.flatMap((c) => c.differences)).toEqual([]);
  for (const { key } of manifests.flatMap((manifest) => manifest.files)) {
    const body = (await direct.target.get(key))?.body ?? new Uint8Array();
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect([key, sha256]).toEqual([key, flink.written.get(key.slice(filesFolder(name).length))]);
  }
  return manifests.map((manifest) => manifest.checkpointId);
}

/** The fault for the first so many requests that match. */
function first(count: number, method: string, pattern: RegExp, fault: Fault): ObjectProxy['fault'] {
  let left = count;
  return (asked, path) => (asked === method && pattern.test(path) && left-- > 0 ? fault : undefined);
}

test.each<[string, RegExp, (remove: () => Promise<void>) => Fault]>([
  ['after its metadata was read, before a file is', /shared\/1-2$/, (remove) => ({ before: remove })],
  ['in the midst of a file', /shared\/1-2$/, (remove) => ({ during: { afterBytes: 1_000_000, act: remove } })],
  ['when its metadata is asked for', /chk-1\/_metadata$/, (remove) => ({ before: remove })],
])('Flink removes a checkpoint %s: the next one is taken', async (_, pattern, fault) => {
  const { name, flink, sync } = await job();
  const remove = async () => {
    await flink.complete();
    await flink.subsume();
  };
  (proxies[0] as ObjectProxy).fault = first(1, 'GET', pattern, fault(remove));
  const steps = [await sync.step(), await sync.step()];
  expect(steps.map((step) => step.refused)).toEqual([[], []]);
  const there = await whole(name, flink);
  expect(there).toContain(2);
  expect(sync.status()).toMatchObject({ newest: { checkpointId: 2 } });
});

const once = (code: string, status: number): Fault => ({ status: { code, status } });
test.each<[string, 0 | 1, string, RegExp, Fault]>([
  ['the source cuts a body short', 0, 'GET', /shared\/1-2$/, { cutAfterBytes: 1_500_000 }],
  ['the source cuts a small body short', 0, 'GET', /shared\/1-0$/, { cutAfterBytes: 10_000 }],
  ['the source cuts the metadata short', 0, 'GET', /_metadata$/, { cutAfterBytes: 100 }],
  ['the source answers 500', 0, 'GET', /shared/, once('InternalError', 500)],
  ['the source answers 503', 0, 'GET', /shared/, once('SlowDown', 503)],
  ['the source is slow', 0, 'GET', /shared/, { delayMs: 1_000 }],
  ['the replica answers 503', 1, 'PUT', /files/, once('SlowDown', 503)],
  ['the upload of a large file is cut', 1, 'PUT', /1-2$/, { cutUploadAfterBytes: 1_500_000 }],
  ['the upload of a small file is cut', 1, 'PUT', /1-0$/, { cutUploadAfterBytes: 10_000 }],
  ['the upload of the manifest is cut', 1, 'PUT', /manifest\.json$/, { cutUploadAfterBytes: 500 }],
  ['the manifest is written, and the answer lost', 1, 'PUT', /manifest\.json$/, { cutAfterBytes: 0 }],
])('%s: what is there is whole, and a later step completes it', async (_, side, method, pattern, fault) => {
  const { name, flink, sync, another } = await job();
  (proxies[side] as ObjectProxy).fault = first(5, method, pattern, fault);
  const outcome = await sync.step().catch((error: unknown) => error);
  if (outcome instanceof Error) expect(outcome).toMatchObject({ retryable: true });
  await whole(name, flink);
  (proxies[side] as ObjectProxy).fault = undefined;
  // As the process that saw it, or as one that was started anew.
  await (cases % 2 === 0 ? sync : another).step();
  expect(await whole(name, flink)).toEqual([1]);
});
