import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { fileReferences } from '../../../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { type MemoryObjectStore, memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { kafkaStates } from '../../../../replication/checkpoints/kafka-states.ts';
import { planRelocation, targetKey, writeRelocation } from '../../../../replication/checkpoints/relocate.ts';
import { putHollowSample } from '../../../support/changelog-bucket.ts';
import { FULL, putFullSample } from '../../../support/checkpoint-bucket.ts';

const DIRECTORY = `checkpoints/${FULL.flinkJobId}/chk-4`;
const plain = { targetUri: 's3://other/try', copy: true, dropTransactions: false, offsets: [] };

let source: MemoryObjectStore;
let target: MemoryObjectStore;

beforeEach(async () => {
  source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  target = memoryObjectStore('other', { uri: 's3://other' });
  await putFullSample(source);
});

async function planned(wish: Partial<typeof plain> & { offsets?: readonly never[] } = {}, directory = DIRECTORY) {
  const plan = await planRelocation(source, directory, { ...plain, ...wish });
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

const at = () => ({ store: target, prefix: 'try/', uri: 's3://other/try' });

describe('a relocated checkpoint', () => {
  test('with its files needs nothing of the source any more', async () => {
    const plan = await planned();
    await writeRelocation(source, at(), plan);
    expect(plan.uri).toBe('s3://other/try/metadata');
    const { body } = (await target.get('try/metadata/_metadata')) ?? { body: new Uint8Array() };
    const metadata = readMetadata(body);
    for (const { uri, sizeBytes } of fileReferences(metadata, 'nowhere')) {
      expect((await target.head(uri.replace('s3://other/', '')))?.sizeBytes).toBe(sizeBytes);
    }
    const read = async (uri: string) => (await target.get(uri.replace('s3://other/', '')))?.body ?? new Uint8Array();
    const { offsets, transactions } = await kafkaStates(metadata, plan.uri, read);
    expect(offsets.map((o) => o.offset).sort()).toEqual([5650n, 6470n]);
    expect(transactions).toEqual(plan.keptTransactions);
    expect(plan.keptTransactions.length).toBeGreaterThan(0);
  });

  test('without them names them where they lie', async () => {
    const plan = await planned({ copy: false });
    await writeRelocation(source, at(), plan);
    expect(plan).toMatchObject({ uri: 's3://other/try', files: [], filesLeft: 16, claimMode: 'NO_CLAIM' });
    const metadata = readMetadata(plan.metadata.bytes);
    for (const { uri } of fileReferences(metadata, 'nowhere'))
      expect(uri).toMatch(/^s3:\/\/flink-primary\/checkpoints/);
    expect((await target.list('')).objects.map((o) => o.key)).toEqual(['try/_metadata']);
  });

  test('leaves pending transactions out when asked to', async () => {
    const plan = await planned({ dropTransactions: true });
    expect(plan.keptTransactions).toEqual([]);
    expect(plan.droppedTransactions.length).toBeGreaterThan(0);
    const read = async (uri: string) =>
      (await source.get(uri.replace('s3://other/try/files/', '')))?.body ?? new Uint8Array();
    expect((await kafkaStates(readMetadata(plan.metadata.bytes), 'x', read)).transactions).toEqual([]);
  });

  test('goes on where it is told to; a partition that it doesn’t read is refused', async () => {
    const [first] = (await planned()).sourceOffsets;
    if (first === undefined) throw new Error('no source');
    const moved = { ...first, offset: 99n };
    const plan = await planRelocation(source, DIRECTORY, { ...plain, offsets: [moved] });
    expect(plan?.sourceOffsets).toContainEqual(moved);
    const read = async (uri: string) =>
      (await source.get(uri.replace('s3://other/try/files/', '')))?.body ?? new Uint8Array();
    const states = await kafkaStates(readMetadata(plan?.metadata.bytes ?? new Uint8Array()), 'x', read);
    expect(states.offsets).toContainEqual(moved);
    const wrong = planRelocation(source, DIRECTORY, { ...plain, offsets: [{ ...first, partition: 7, offset: 1n }] });
    await expect(wrong).rejects.toMatchObject({ code: 'PartitionUnknown', exitCode: 2 });
  });

  test('is never written over anything', async () => {
    await target.put('try/mine', new Uint8Array(1));
    await expect(writeRelocation(source, at(), await planned())).rejects.toMatchObject({ code: 'TargetExists' });
    expect((await target.list('')).objects).toHaveLength(1);
  });

  test('has no _metadata when a file of it is gone or has another size', async () => {
    const plan = await planned();
    await source.put(plan.files[3]?.from ?? '', new Uint8Array(1));
    await expect(writeRelocation(source, at(), plan)).rejects.toMatchObject({ code: 'FileSizeDiffers' });
    expect(await target.head('try/metadata/_metadata')).toBeUndefined();
  });

  test('inside one store is copied by the store', async () => {
    const plan = await planned({ targetUri: 's3://flink-primary/try' });
    await writeRelocation(source, { store: source, prefix: 'try/', uri: 's3://flink-primary/try' }, plan);
    expect(source.calls.filter((call) => call.startsWith('copy '))).toHaveLength(16);
    expect(source.calls.filter((call) => call.startsWith('open '))).toEqual([]);
  });
});

test('changelog state is relocated with its files only, and claimed', async () => {
  const { directory } = await putHollowSample(source, 'v6-changelog-fs');
  await expect(planned({ copy: false }, directory)).rejects.toMatchObject({ code: 'CopyNeeded' });
  expect(await planned({}, directory)).toMatchObject({ claimMode: 'CLAIM', uri: 's3://other/try/metadata' });
});

test.each(['savepoint-NATIVE', 'savepoint-CANONICAL', 'v4-flink120', 'v6-filemerging'])(
  '%s is relocated too',
  async (name) => {
    const { directory } = await putHollowSample(source, name);
    const plan = await planned({}, directory);
    await writeRelocation(source, at(), plan);
    const uris = fileReferences(readMetadata(plan.metadata.bytes), 'nowhere').map((f) => f.uri);
    expect(uris).toHaveLength(plan.files.length);
    for (const uri of uris) expect(await target.head(uri.replace('s3://other/', ''))).toBeDefined();
  },
);

test('what is no checkpoint gives nothing', async () => {
  expect(await planRelocation(source, 'checkpoints', plain)).toBeUndefined();
});

test('two keys never meet at the target, and every name there is plain', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 }), (a, b) => {
      expect(targetKey(a) === targetKey(b)).toBe(a === b);
      expect(targetKey(a)).toMatch(/^files\/[\w./-]*$/);
      expect(targetKey(a)).not.toMatch(/\/\./);
    }),
  );
});
