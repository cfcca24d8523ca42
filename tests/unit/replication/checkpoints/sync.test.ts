import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../../domain/clock.ts';
import { ArgusError } from '../../../../domain/errors.ts';
import { COMMITTER_STATE, listStates } from '../../../../regions/flink/kafka-state.ts';
import { fileReferences } from '../../../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../../../regions/flink/metadata-writer.ts';
import { type MemoryObjectStore, memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { completedCheckpoints, flinkJobIdOf, newestFlinkJobId } from '../../../../replication/checkpoints/catalogue.ts';
import { pointFolder } from '../../../../replication/checkpoints/locations.ts';
import { listReplica, verifyPoint } from '../../../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { FULL, putFullSample } from '../../../support/checkpoint-bucket.ts';
import { flinkSample } from '../../../support/flink-samples.ts';

const JOB = 'counts';
const RUN = FULL.flinkJobId;
const DIRECTORY = `checkpoints/${RUN}/chk-4`;

function clockAt(start: number): Clock & { advance(ms: number): void } {
  let at = start;
  return {
    now: () => at,
    monotonic: () => at,
    sleep: async () => {},
    advance(ms) {
      at += ms;
    },
  };
}

async function lab() {
  const clock = clockAt(1_000_000);
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary', now: clock.now });
  const target = memoryObjectStore('standby', { uri: 's3://replica', now: clock.now });
  const keys = await putFullSample(source);
  const restart = () => createCheckpointSync({ job: JOB, prefix: 'checkpoints', source, target, clock });
  source.calls.length = 0;
  return { clock, source, target, keys, restart };
}

/** The same checkpoint under another id. */
async function putAs(store: MemoryObjectStore, id: number) {
  const metadata = readMetadata(flinkSample('v6-full').bytes);
  const files = fileReferences(metadata, '').filter((f) => f.uri.startsWith('/'));
  for (const file of files) {
    const found = await store.get(DIRECTORY + file.uri);
    if (found !== undefined) await store.put(`checkpoints/${RUN}/chk-${id}${file.uri}`, found.body);
  }
  await store.put(`checkpoints/${RUN}/chk-${id}/_metadata`, writeMetadata({ ...metadata, checkpointId: BigInt(id) }));
}

test('a completed checkpoint becomes a complete point: files, then metadata, then the manifest', async () => {
  const { source, target, keys, restart } = await lab();
  const sync = restart();
  const { replicated } = await sync.step();
  const writes = target.calls.filter((c) => c.startsWith('put ')).map((c) => c.slice(4));
  const folder = pointFolder(JOB, FULL);
  expect(writes.slice(-2)).toEqual([`${folder}/_metadata`, `${folder}/manifest.json`]);
  expect(writes.slice(0, -2).sort()).toEqual(keys.map((key) => `argus/replica/counts/files/${key}`).sort());
  expect(replicated).toMatchObject({
    ...FULL,
    sourceUri: `s3://flink-primary/${DIRECTORY}`,
    replicaUri: `s3://replica/${folder}`,
    metadataVersion: 6,
  });
  expect(replicated?.sourceOffsets.map((o) => [o.partition, o.offset])).toEqual([
    [0, '6470'],
    [1, '5650'],
  ]);
  const replica = await listReplica(target, JOB, { hashMetadata: true });
  expect(replica.problems).toEqual([]);
  expect(replica.points.map((p) => p.manifest)).toEqual([replicated]);
  expect(verifyPoint(replica.points[0]!, replica.objects)).toEqual([]);
  for (const key of keys) {
    const copy = await target.get(`argus/replica/counts/files/${key}`);
    expect(Buffer.from(copy?.body ?? []).equals((await source.get(key))?.body ?? new Uint8Array(1))).toBe(true);
  }
});

test('the relocated metadata needs nothing of the primary and commits nothing', async () => {
  const { target, keys, restart } = await lab();
  const { replicated } = await restart().step();
  const bytes = (await target.get(replicated?.metadata.key ?? ''))?.body ?? new Uint8Array();
  expect(Buffer.from(bytes).includes('flink-primary')).toBe(false);
  const metadata = readMetadata(bytes);
  expect(listStates(metadata, COMMITTER_STATE)).toEqual([]);
  expect(
    fileReferences(metadata, 'nowhere')
      .map((f) => f.uri)
      .sort(),
  ).toEqual(keys.map((key) => `s3://replica/argus/replica/counts/files/${key}`).sort());
});

test('a step without news copies nothing and lists nothing but the run’s directories', async () => {
  const { source, target, restart } = await lab();
  const sync = restart();
  await sync.step();
  source.calls.length = 0;
  target.calls.length = 0;
  const step = await sync.step();
  expect(step).toEqual({ refused: [], more: false });
  expect(source.calls).toEqual([`list checkpoints/${RUN}/`]);
  expect(target.calls).toEqual([]);
});

test('a next checkpoint costs only what changed', async () => {
  const { source, target, restart } = await lab();
  const sync = restart();
  await sync.step();
  await putAs(source, 5);
  source.calls.length = 0;
  target.calls.length = 0;
  const { replicated } = await sync.step();
  expect(replicated?.checkpointId).toBe(5);
  const copied = target.calls.filter((c) => c.startsWith('put argus/replica/counts/files/'));
  expect(copied.length).toBeGreaterThan(0);
  expect(copied.every((c) => c.includes('/chk-5/'))).toBe(true);
  expect(source.calls.some((c) => c.includes('/shared/'))).toBe(false);
});

test('a new process finds out what is there and copies nothing again', async () => {
  const { target, restart } = await lab();
  await restart().step();
  target.calls.length = 0;
  const again = restart();
  expect((await again.step()).replicated).toBeUndefined();
  expect(target.calls.filter((c) => c.startsWith('put '))).toEqual([]);
  expect(again.status().newest?.checkpointId).toBe(4);
});

test('an interrupted copy is continued, and until then has no manifest', async () => {
  const { source, target, keys, restart } = await lab();
  let left = 5;
  const failing = {
    ...target,
    put: (...args: Parameters<typeof target.put>) => {
      if (left-- <= 0) throw new ArgusError('ObjectStoreUnreachable', 'gone');
      return target.put(...args);
    },
  };
  const clock = clockAt(0);
  const sync = createCheckpointSync({
    job: JOB,
    prefix: 'checkpoints',
    source,
    target: failing,
    clock,
    parallelism: 1,
  });
  await expect(sync.step()).rejects.toMatchObject({ code: 'ObjectStoreUnreachable' });
  expect((await listReplica(target, JOB)).points).toEqual([]);
  target.calls.length = 0;
  left = Number.POSITIVE_INFINITY;
  expect((await sync.step()).replicated?.checkpointId).toBe(4);
  expect(target.calls.filter((c) => c.startsWith('put ')).length).toBe(keys.length - 5 + 2);
  expect((await restart().step()).replicated).toBeUndefined();
});

test('a point whose manifest is missing is reported, copied again, and not fatal', async () => {
  const { target, restart } = await lab();
  await restart().step();
  await target.delete(`${pointFolder(JOB, FULL)}/manifest.json`);
  expect((await listReplica(target, JOB)).problems).toMatchObject([{ code: 'HalfWritten' }]);
  expect((await restart().step()).replicated?.checkpointId).toBe(4);
});

test.each([
  ['ManifestInvalid', 'not json'],
  ['ManifestInvalid', '{"version":1}'],
  ['ManifestNewer', '{"version":2}'],
])('a manifest that is %s (%s) is reported', async (code, text) => {
  const { target, restart } = await lab();
  await restart().step();
  await target.put(`${pointFolder(JOB, FULL)}/manifest.json`, new TextEncoder().encode(text));
  const replica = await listReplica(target, JOB);
  expect(replica.points).toEqual([]);
  expect(replica.problems).toMatchObject([{ code }]);
  if (code === 'ManifestNewer') {
    await expect(restart().step()).rejects.toMatchObject({ code, exitCode: 3 });
    expect((await listReplica(target, JOB)).problems).toMatchObject([{ code }]);
    return;
  }
  expect((await restart().step()).replicated).toMatchObject(FULL);
  expect((await listReplica(target, JOB)).problems).toEqual([]);
});

test('a manifest of another job is foreign', async () => {
  const { target, restart } = await lab();
  const { replicated } = await restart().step();
  const foreign = new TextEncoder().encode(JSON.stringify({ ...replicated, job: 'another' }));
  await target.put(`${pointFolder(JOB, FULL)}/manifest.json`, foreign);
  expect((await listReplica(target, JOB)).problems).toMatchObject([{ code: 'ManifestForeign' }]);
});

test('what a killed process left is believed only where it has the ETag of its source', async () => {
  const { source, target, keys, restart } = await lab();
  const [whole = '', part = '', ...rest] = keys;
  await target.put(`argus/replica/counts/files/${whole}`, (await source.get(whole))?.body ?? new Uint8Array());
  // Its full size, and nothing in it.
  await target.put(`argus/replica/counts/files/${part}`, new Uint8Array((await source.head(part))?.sizeBytes ?? 0));
  target.calls.length = 0;
  await restart().step();
  const copied = target.calls.filter((c) => c.startsWith('put argus/replica/counts/files/')).map((c) => c.slice(31));
  expect(copied.sort()).toEqual([part, ...rest].sort());
  source.calls.length = 0;
  await putAs(source, 5);
  await restart().step();
  expect(source.calls.filter((c) => c.startsWith('head ') && !c.endsWith('/_metadata'))).toEqual([]);
});

test('the newest is copied first, then the older ones', async () => {
  const { source, restart } = await lab();
  await putAs(source, 5);
  await putAs(source, 12);
  const sync = restart();
  const order: (number | undefined)[] = [];
  for (let more = true; more; ) {
    const step = await sync.step();
    order.push(step.replicated?.checkpointId);
    more = step.more;
  }
  expect(order).toEqual([12, 5, 4]);
});

test('a checkpoint in progress is passed over', async () => {
  const { source, restart } = await lab();
  await source.put(`checkpoints/${RUN}/chk-5/some-state`, new Uint8Array(3));
  expect((await restart().step()).replicated?.checkpointId).toBe(4);
});

test('a checkpoint that Flink removes during the copy is superseded, not an error', async () => {
  const { source, target, clock } = await lab();
  const removing = {
    ...source,
    async get(...args: Parameters<typeof source.get>) {
      if (!args[0].endsWith('/_metadata'))
        for (const { key } of (await source.list(`${DIRECTORY}/`)).objects) await source.delete(key);
      return source.get(...args);
    },
  };
  const sync = createCheckpointSync({ job: JOB, prefix: 'checkpoints', source: removing, target, clock });
  expect(await sync.step()).toEqual({ superseded: 4, refused: [], more: true });
  expect(await sync.step()).toEqual({ refused: [], more: false });
  expect((await listReplica(target, JOB)).points).toEqual([]);
});

describe('a checkpoint that is damaged at its source is refused once, and an older one taken', () => {
  test.each<[string, (source: MemoryObjectStore, key: string) => Promise<unknown>]>([
    ['FileMissingAtSource', (source, key) => source.delete(key)],
    ['FileSizeDiffersAtSource', (source, key) => source.put(key, new Uint8Array(1))],
    ['CheckpointMetadataInvalid', (source) => source.put(`checkpoints/${RUN}/chk-5/_metadata`, new Uint8Array(40))],
  ])('%s', async (code, damage) => {
    const { source, restart } = await lab();
    await putAs(source, 5);
    const own = (await source.list(`checkpoints/${RUN}/chk-5/`)).objects.find((o) => !o.key.endsWith('/_metadata'));
    await damage(source, own?.key ?? '');
    const sync = restart();
    const step = await sync.step();
    expect(step.refused).toMatchObject([{ checkpointId: 5, code }]);
    expect(step.replicated?.checkpointId).toBe(4);
    expect((await sync.step()).refused).toEqual([]);
    expect(sync.status().refused).toBe(1);
  });

  test('CheckpointOutsideBucket', async () => {
    const { source, target, clock } = await lab();
    const elsewhere = { ...source, uri: 's3://another-bucket' };
    const sync = createCheckpointSync({ job: JOB, prefix: 'checkpoints', source: elsewhere, target, clock });
    expect((await sync.step()).refused).toMatchObject([{ code: 'CheckpointOutsideBucket' }]);
  });
});

test('a file that somebody removes from the replica is found by verification and copied again after a while', async () => {
  const { source, target, clock, restart } = await lab();
  const sync = restart();
  const { replicated } = await sync.step();
  const lost = replicated?.files[0]?.key ?? '';
  await target.delete(lost);
  const replica = await listReplica(target, JOB);
  expect(verifyPoint(replica.points[0]!, replica.objects)).toMatchObject([{ code: 'FileMissing' }]);
  clock.advance(301_000);
  await putAs(source, 5);
  const file = lost.split('/').at(-1) ?? '';
  await sync.step();
  const again = (await target.list('argus/replica/counts/files/')).objects.filter((o) => o.key.endsWith(file));
  expect(again.length).toBeGreaterThan(0);
});

test('the run is Flink’s word, and the newest in the bucket when Flink is silent', async () => {
  const { source, clock } = await lab();
  const other = 'f'.repeat(32);
  clock.advance(1_000);
  await source.put(`checkpoints/${other}/chk-1/_metadata`, new Uint8Array(1));
  expect(await newestFlinkJobId(source, 'checkpoints')).toBe(other);
  const target = memoryObjectStore('standby', { uri: 's3://replica' });
  let told: string | undefined = RUN;
  const sync = createCheckpointSync({
    job: JOB,
    prefix: 'checkpoints',
    source,
    target,
    clock,
    flinkJobId: async () => {
      if (told === undefined) throw new Error('Flink is down');
      return told;
    },
  });
  expect((await sync.step()).replicated?.flinkJobId).toBe(RUN);
  told = undefined;
  clock.advance(60_000);
  expect((await sync.step()).refused).toEqual([]);
});

test('of the runs with one name the newest that has not ended counts, else the newest', () => {
  const run = (id: string, startedAtMs: number, state: string, name = JOB) => ({ id, name, state, startedAtMs });
  expect(flinkJobIdOf([run('a', 1, 'RUNNING'), run('b', 2, 'FAILED')], JOB)).toBe('a');
  expect(flinkJobIdOf([run('a', 1, 'FAILED'), run('b', 2, 'CANCELED')], JOB)).toBe('b');
  expect(flinkJobIdOf([run('a', 1, 'RUNNING', 'other')], JOB)).toBeUndefined();
  // As its folder has it, where that is another.
  expect(flinkJobIdOf([{ ...run('a', 1, 'RUNNING'), flinkId: 'f' }], JOB)).toBe('f');
});

test('completed checkpoints are listed without shared files, newest first', async () => {
  const { source } = await lab();
  await putAs(source, 11);
  await source.put(`checkpoints/${RUN}/chk-12/in-progress`, new Uint8Array(1));
  source.calls.length = 0;
  const completed = await completedCheckpoints(source, 'checkpoints', RUN);
  expect(completed.map((c) => c.checkpointId)).toEqual([11, 4]);
  expect(source.calls.filter((c) => c.startsWith('list '))).toEqual([`list checkpoints/${RUN}/`]);
});
