import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { listReplica, verifyPoint } from '../../replication/checkpoints/replica.ts';
import { fakeFlink } from '../support/fake-flink.ts';
import { type ObjectProxy, startObjectProxy } from '../support/object-proxy.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const access = { accessKeyId: 'tester', secretAccessKey: 'tester-secret', region: 'us-east-1', pathStyle: true };
const SYNC = ['checkpoints', 'sync', '--once'];

let folder: string;
const servers: ObjectServer[] = [];
let line: ObjectProxy;
let source: ObjectStore;
let target: ObjectStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-sync-once-'));
  for (const bucket of ['primary', 'replica']) servers.push(await startObjectServer({ buckets: [bucket] }));
  const [one, two] = servers as [ObjectServer, ObjectServer];
  line = await startObjectProxy(one.endpoint);
  source = s3ObjectStore({ ...access, endpoint: one.endpoint, bucket: 'primary' });
  target = s3ObjectStore({ ...access, endpoint: two.endpoint, bucket: 'replica' });
  const yaml = sampleYaml
    .replace('endpoint: http://127.0.1.1:9000', `region: us-east-1\n      endpoint: ${line.endpoint}`)
    .replace('endpoint: http://127.0.2.1:9000', `region: us-east-1\n      endpoint: ${two.endpoint}`)
    .replace('argus-flink-checkpoints\n', 'primary\n')
    .replace('argus-flink-checkpoints-replica', 'replica');
  await writeFile(join(folder, 'argus.yaml'), yaml);
});

afterAll(async () => {
  await source?.close();
  await target?.close();
  await line?.close();
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Starts the command; `heard` resolves when its stderr holds the text. */
function argus(...args: readonly string[]) {
  const keys = { MUMBAI_KEY: 'tester', MUMBAI_SECRET: 'tester-secret' };
  const others = { SINGAPORE_KEY: 'tester', SINGAPORE_SECRET: 'tester-secret', CLOUDFLARE_TOKEN: 'unused' };
  const env = { ...process.env, NO_COLOR: '1', ARGUS_CONFIG: join(folder, 'argus.yaml'), ...keys, ...others };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  const heard = async (pattern: RegExp) => {
    while (!pattern.test(said.err) && child.exitCode === null) await once(child.stderr, 'data');
  };
  return { child, ended, heard };
}

test('Ctrl-C leaves nothing that could be taken for a checkpoint; the same command goes on', async () => {
  const flink = fakeFlink({
    store: source,
    seed: 'sync-once',
    newFiles: () => Array.from({ length: 12 }, () => 900_000),
  });
  expect(await argus(...SYNC).ended).toMatchObject({ code: 1, out: 'counts: no complete checkpoint yet\n' });
  await flink.complete();

  line.bytesPerSecond = 400_000;
  const first = argus(...SYNC);
  await first.heard(/checkpoint 1: [1-9]\d* of 13 files, .*\/s, about .* left\n/);
  first.child.kill('SIGINT');
  const stopped = await first.ended;
  expect(stopped).toMatchObject({ code: 1, out: '' });
  expect(stopped.err).toMatch(/^counts: checkpoint 1: 0 of 13 files, 0 B of 10\.8 MB$/m);
  expect(stopped.err).toMatch(
    /^error: counts: the copy was interrupted; \d+ of 13 files of checkpoint 1 were copied$/m,
  );
  expect(stopped.err).toMatch(/^hint: .*the same command goes on from there$/m);
  expect((await listReplica(target, 'counts')).points).toEqual([]);

  line.bytesPerSecond = undefined;
  const second = await argus(...SYNC, '--json', '--job', 'counts').ended;
  expect(second.code, second.err).toBe(0);
  const result = JSON.parse(second.out);
  expect(result).toMatchObject({ job: 'counts', state: 'copied', newest: { checkpointId: 1 }, refused: [] });
  expect(result.filesCopied).toBeLessThan(13);
  const { points, objects } = await listReplica(target, 'counts', { hashMetadata: true });
  expect(points.map((point) => verifyPoint(point, objects))).toEqual([[]]);
  expect(await argus(...SYNC).ended).toMatchObject({ code: 0, out: 'counts: checkpoint 1 is on the replica\n' });
  expect(await argus(...SYNC, '--job', 'nobody').ended).toMatchObject({ code: 2, out: '' });
});
