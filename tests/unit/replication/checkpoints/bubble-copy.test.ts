import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { COMMITTER_STATE, listStates } from '../../../../regions/flink/kafka-state.ts';
import {
  decodeWriterStates,
  encodeWriterState,
  WRITER_STATE,
  type WriterState,
} from '../../../../regions/flink/kafka-writer-state.ts';
import { fileReferences, relocateOperator } from '../../../../regions/flink/metadata-files.ts';
import type { StreamHandle } from '../../../../regions/flink/metadata-handles.ts';
import { type CheckpointMetadata, readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { type BubblePlace, gatherBubbleCopy, planBubbleCopy } from '../../../../replication/checkpoints/bubble-copy.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { putFullSample } from '../../../support/checkpoint-bucket.ts';
import { flinkSample, SAMPLE_BUCKET, sampleNames } from '../../../support/flink-samples.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

const PREFIX = 'argus-drill-20261122t033000z-ab12-counts';
const place: BubblePlace = { folder: 'argus/drills/x/counts/restore', transactionalIdPrefix: PREFIX, muted: false };
const replicaUri = 's3://replica/argus/replica/counts/points/p';

const busy = (prefix: string, subtask: number): WriterState => ({
  version: 2,
  transactionalIdPrefix: prefix,
  owned: {
    subtask,
    subtasks: 2,
    ownership: 'by-subtask',
    precommitted: [{ transactionalId: `${prefix}-${subtask}-7`, checkpointId: 7n }],
  },
});

/** A sample as its replica has it; where its writers' states lie in a file, that has the given ones. */
function replicaOf(name: string, states: (operator: string, subtask: number) => WriterState = (_, n) => busy('c9', n)) {
  const { bytes, directory } = flinkSample(name);
  const root = `s3://${SAMPLE_BUCKET}/`;
  const directoryUri = root + directory;
  const move = (uri: string) => (uri.startsWith(root) ? `s3://replica/files/${uri.slice(root.length)}` : undefined);
  const sample = readMetadata(bytes);
  const metadata: CheckpointMetadata = {
    ...sample,
    operators: sample.operators.map(relocateOperator({ directory: directoryUri, move })),
  };
  const streams = new Map<StreamHandle, Uint8Array>();
  for (const { operatorId, subtask, stream, offsets } of listStates(metadata, WRITER_STATE)) {
    if (stream?.tag === 1) streams.set(stream, stream.data);
    else {
      const at = Number(offsets[0]);
      streams.set(stream, Buffer.concat([Buffer.alloc(at, 7), encodeWriterState(states(operatorId, subtask))]));
    }
  }
  const files = fileReferences(metadata, replicaUri).map(({ uri, sizeBytes, sizeRule }) => ({
    key: uri.slice('s3://replica/'.length),
    sizeBytes,
    sizeRule,
    etag: '',
  }));
  const manifest = { job: 'counts', replicaUri, files } as unknown as CheckpointManifest;
  return { metadata, streams, manifest };
}

const plan = (name: string, claimed = false, muted = false) => {
  const { metadata, streams, manifest } = replicaOf(name);
  const copy = planBubbleCopy(manifest, { metadata, streams }, { ...place, muted, storeUri: 's3://replica', claimed });
  return { metadata, copy, restored: readMetadata(copy.metadata.bytes) };
};

/** Everything but what the drill may change: the writers' and committers' elements, and the writers' streams. */
function without(metadata: CheckpointMetadata) {
  const changed = [WRITER_STATE, COMMITTER_STATE];
  return metadata.operators.map((operator) => ({
    ...operator,
    subtasks:
      operator.subtasks === 'finished'
        ? []
        : operator.subtasks.map((subtask) => {
            const handle = subtask.kind === 'state' ? subtask.managedOperator : undefined;
            if (handle === undefined || handle.tag === 0) return subtask;
            const touched = handle.states.some((s) => s.name === WRITER_STATE && s.offsets.length > 0);
            const states = handle.states.map((s) => (changed.includes(s.name) ? s.name : s));
            return { ...subtask, managedOperator: touched ? states : { ...handle, states } };
          }),
  }));
}

describe.each(sampleNames)('what a drill restores of %s', (name) => {
  test('has sinks of the drill only, with nothing to commit; all else is as it was', () => {
    const { metadata, copy, restored } = plan(name);
    expect(copy).toMatchObject({ claimMode: 'NO_CLAIM', files: [], uri: `s3://replica/${place.folder}/metadata` });
    expect(copy.sinks).toHaveLength(1);
    expect(copy.sinks[0]).toMatchObject({ to: PREFIX });
    expect(listStates(restored, COMMITTER_STATE)).toEqual([]);
    const writers = listStates(restored, WRITER_STATE);
    expect(writers.length).toBe(listStates(metadata, WRITER_STATE).length);
    for (const { stream, offsets } of writers) {
      if (stream?.tag !== 1) throw new Error('not inside');
      for (const state of decodeWriterStates(stream.data, offsets)) {
        expect(state.transactionalIdPrefix).toBe(PREFIX);
        expect(state.owned?.precommitted ?? []).toEqual([]);
      }
    }
    expect(without(restored)).toEqual(without(metadata));
    expect(restored.properties).toEqual(metadata.properties);
  });
});

test('of a point that can only be claimed everything is copied into the bubble', () => {
  const { copy, restored } = plan('v6-changelog-fs', true);
  expect(copy.claimMode).toBe('CLAIM');
  expect(copy.files.length).toBeGreaterThan(0);
  for (const { uri } of fileReferences(restored, '')) expect(uri).toMatch(`s3://replica/${place.folder}/files/`);
});

test('each of several sinks has a prefix of its own', () => {
  const { metadata, streams, manifest } = replicaOf('v6-p2-busy', (_, subtask) => busy(`sink-${subtask}`, subtask));
  const copy = planBubbleCopy(manifest, { metadata, streams }, { ...place, storeUri: 's3://replica', claimed: false });
  expect(copy.sinks.map(({ from, to }) => [from, to])).toEqual([
    ['sink-0', `${PREFIX}-sink0`],
    ['sink-1', `${PREFIX}-sink1`],
  ]);
});

describe('a sink that is not Kafka’s', () => {
  /** FileSink's bucket state begins with a magic number behind the same version numbers. */
  const foreign = Buffer.from([0, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0, 8, 0x1e, 0x76, 0x4b, 0x79, 0, 0, 0, 1]);

  function withForeign(muted: boolean) {
    const { metadata, streams, manifest } = replicaOf('v6-inline-idle');
    const [writer] = listStates(metadata, WRITER_STATE);
    const bytes = Buffer.concat([Buffer.alloc(Number(writer?.offsets[0])), foreign]);
    const changed = new Map([...streams].map(([stream]) => [stream, bytes] as const));
    const options = { ...place, muted, storeUri: 's3://replica', claimed: false };
    return planBubbleCopy(manifest, { metadata, streams: changed }, options);
  }

  test('is refused by name', () => {
    expect(() => withForeign(false)).toThrow(
      expect.objectContaining({
        code: 'SinkNotMovable',
        exitCode: 3,
        message: expect.stringMatching(/^counts-sink: Writer can't/),
      }),
    );
  });

  test('stays as it is where the configuration says that it is muted', () => {
    const copy = withForeign(true);
    expect(copy.sinks).toEqual([]);
    const { metadata } = replicaOf('v6-inline-idle');
    expect(listStates(readMetadata(copy.metadata.bytes), WRITER_STATE)).toEqual(listStates(metadata, WRITER_STATE));
  });

  test.each([
    ['bucket-states', 'v4-unaligned', /^operator [0-9a-f]{32} /],
    ['anything', 'v6-inline-idle', /^counts-sink: Committer /],
  ])('is known by its state %s', (state, sample, who) => {
    const { metadata, streams, manifest } = replicaOf(sample);
    const operators = metadata.operators.map((operator) => ({
      ...operator,
      subtasks: (operator.subtasks === 'finished' ? [] : operator.subtasks).map((subtask) => {
        const handle = subtask.kind === 'state' ? subtask.managedOperator : undefined;
        if (handle === undefined || handle.tag === 0) return subtask;
        const states = handle.states.map((s) => (s.name === COMMITTER_STATE ? { ...s, name: state } : s));
        return { ...subtask, managedOperator: { ...handle, states } };
      }),
    })) as CheckpointMetadata['operators'];
    const options = { ...place, storeUri: 's3://replica', claimed: false };
    expect(() => planBubbleCopy(manifest, { metadata: { ...metadata, operators }, streams }, options)).toThrow(
      expect.objectContaining({ code: 'SinkNotMovable', message: expect.stringMatching(who) }),
    );
  });
});

test('whatever the writers’ states are, no prefix or transaction of production’s stays in use', () => {
  const prefix = fc.string({ minLength: 1, maxLength: 20 }).filter((p) => !PREFIX.startsWith(p));
  const state = fc.oneof(
    fc.record({ version: fc.constant(1 as const), transactionalIdPrefix: prefix }),
    fc.record({
      version: fc.constant(2 as const),
      transactionalIdPrefix: prefix,
      owned: fc.record({
        subtask: fc.integer({ min: -1, max: 99 }),
        subtasks: fc.integer({ min: -1, max: 99 }),
        ownership: fc.constantFrom('by-subtask' as const, 'by-state' as const),
        precommitted: fc.array(
          fc.record({ transactionalId: fc.string({ maxLength: 9 }), checkpointId: fc.nat().map(BigInt) }),
          {
            maxLength: 3,
          },
        ),
      }),
    }),
  );
  fc.assert(
    fc.property(fc.array(state, { minLength: 2, maxLength: 2 }), (states) => {
      const { metadata, streams, manifest } = replicaOf('v6-hashmap', (_, n) => states[n] as WriterState);
      const options = { ...place, storeUri: 's3://replica', claimed: false };
      const restored = readMetadata(planBubbleCopy(manifest, { metadata, streams }, options).metadata.bytes);
      for (const { stream, offsets, subtask } of listStates(restored, WRITER_STATE)) {
        if (stream?.tag !== 1) throw new Error('not inside');
        const [changed] = decodeWriterStates(stream.data, offsets);
        expect(changed?.transactionalIdPrefix.startsWith(PREFIX)).toBe(true);
        const { owned } = states[subtask] as WriterState;
        expect(changed?.owned).toEqual(owned && { ...owned, precommitted: [] });
      }
    }),
    { numRuns: 60 },
  );
});

test('is read from the replica, and refers to its files as they lie', async () => {
  const [source, target] = [
    memoryObjectStore('primary', { uri: `s3://${SAMPLE_BUCKET}` }),
    memoryObjectStore('replica', { uri: 's3://replica' }),
  ];
  await putFullSample(source);
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock: virtualClock() });
  const { replicated: manifest } = await sync.step();
  if (manifest === undefined) throw new Error('not replicated');
  const before = target.calls.length;
  const copy = await gatherBubbleCopy(target, manifest, place);
  expect(target.calls.slice(before).every((call) => call.startsWith('get '))).toBe(true);
  expect(copy.sinks).toMatchObject([{ operator: 'counts-sink: Writer', from: 'c9', to: PREFIX }]);
  const uris = fileReferences(readMetadata(copy.metadata.bytes), copy.uri).map(({ uri }) => uri);
  expect(uris.sort()).toEqual(manifest.files.map(({ key }) => `s3://replica/${key}`).sort());
  await target.delete(manifest.metadata.key);
  await expect(gatherBubbleCopy(target, manifest, place)).rejects.toMatchObject({ code: 'MetadataDamaged' });
});
