import { describe, expect, test } from 'vitest';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { type StateKind, stateSizes } from '../../../../regions/flink/state-sizes.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { showCheckpoint } from '../../../../replication/checkpoints/show.ts';
import { findOnPrimary, findOnReplica } from '../../../../replication/checkpoints/show-find.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { FULL, putFullSample } from '../../../support/checkpoint-bucket.ts';
import { flinkSample, SAMPLE_BUCKET, sampleNames } from '../../../support/flink-samples.ts';

const DIRECTORY = `checkpoints/${FULL.flinkJobId}/chk-4`;
const clock = { now: () => 1_000_000, monotonic: () => 0, sleep: async () => {} };

async function both() {
  const source = memoryObjectStore('primary', { uri: `s3://${SAMPLE_BUCKET}`, now: () => 500_000 });
  const target = memoryObjectStore('standby', { uri: 's3://replica' });
  await putFullSample(source);
  await createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock }).step();
  return { source, target };
}

describe('showCheckpoint', () => {
  test.each(sampleNames)('tells what is in %s, as a checkpoint or a savepoint', async (name) => {
    const sample = flinkSample(name);
    const store = memoryObjectStore('primary', { uri: `s3://${SAMPLE_BUCKET}` });
    await store.put(`${sample.directory}/_metadata`, sample.bytes);
    for (const { key } of sample.listing) {
      const bytes = sample.file(key);
      if (bytes !== undefined) await store.put(key, bytes);
    }
    const view = await showCheckpoint(store, sample.directory);
    expect(view?.kind).toBe(name.startsWith('savepoint') ? 'savepoint' : 'checkpoint');
    expect(view?.metadataVersion).toBe(name.startsWith('v4-') ? 4 : 6);
    const listed = new Map(sample.listing.map((o) => [`s3://${SAMPLE_BUCKET}/${o.key}`, o.sizeBytes]));
    for (const file of view?.files ?? []) {
      // The files of changes lie outside the folder that was listed.
      const size = listed.get(file.uri) ?? (file.uri.includes('/dstl/') ? file.sizeBytes + 1 : -1);
      expect(file.atLeast ? size >= file.sizeBytes : size === file.sizeBytes, file.uri).toBe(true);
    }
    // What lies outside `_metadata` is not in every sample: then that is told instead.
    const { partitions } = sample;
    expect(view?.untold === null ? view.sourceOffsets.length : partitions, view?.untold ?? '').toBe(partitions);
  });

  test('the replica’s copy tells the offsets and the transactions that the primary’s tells', async () => {
    const { source, target } = await both();
    const original = await showCheckpoint(source, DIRECTORY);
    const [directory = ''] = await findOnReplica(target, 'counts', FULL);
    const copy = await showCheckpoint(target, directory);
    expect(original).toMatchObject({
      kind: 'checkpoint',
      checkpointId: '4',
      flinkJobId: FULL.flinkJobId,
      completedAtMs: 500_000,
      transactionsDropped: false,
      untold: null,
    });
    expect(original?.sourceOffsets.map((o) => [o.partition, o.offset])).toEqual([
      [0, '6470'],
      [1, '5650'],
    ]);
    expect(original?.sinkTransactions.length).toBeGreaterThan(0);
    expect(original?.enumerators).toMatchObject([
      {
        version: 3,
        partitions: [
          { partition: 0, assigned: true, startingOffset: '-3', stoppingOffset: null },
          { partition: 1, assigned: true, startingOffset: '-3', stoppingOffset: null },
        ],
        unheld: [],
      },
    ]);
    expect(original?.sinkWriters[0]).toMatchObject({
      transactionalIdPrefix: 'c9',
      owned: { subtasks: 2, precommitted: [{ checkpointId: '4' }] },
    });
    expect(copy).toMatchObject({
      enumerators: original?.enumerators,
      sinkWriters: original?.sinkWriters,
      untoldStates: [],
      flinkJobId: original?.flinkJobId,
      completedAtMs: 500_000,
      sourceOffsets: original?.sourceOffsets,
      sinkTransactions: original?.sinkTransactions,
      transactionsDropped: true,
      operators: original?.operators.map(({ id, parallelism }) => ({ id, parallelism })),
    });
    expect(copy?.files.map((f) => f.sizeBytes)).toEqual(original?.files.map((f) => f.sizeBytes));
  });

  test('says so when a state of Kafka’s can’t be read, and shows the rest', async () => {
    const sample = flinkSample('v6-filemerging');
    const store = memoryObjectStore('primary', { uri: `s3://${SAMPLE_BUCKET}` });
    await store.put(`${sample.directory}/_metadata`, sample.bytes);
    const view = await showCheckpoint(store, sample.directory);
    expect(view?.untold).toMatch(/can't be read/);
    expect(view?.operators.length).toBeGreaterThan(0);
  });

  test('a directory without _metadata is no checkpoint', async () => {
    const { source } = await both();
    expect(await showCheckpoint(source, DIRECTORY.replace('chk-4', 'chk-5'))).toBeUndefined();
  });
});

describe('stateSizes', () => {
  const kinds = (name: string) => {
    const found = new Map<StateKind, bigint>();
    for (const operator of readMetadata(flinkSample(name).bytes).operators) {
      for (const [kind, { bytes }] of stateSizes(operator)) found.set(kind, (found.get(kind) ?? 0n) + bytes);
    }
    return found;
  };

  test.each<readonly [string, readonly StateKind[]]>([
    ['v6-unaligned', ['channel']],
    ['v6-changelog-fs-pending', ['changelog']],
    ['v6-filemerging', ['keyed', 'operator']],
    ['v4-flink120', ['keyed', 'operator', 'coordinator']],
  ])('%s has state of the kinds %j', (name, expected) => {
    const found = kinds(name);
    for (const kind of expected) expect(found.get(kind), kind).toBeGreaterThan(0n);
  });

  test('what lies in _metadata itself is told apart, and no more than it can hold', () => {
    const { bytes } = flinkSample('v6-inline-idle');
    let inline = 0n;
    for (const operator of readMetadata(bytes).operators) {
      for (const size of stateSizes(operator).values()) {
        expect(size.inlineBytes).toBeLessThanOrEqual(size.bytes);
        inline += size.inlineBytes;
      }
    }
    expect(inline).toBeGreaterThan(0n);
    expect(inline).toBeLessThan(BigInt(bytes.length));
  });
});

describe('finding', () => {
  test('a checkpoint by its number, the newest run first, or of one run', async () => {
    const { source } = await both();
    const other = 'a'.repeat(32);
    const later = memoryObjectStore('later', { uri: source.uri, now: () => 600_000 });
    await later.put(`checkpoints/${other}/chk-4/_metadata`, new Uint8Array(1));
    await later.put(`checkpoints/${other}/chk-9/shared-by-nobody`, new Uint8Array(1));
    expect(await findOnPrimary(later, 'checkpoints', { checkpointId: 4 })).toEqual([`checkpoints/${other}/chk-4`]);
    expect(await findOnPrimary(later, 'checkpoints', { checkpointId: 9 })).toEqual([]);
    await source.put(`checkpoints/${other}/chk-4/_metadata`, new Uint8Array(1));
    expect((await findOnPrimary(source, 'checkpoints', FULL)).length).toBe(1);
    expect((await findOnPrimary(source, 'checkpoints', { checkpointId: 4 })).length).toBe(2);
  });

  test('on the replica only among the points of the job', async () => {
    const { target } = await both();
    expect((await findOnReplica(target, 'counts', { checkpointId: 4 })).length).toBe(1);
    expect(await findOnReplica(target, 'counts', { checkpointId: 5 })).toEqual([]);
    expect(await findOnReplica(target, 'counts', { ...FULL, flinkJobId: 'b'.repeat(32) })).toEqual([]);
    expect(await findOnReplica(target, 'other', { checkpointId: 4 })).toEqual([]);
  });
});
