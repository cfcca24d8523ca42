import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock as clock } from '../../daemon/wall-clock.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { filesFolder, pointFolder, pointsFolder } from '../../replication/checkpoints/locations.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { type FakeFlink, fakeFlink } from '../support/fake-flink.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

const access = { accessKeyId: 'tester', secretAccessKey: 'tester-secret', region: 'us-east-1', pathStyle: true };
const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const shiftClock = fileURLToPath(new URL('../support/shift-clock.ts', import.meta.url));

let folder: string;
let servers: readonly ObjectServer[];
const stores: ObjectStore[] = [];
let cases = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-bad-input-'));
  const buckets = Array.from({ length: 20 }, (_, n) => `case-${n + 1}`);
  servers = [await startObjectServer({ buckets }), await startObjectServer({ buckets })];
});

afterAll(async () => {
  for (const store of stores) await store.close();
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Case {
  readonly source: ObjectStore;
  readonly target: ObjectStore;
  /** With one checkpoint so far, 1. */
  readonly flink: FakeFlink;
  /** Runs the command as a process with this configuration. */
  argus(args: string, env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** Every object of both buckets, with its ETag. */
  picture(): Promise<readonly string[]>;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Two buckets of its own, and a configuration that names them, changed as asked. Kafka, Flink and DNS are not there. */
async function bad(change: (yaml: string) => string = (yaml) => yaml): Promise<Case> {
  const bucket = `case-${++cases}`;
  const [source, target] = servers.map(({ endpoint }) => {
    const store = s3ObjectStore({ ...access, endpoint, bucket });
    stores.push(store);
    return store;
  }) as [ObjectStore, ObjectStore];
  const yaml = sampleYaml
    .replace('endpoint: http://127.0.1.1:9000', `region: us-east-1\n      endpoint: ${servers[0]?.endpoint}`)
    .replace('endpoint: http://127.0.2.1:9000', `region: us-east-1\n      endpoint: ${servers[1]?.endpoint}`)
    .replace('argus-flink-checkpoints\n', `${bucket}\n`)
    .replace('argus-flink-checkpoints-replica', bucket)
    .replace('file:./state', `file:./state-${cases}`);
  const config = join(folder, `${bucket}.yaml`);
  await writeFile(config, change(yaml));
  const flink = fakeFlink({ store: source, seed: bucket, newFiles: () => [4_000, 5_000] });
  await flink.complete();
  return {
    source,
    target,
    flink,
    async argus(args, given = {}) {
      const env = {
        ...process.env,
        NO_COLOR: '1',
        ARGUS_CONFIG: config,
        CLOUDFLARE_TOKEN: 'unused',
        ...KEYS,
        ...given,
      };
      return promisify(execFile)(process.execPath, [main, ...args.split(' ')], { env }).then(
        (out) => ({ code: 0, ...out }),
        (error: Ended) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
      );
    },
    async picture() {
      const all = await Promise.all([source, target].map(async (store) => (await store.list('')).objects));
      return all.flatMap((objects, side) => objects.map(({ key, etag }) => `${side} ${key} ${etag}`));
    },
  };
}

const KEYS = Object.fromEntries(
  ['MUMBAI', 'SINGAPORE'].flatMap((name) => [
    [`${name}_KEY`, access.accessKeyId],
    [`${name}_SECRET`, access.secretAccessKey],
  ]),
);

const SYNC = 'checkpoints sync --once';

/** One error that names the thing, one hint, nothing on stdout, the exit code, and not an object more or less. */
async function expectRefused(
  at: Case,
  args: string,
  expected: { readonly code: number; readonly error: RegExp; readonly hint: RegExp },
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const before = await at.picture();
  const ended = await at.argus(args, env);
  expect(ended.stderr).toMatch(expected.error);
  expect(ended.stderr.match(/^hint: .*$/gm)).toEqual([expect.stringMatching(expected.hint)]);
  expect(ended.stderr).not.toContain('tester-secret');
  expect([ended.code, ended.stdout]).toEqual([expected.code, '']);
  expect(await at.picture()).toEqual(before);
}

test.each<[string, Readonly<Record<string, string>>]>([
  ['an access key that nobody knows', { MUMBAI_KEY: 'nobody' }],
  ['a wrong secret for the primary’s bucket', { MUMBAI_SECRET: 'wrong' }],
  ['a wrong secret for the replica’s bucket', { SINGAPORE_SECRET: 'wrong' }],
])('%s', async (_, env) => {
  const at = await bad();
  const expected = { code: 2, error: /^error: .* refused the credentials \(/m, hint: /Check the access key/ };
  await expectRefused(at, SYNC, expected, env);
});

test.each(['mumbai', 'singapore'])('a bucket in %s that does not exist', async (region) => {
  const at = await bad((yaml) => {
    const from = yaml.indexOf(`${region}:`);
    return yaml.slice(0, from) + yaml.slice(from).replace(/bucket: \S+/, 'bucket: no-such-bucket');
  });
  const expected = { code: 2, error: /^error: .*there is no such bucket at /m, hint: /Create the bucket/ };
  await expectRefused(at, SYNC, expected);
});

test('a replica in the bucket of the primary, by the same address and by another', async () => {
  const [one = ''] = servers.map((server) => server.endpoint);
  const same = await bad((yaml) => yaml.replaceAll(servers[1]?.endpoint ?? '', one));
  const told = { code: 2, error: /both regions name the same bucket at the same endpoint/, hint: /./ };
  await expectRefused(same, SYNC, told);

  const other = await bad((yaml) => yaml.replaceAll(servers[1]?.endpoint ?? '', one.replace('127.0.0.1', 'localhost')));
  const seen = { code: 2, error: /^error: the bucket of the standby .* is that of the primary/m, hint: /of its own/ };
  await expectRefused(other, SYNC, seen);
});

test('a clock that is an hour wrong, and one that is two minutes wrong', async () => {
  const at = await bad();
  const wrong = (ms: number) => ({ NODE_OPTIONS: `--import ${shiftClock}`, SHIFT_CLOCK_MS: String(ms) });
  const [ahead, behind] = await Promise.all([
    at.argus(SYNC, wrong(3_600_000)),
    at.argus(`${SYNC} --json`, wrong(-3_600_000)),
  ]);
  expect([ahead.code, behind.code]).toEqual([2, 2]);
  expect(ahead.stderr).toMatch(/the clocks of http:\S+ and of this machine differ by 3\d{3} s: this one is ahead/);
  expect(ahead.stderr).toMatch(/^hint: .*NTP/m);
  expect(JSON.parse(behind.stderr.trim().split('\n').at(-1) ?? '').error.message).toMatch(/this one is behind/);
  expect((await at.target.list('')).objects).toEqual([]);

  const two = await at.argus(SYNC, wrong(120_000));
  expect(two.stderr).toMatch(/^warning: .* clock is 1\d\d s ahead of that of the object store of mumbai/m);
  expect([two.code, two.stdout]).toEqual([0, expect.stringContaining('checkpoint 1 is on the replica')]);
});

test('foreign objects beside the checkpoints and in the replica are left alone', async () => {
  const at = await bad();
  const { source, target } = at;
  const run = `checkpoints/${at.flink.flinkJobId}`;
  const foreign = {
    source: [
      'checkpoints/README',
      `${run}/notes.txt`,
      `${run}/chk-abc/_metadata`,
      `${run}/chk-9x/_metadata`,
      `${run}/chk-7/left`,
    ],
    target: [
      'README',
      'argus/replica/counts/notes',
      `${pointsFolder('counts')}old/manifest.json`,
      `${pointsFolder('counts')}x`,
    ],
  };
  for (const key of foreign.source) await source.put(key, new Uint8Array(3));
  for (const key of [...foreign.target, `${filesFolder('counts')}strange`]) await target.put(key, new Uint8Array(3));
  const once = await at.argus(SYNC);
  expect([once.code, once.stdout]).toEqual([
    0,
    expect.stringContaining('counts: checkpoint 1 is on the replica (3 files'),
  ]);
  expect(once.stderr).toMatch(/^counts: checkpoint 1: 0 of 3 files, 0 B of 10 KB$/m);
  const verify = await at.argus('checkpoints verify');
  expect([verify.code, verify.stderr.match(/^error.*/m)]).toEqual([0, null]);
  const there = [(await source.list('')).objects, (await target.list('')).objects].map((o) => o.map(({ key }) => key));
  expect(there[0]).toEqual(expect.arrayContaining(foreign.source));
  expect(there[1]).toEqual(expect.arrayContaining([...foreign.target, `${filesFolder('counts')}strange`]));
});

test('a manifest that is half written is told, and replaced', async () => {
  const at = await bad();
  const { source, target } = at;
  await createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock }).step();
  const key = `${pointFolder('counts', { flinkJobId: at.flink.flinkJobId, checkpointId: 1 })}/manifest.json`;
  const whole = (await target.get(key))?.body ?? new Uint8Array();
  await target.put(key, whole.slice(0, whole.length / 2));
  const [list, verify] = await Promise.all([at.argus('checkpoints list'), at.argus('checkpoints verify')]);
  expect([list.code, list.stdout]).toEqual([0, expect.stringContaining(`ManifestInvalid: ${key} is not JSON`)]);
  expect([verify.code, verify.stdout]).toEqual([1, expect.stringContaining(key)]);
  expect(await at.argus(SYNC)).toMatchObject({ code: 0 });
});

test('a manifest that a newer Argus wrote is left alone, and nothing is copied beside it', async () => {
  const at = await bad();
  const { target } = at;
  await at.flink.complete();
  const key = `${pointFolder('counts', { flinkJobId: at.flink.flinkJobId, checkpointId: 1 })}/manifest.json`;
  await target.put(key, new TextEncoder().encode('{"version":2,"files":{}}'));
  const error = /^error: \S+manifest\.json has version 2, which a newer Argus wrote/m;
  await expectRefused(at, SYNC, { code: 3, error, hint: /update this Argus/ });
});

test('metadata that can’t be read is refused, and without another checkpoint nothing is written', async () => {
  const at = await bad();
  await at.source.put(`checkpoints/${at.flink.flinkJobId}/chk-1/_metadata`, new Uint8Array(40));
  const before = await at.picture();
  const ended = await at.argus(SYNC);
  const told =
    /nothing is on the replica; a newer one is refused\n {2}checkpoint 1: CheckpointMetadataInvalid: .*byte \d+/;
  expect([ended.code, ended.stdout]).toEqual([3, expect.stringMatching(told)]);
  expect(await at.picture()).toEqual(before);
});

test.each<[string, (whole: Uint8Array) => Uint8Array, RegExp]>([
  ['of an unknown version', (whole) => Uint8Array.from(whole, (byte, n) => (n === 7 ? 9 : byte)), /metadata version 9/],
  ['that is cut short', (whole) => whole.slice(0, whole.length / 2), /bytes are needed, \d+ are left \(at byte \d+\)/],
  ['of random bytes', (whole) => Uint8Array.from(whole, (_, n) => (n * 193) & 255), /not a checkpoint metadata file/],
])('metadata %s is refused by name, and an older checkpoint is copied', async (_, damage, named) => {
  const at = await bad();
  const { source, target } = at;
  const metadata = `checkpoints/${at.flink.flinkJobId}/chk-1/_metadata`;
  const whole = (await source.get(metadata))?.body ?? new Uint8Array();
  await at.flink.complete();
  await source.put(metadata.replace('chk-1', 'chk-2'), damage(whole));
  const beside = await at.argus(`${SYNC} --json`);
  expect(beside.code).toBe(3);
  expect(JSON.parse(beside.stdout)).toMatchObject({
    state: 'refused',
    newest: { checkpointId: 1 },
    refused: [{ checkpointId: 2, code: 'CheckpointMetadataInvalid', message: expect.stringMatching(named) }],
  });
  expect((await target.list(pointsFolder('counts'))).objects).toHaveLength(2);
});
