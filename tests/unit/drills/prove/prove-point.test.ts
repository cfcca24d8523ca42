import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { causesOfRefused } from '../../../../drills/prove/causes.ts';
import { causeOfRange } from '../../../../drills/prove/prove-mirror.ts';
import { provePoints } from '../../../../drills/prove/prove-point.ts';
import { proveReplica } from '../../../../drills/prove/prove-replica.ts';
import { proveSources } from '../../../../drills/prove/prove-sources.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../../../regions/flink/metadata-writer.ts';
import { type MemoryObjectStore, memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { Region } from '../../../../regions/region.ts';
import { withSplitsChanged } from '../../../../replication/checkpoints/change-sources.ts';
import { listReplica } from '../../../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { putFullSample, putFullSampleAs } from '../../../support/checkpoint-bucket.ts';
import { flipByte, removeFile, shiftOffset } from '../../../support/damage-replica.ts';
import { SAMPLE_BUCKET } from '../../../support/flink-samples.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

let primary: MemoryObjectStore;
let standby: MemoryObjectStore;
let point: CheckpointManifest;
const { signal } = new AbortController();

beforeEach(async () => {
  primary = memoryObjectStore('primary', { uri: `s3://${SAMPLE_BUCKET}` });
  standby = memoryObjectStore('replica', { uri: 's3://replica' });
  await putFullSample(primary);
  const sync = createCheckpointSync({
    job: 'counts',
    prefix: 'checkpoints',
    source: primary,
    target: standby,
    clock: virtualClock(),
  });
  await sync.step();
  await putFullSampleAs(primary, 5);
  point = (await sync.step()).replicated as CheckpointManifest;
});

const manifests = async () => (await listReplica(standby, 'counts')).points.map(({ manifest }) => manifest);
const newest = async () => (await manifests())[0] as CheckpointManifest;

describe('a point', () => {
  test('that is as it was copied is proved', async () => {
    const proved = await provePoints(standby, [point], { signal });
    expect(proved).toMatchObject({ files: point.files.length, unprovenFiles: 0, causes: [] });
    const sources = await proveSources(standby, point, await manifests(), primary, signal);
    expect(sources).toEqual({ partitions: 2, withPrimary: true, causes: [] });
  });

  test('that lacks a state file fails by the file’s name', async () => {
    const key = await removeFile(standby, point);
    const { causes } = await provePoints(standby, [point], { signal });
    expect(causes).toMatchObject([
      { job: 'counts', code: 'StateFileMissing', message: `${key} is not on the replica` },
    ]);
  });

  test('in whose file a byte is flipped fails by the file’s name', async () => {
    const key = await flipByte(standby, point);
    const { causes } = await provePoints(standby, [point], { signal });
    expect(causes).toMatchObject([{ code: 'StateFileDamaged', message: expect.stringContaining(key) }]);
  });

  test('whose metadata is damaged fails by that', async () => {
    await standby.put(point.metadata.key, new Uint8Array(9));
    const { causes } = await provePoints(standby, [point], { signal });
    expect(causes).toMatchObject([{ code: 'MetadataDamaged' }]);
  });
});

describe('an offset that was shifted, with manifest and checksums made to fit', () => {
  test.each([7n, -7n])('by %s is found by what the primary has', async (by) => {
    const moved = await shiftOffset(standby, point, by);
    const shifted = await newest();
    expect((await provePoints(standby, [shifted], { signal })).causes).toEqual([]);
    const { causes } = await proveSources(standby, shifted, [], primary, signal);
    expect(causes).toMatchObject([{ job: 'counts', code: 'SourceOffsetDiffers' }]);
    expect(causes[0]?.message).toBe(
      `${moved.topic}-${moved.partition}: checkpoint 5 of counts on the replica goes on at ${moved.to}, on the primary it is ${moved.from}`,
    );
  });

  test('to before the checkpoint before it is found without the primary', async () => {
    await shiftOffset(standby, point, -1n);
    const sources = await proveSources(standby, await newest(), await manifests(), undefined, signal);
    expect(sources).toMatchObject({ withPrimary: false, why: 'the primary is not asked' });
    expect(sources.causes).toMatchObject([
      { code: 'SourceOffsetDiffers', message: expect.stringMatching(/checkpoint 4 at/) },
    ]);
  });

  test('is found in the metadata alone by the manifest', async () => {
    const { sourceOffsets } = point;
    await shiftOffset(standby, point, 3n);
    const half = { ...(await newest()), sourceOffsets };
    const { causes } = await proveSources(standby, half, [], undefined, signal);
    expect(causes).toMatchObject([
      { code: 'SourceOffsetDiffers', message: expect.stringMatching(/its manifest says/) },
    ]);
  });

  test('can’t be told from a right one when nobody else knows: that is said', async () => {
    await shiftOffset(standby, point, 1n);
    await primary.delete(`${point.sourceUri.slice(`${primary.uri}/`.length)}/_metadata`);
    const sources = await proveSources(standby, await newest(), [], primary, signal);
    expect(sources).toMatchObject({ withPrimary: false, causes: [] });
    expect(sources.why).toMatch(/has removed/);
  });
});

test('two sources that read the same partition at different offsets are no difference', async () => {
  const twice = async (objects: MemoryObjectStore, key: string) => {
    const metadata = readMetadata((await objects.get(key))?.body ?? new Uint8Array());
    const sources = metadata.operators.filter(({ name }) => name.startsWith('Source: '));
    const moved = sources.map((source) => ({ ...source, id: 'f'.repeat(32) }));
    const shifted = await withSplitsChanged({ ...metadata, operators: moved }, point.replicaUri, noFile, (split) => ({
      topic: split.topic,
      offset: split.offset + 9n,
    }));
    return writeMetadata({ ...metadata, operators: [...metadata.operators, ...shifted.operators] });
  };
  const noFile = () => Promise.reject(new Error('no file'));
  const bytes = await twice(standby, point.metadata.key);
  await standby.put(point.metadata.key, bytes);
  const both = (o: CheckpointManifest['sourceOffsets'][number]) => [o, { ...o, offset: String(BigInt(o.offset) + 9n) }];
  const metadata = { ...point.metadata, sha256: createHash('sha256').update(bytes).digest('hex') };
  const doubled = { ...point, metadata, sourceOffsets: point.sourceOffsets.flatMap(both).reverse() };
  const others = [{ ...doubled, checkpointId: 4 }, doubled, { ...doubled, checkpointId: 6 }];
  expect(await proveSources(standby, doubled, others, undefined, signal)).toMatchObject({ partitions: 4, causes: [] });
});

test('of refused points only damage is a cause', () => {
  const refused = (code: string) => ({ job: 'counts', checkpointId: 9, code, message: 'why' });
  const codes = ['SourceOffsetBeyondMirror', 'FileMissing', 'TransactionOpen', 'FileChanged', 'MetadataMissing'];
  expect(causesOfRefused(codes.map(refused))).toMatchObject([
    { job: 'counts', code: 'StateFileMissing', message: 'checkpoint 9 of counts could not be used: why' },
    { code: 'StateFileDamaged' },
    { code: 'MetadataMissing' },
  ]);
});

test('a difference of the mirror names partition and offset', () => {
  const at = { topic: 'events', partition: 2 };
  expect(causeOfRange({ ...at, difference: undefined })).toEqual([]);
  expect(causeOfRange({ ...at, difference: { offset: 41n, what: 'x', missing: true } })).toMatchObject([
    { code: 'RecordMissing', message: 'events-2 at offset 41: the standby lacks a record that the primary has' },
  ]);
  expect(causeOfRange({ ...at, difference: { offset: 41n, what: 'bytes' } })).toMatchObject([
    { code: 'RecordDiffers' },
  ]);
});

const side = (name: string, objects: MemoryObjectStore) => ({ name, objects }) as unknown as Region;
const proveAll = (told: string[] = []) =>
  proveReplica([point], {
    primary: side('mumbai', primary),
    standby: side('sydney', standby),
    ownMirror: false,
    clock: virtualClock(),
    signal,
    progress: (message) => told.push(message),
  });

test('the whole proof says what it looked at', async () => {
  const told: string[] = [];
  const proved = await proveAll(told);
  expect(proved.causes).toEqual([]);
  expect(proved.evidence).toMatchObject({
    files: point.files.length,
    sources: [{ job: 'counts', partitions: 2, withPrimary: true }],
    mirror: { compared: false },
  });
  expect(told[0]).toBe('reading every byte of counts-5');
});

test('damaged files are told as such: no offsets are looked for in them', async () => {
  const key = await removeFile(standby, point);
  for (const file of point.files) if (file.key !== key) await standby.put(file.key, new Uint8Array(file.sizeBytes));
  const proved = await proveAll();
  expect(proved.causes).toHaveLength(point.files.length);
  expect(proved.causes).toContainEqual(
    expect.objectContaining({ code: 'StateFileMissing', message: `${key} is not on the replica` }),
  );
  expect(new Set(proved.causes.map(({ code }) => code))).toEqual(new Set(['StateFileMissing', 'StateFileDamaged']));
  expect(proved.evidence).toMatchObject({ sources: [] });
});
