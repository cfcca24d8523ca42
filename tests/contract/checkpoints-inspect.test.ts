import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { listReplica } from '../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import { FULL, putFullSample } from '../support/checkpoint-bucket.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} };
const [PRIMARY, REPLICA] = ['argus-flink-checkpoints', 'argus-flink-checkpoints-replica'];

let folder: string;
let servers: ObjectServer[] = [];
let source: ObjectStore;
let target: ObjectStore;

function storeAt(server: ObjectServer, bucket: string): ObjectStore {
  const { endpoint, accessKeyId, secretAccessKey } = server;
  return s3ObjectStore({ endpoint, bucket, accessKeyId, secretAccessKey, region: 'us-east-1', pathStyle: true });
}

/** The command as a process, which has to end with this code; nothing of Kafka, Flink or DNS is there. */
async function argus(expected: number, ...args: readonly string[]): Promise<string> {
  const config = join(folder, 'argus.yaml');
  const env = { ...process.env, NO_COLOR: '1', ARGUS_CONFIG: config, CLOUDFLARE_TOKEN: 'unused' };
  for (const name of ['MUMBAI', 'SINGAPORE']) {
    Object.assign(env, { [`${name}_KEY`]: 'tester', [`${name}_SECRET`]: 'tester-secret' });
  }
  const main = join(import.meta.dirname, '../../cli/main.ts');
  const ended = await promisify(execFile)(process.execPath, [main, 'checkpoints', ...args], { env }).then(
    (out) => ({ code: 0, ...out }),
    (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => error,
  );
  expect(ended.code, ended.stderr).toBe(expected);
  return ended.stdout;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-inspect-'));
  servers = [await startObjectServer({ buckets: [PRIMARY, 'flink-primary'] })];
  servers.push(await startObjectServer({ buckets: [REPLICA] }));
  const yaml = sampleYaml
    .replace('endpoint: http://127.0.1.1:9000', `region: us-east-1\n      endpoint: ${servers[0]?.endpoint}`)
    .replace('endpoint: http://127.0.2.1:9000', `region: us-east-1\n      endpoint: ${servers[1]?.endpoint}`)
    .replace(`bucket: ${PRIMARY}\n`, 'bucket: flink-primary\n');
  await writeFile(join(folder, 'argus.yaml'), yaml);
  source = storeAt(servers[0] as ObjectServer, 'flink-primary');
  target = storeAt(servers[1] as ObjectServer, REPLICA);
  await putFullSample(source);
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
  expect((await sync.step()).replicated).toMatchObject(FULL);
});

afterAll(async () => {
  await source?.close();
  await target?.close();
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test('show tells of the replica’s copy, of the primary’s own, and of a URI', { timeout: 60_000 }, async () => {
  const [copy, own, uri, missing] = await Promise.all([
    argus(0, 'show', '4', '--json'),
    argus(0, 'show', '4', '--source', '--job', FULL.flinkJobId),
    argus(0, 'show', `s3://flink-primary/checkpoints/${FULL.flinkJobId}/chk-4`, '--json'),
    argus(2, 'show', '5'),
  ]);
  const shown = JSON.parse(copy);
  expect(shown).toMatchObject({ region: 'singapore', checkpointId: '4', transactionsDropped: true, others: [] });
  expect(JSON.parse(uri)).toMatchObject({ region: 'mumbai', sourceOffsets: shown.sourceOffsets });
  expect(own).toContain(`Flink job id   ${FULL.flinkJobId}`);
  expect(own).toMatch(/-0 {2}6470\n.*-1 {2}5650\n/);
  expect(own).toMatch(/sink transactions: \d+\n {2}\S+ {2}producer \d+, epoch \d+\n/);
  expect(missing).toBe('');
});

test('verify reads every byte, and names the file in which one bit is another', { timeout: 60_000 }, async () => {
  const good = await argus(0, 'verify', '--json');
  expect(JSON.parse(good)).toMatchObject({
    ok: true,
    firstDifference: null,
    checkpoints: [{ ...FULL, state: 'same', unprovenFiles: 0 }],
  });

  const { points } = await listReplica(target, 'counts');
  const file = points[0]?.manifest.files.find((f) => f.sizeBytes > 1_000);
  const key = file?.key ?? '';
  const body = (await target.get(key))?.body ?? new Uint8Array();
  const changed = body.map((byte, i) => (i === 999 ? byte ^ 1 : byte));
  await target.put(key, changed);
  const bad = await argus(1, 'verify', '--checkpoint', '4');
  expect(bad).toContain(`singapore differs first in checkpoint 4 of counts: ${key} is not what was copied`);
  await target.put(key, body);
  await argus(0, 'verify', '--job', 'counts');
});

test('a file that is too large for memory is hashed on its way, and read again in pieces', async () => {
  const [{ manifest } = { manifest: undefined }] = (await listReplica(target, 'counts')).points;
  if (manifest === undefined) throw new Error('no point');
  const sizeBytes = 256 << 20;
  const piece = Buffer.alloc(1 << 20, 'argus');
  const stream = Readable.from(
    (function* () {
      for (let i = 0; i < 256; i++) yield piece;
    })(),
    { objectMode: false },
  );
  await target.put('large', { stream, sizeBytes });
  const checksum = { sha256: '0'.repeat(64), sizeBytes };
  const files = [{ key: 'large', sizeBytes, sizeRule: 'exact' as const, etag: '', checksum }];
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const result = await verifyCheckpoints({
    store: target,
    manifests: [{ ...manifest, files: [...manifest.files, ...files] }],
    onProgress: () => {
      peak = Math.max(peak, process.memoryUsage.rss());
    },
  });
  expect(result.checkpoints[0]?.differences.map((d) => [d.key, d.code])).toEqual([['large', 'BytesDiffer']]);
  // Half of it: what is read waits for the garbage collector, so less would be told by chance.
  expect(peak - before).toBeLessThan(sizeBytes / 2);
  await target.delete('large');
});
