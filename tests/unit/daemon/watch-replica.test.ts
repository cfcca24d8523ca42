import { expect, test } from 'vitest';
import { watchReplica } from '../../../daemon/watch-replica.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { listReplica, verifyPoint } from '../../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../../replication/checkpoints/sync.ts';
import { readReplicaHealth } from '../../../state/replica-health.ts';
import { fakeFlink } from '../../support/fake-flink.ts';
import { quietLog } from './quiet-log.ts';

const JOB = 'counts';
const FILES = 'argus/replica/counts/files/';

async function setting(options: { readonly retained?: number } = {}) {
  let at = 1_000_000;
  const clock = { now: () => at, monotonic: () => at, sleep: async () => {} };
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary', now: clock.now });
  const target = memoryObjectStore('standby', { uri: 's3://replica', now: clock.now });
  const state = memoryObjectStore('state');
  const flink = fakeFlink({ store: source, seed: 'watch', newFiles: () => [500, 600], liveFiles: 4, ...options });
  const sync = createCheckpointSync({ job: JOB, prefix: 'checkpoints', source, target, clock });
  const log = quietLog();
  const watch = watchReplica({ state, target: { name: 'singapore', objects: target }, clock, log, periodMs: 60_000 });
  /** Completes a checkpoint and copies it. */
  const next = async () => {
    await flink.complete();
    await flink.subsume();
    return (await sync.step()).replicated;
  };
  const look = async (ms = 60_000) => {
    at += ms;
    target.calls.length = 0;
    await watch.look(JOB, sync, new AbortController().signal);
    return (await readReplicaHealth(state, 'singapore'))?.jobs[JOB];
  };
  const problems = async () => {
    const { points, objects } = await listReplica(target, JOB, { hashMetadata: true });
    return points.flatMap((point) => verifyPoint(point, objects).map((problem) => problem.code));
  };
  return { clock, source, target, state, flink, sync, log, next, look, problems };
}

test('a look costs one listing, and reads only of what is new', async () => {
  const { target, next, look, log } = await setting();
  await next();
  await next();
  expect(await look()).toMatchObject({ verified: { checkpoints: 2, files: 6, damagedFiles: 0, damaged: [] } });
  expect(target.calls.filter((c) => !c.startsWith('get '))).toEqual(['list argus/replica/counts/']);
  expect(target.calls.filter((c) => c.startsWith('get ')).length).toBe(4);
  await look();
  expect(target.calls).toEqual(['list argus/replica/counts/']);
  await next();
  await look();
  expect(target.calls.filter((c) => c.startsWith('get ')).length).toBe(2);
  await look(1_000);
  expect(target.calls).toEqual([]);
  expect(log.lines).toEqual([]);
});

test.each<[string, (target: ReturnType<typeof memoryObjectStore>, key: string) => Promise<unknown>]>([
  ['is gone', (target, key) => target.delete(key)],
  ['has another size', (target, key) => target.put(key, new Uint8Array(3))],
  ['was overwritten', async (target, key) => target.put(key, new Uint8Array((await target.head(key))?.sizeBytes ?? 0))],
])('a file that %s is copied again while the primary has it', async (_, damage) => {
  const { target, next, look, log, problems } = await setting({ retained: 2 });
  const manifest = await next();
  await next();
  await look();
  const key = manifest?.files.find((file) => file.key.includes('/shared/'))?.key ?? '';
  await damage(target, key);
  // Both checkpoints need it.
  expect(await problems()).toHaveLength(2);
  expect(await look()).toMatchObject({ verified: { damagedFiles: 0 } });
  expect(await problems()).toEqual([]);
  expect(log.lines.map((line) => line.message)).toEqual(['1 damaged files were copied again to the replica']);
});

test('a file that the primary has no more is told, in the log once, and by the state', async () => {
  const { source, target, next, look, log, problems } = await setting();
  const manifest = await next();
  const key = manifest?.files.find((file) => file.key.includes('/shared/'))?.key ?? '';
  await target.delete(key);
  await source.delete(key.slice(FILES.length));
  const message = `${key} is not on the replica`;
  const seen = { damagedFiles: 1, damaged: [{ checkpointId: 1, code: 'FileMissing', message }] };
  expect(await look()).toMatchObject({ verified: seen });
  await look();
  expect(log.lines.filter((line) => line.level !== 'debug')).toEqual([
    { level: 'error', facts: { job: JOB }, message: `checkpoint 1 on the replica is damaged: ${message}` },
  ]);
  expect(await problems()).toEqual(['FileMissing']);
});

test('a checkpoint whose metadata is damaged is replicated again while Flink keeps it', async () => {
  const { target, sync, next, look, problems } = await setting();
  const manifest = await next();
  await target.put(manifest?.metadata.key ?? '', new Uint8Array(manifest?.metadata.sizeBytes ?? 0));
  expect(await look()).toMatchObject({ verified: { damaged: [{ code: 'MetadataDamaged' }] } });
  expect((await sync.step()).replicated?.checkpointId).toBe(1);
  expect(await problems()).toEqual([]);
  expect(await look()).toMatchObject({ verified: { damagedFiles: 0 } });
});

test('a primary that is dark keeps nobody from looking', async () => {
  const { source, target, next, look, log } = await setting();
  const manifest = await next();
  const key = manifest?.files[0]?.key ?? '';
  await target.delete(key);
  for (const call of ['get', 'open', 'head'] as const) {
    Object.assign(source, { [call]: () => Promise.reject(new Error('the line is cut')) });
  }
  expect(await look()).toMatchObject({ verified: { damagedFiles: 1 } });
  const told = log.lines.map((line) => line.message);
  expect(told).toEqual([
    "the replica can't be verified or mended: the line is cut",
    `checkpoint 1 on the replica is damaged: ${key} is not on the replica`,
  ]);
});

test('copies that don’t keep up are told once, and when they do again', async () => {
  const { source, flink, sync, next, look, log } = await setting();
  await next();
  expect((await look())?.slow).toBeUndefined();
  const { get } = source;
  let turning: Promise<unknown> | undefined;
  const lose = async (...args: Parameters<typeof get>) => {
    turning ??= args[0].endsWith('/_metadata') ? undefined : flink.complete().then(() => flink.subsume());
    await turning;
    return get(...args);
  };
  await flink.complete();
  await flink.subsume();
  Object.assign(source, { get: lose });
  for (let n = 0; n < 3; n++) {
    turning = undefined;
    expect((await sync.step()).superseded).toBeDefined();
    await look();
  }
  expect(await look()).toMatchObject({ slow: { code: 'CopySlowerThanCheckpoints' } });
  Object.assign(source, { get });
  await sync.step();
  expect((await look())?.slow).toBeUndefined();
  expect(log.lines.map((line) => line.message)).toEqual([
    expect.stringMatching(/^Flink removed the last 2 checkpoints before their copies were complete .* raise /),
    'the copies keep up with the checkpoints again',
  ]);
});
