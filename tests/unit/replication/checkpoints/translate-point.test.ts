import { describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { DataWriter } from '../../../../regions/flink/java-data.ts';
import { decodeEnumerator } from '../../../../regions/flink/kafka-enumerator.ts';
import { decodeSourceSplits, listStates, SOURCE_READER_STATE } from '../../../../regions/flink/kafka-state.ts';
import { fileReferences } from '../../../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../../../regions/flink/metadata-writer.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { pointFolder, pointOfTranslation } from '../../../../replication/checkpoints/locations.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import {
  describeTranslation,
  type OffsetTranslator,
  translatePoint,
  writeTranslatedPoint,
} from '../../../../replication/checkpoints/translate-point.ts';
import { chooseTranslated } from '../../../../replication/recovery-point/choose-translated.ts';
import { FULL, putFullSample, putFullSampleAs } from '../../../support/checkpoint-bucket.ts';

const clock = { now: () => 5, monotonic: () => 5, sleep: async () => undefined };

/** A replica of the busy sample of Flink 2.2, at these checkpoint ids. */
async function replica(...more: readonly number[]) {
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  const target = memoryObjectStore('standby', { uri: 's3://replica' });
  await putFullSample(source);
  for (const id of more) await putFullSampleAs(source, id);
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
  const manifests: CheckpointManifest[] = [];
  for (let more = true; more; ) {
    const step = await sync.step();
    if (step.replicated) manifests.push(step.replicated);
    more = step.more;
  }
  return { target, manifests, manifest: manifests[0]! };
}

/** MirrorMaker's names, and so many records fewer on the standby. */
function translator(lag = 1_000n, over: Partial<OffsetTranslator> = {}): OffsetTranslator {
  return {
    topics: ['orders'],
    standbyTopic: (topic) => `mumbai.${topic}`,
    translate: async (_, offset) => ({ kind: 'exact', offset: offset - lag }),
    ...over,
  };
}

async function splitsIn(bytes: Uint8Array) {
  const splits = listStates(readMetadata(bytes), SOURCE_READER_STATE).flatMap((state) =>
    decodeSourceSplits(state.stream?.tag === 1 ? state.stream.data : new Uint8Array(), state.offsets),
  );
  return splits.sort((a, b) => a.partition - b.partition);
}

const source = (manifest: CheckpointManifest) => manifest.sourceOffsets[0]?.topic ?? '';

describe('a point of real Flink', () => {
  test('names topics and offsets of the standby in readers and enumerator, and the same files', async () => {
    const { target, manifest } = await replica();
    const topic = source(manifest);
    const told = await translatePoint(target, manifest, translator(1_000n, { topics: [topic] }));
    if (told.kind === 'refused') throw new Error(told.reasons[0]?.message);
    const { bytes } = told.point.metadata;
    expect(await splitsIn(bytes)).toEqual(
      manifest.sourceOffsets.map(({ partition, offset }) => {
        return { topic: `mumbai.${topic}`, partition, offset: BigInt(offset) - 1_000n };
      }),
    );
    const metadata = readMetadata(bytes);
    const enumerators = metadata.operators.flatMap(({ coordinator }) =>
      coordinator?.tag === 1 ? decodeEnumerator(coordinator.data).partitions : [],
    );
    expect(new Set(enumerators.map((p) => p.topic))).toEqual(new Set([`mumbai.${topic}`]));
    expect(enumerators).toHaveLength(2);
    const named = new Set(manifest.files.map((f) => `s3://replica/${f.key}`));
    for (const { uri } of fileReferences(metadata, told.point.uri)) expect(named).toContain(uri);
    expect(told.point.uri).toBe(`s3://replica/${told.point.metadata.key.slice(0, -'/_metadata'.length)}`);
  });

  test('is written beside the point, once, with what was translated', async () => {
    const { target, manifest } = await replica();
    const told = await translatePoint(target, manifest, translator(7n, { topics: [source(manifest)] }));
    if (told.kind === 'refused') throw new Error('refused');
    const about = describeTranslation(manifest, told.point, { from: 'mumbai', to: 'singapore', atMs: 9 });
    expect(await writeTranslatedPoint(target, told.point, about)).toBe(true);
    expect(await writeTranslatedPoint(target, told.point, { ...about, atMs: 10 })).toBe(false);
    const folder = pointFolder('counts', FULL);
    expect(pointOfTranslation(told.point.metadata.key)).toBe(folder);
    const written = await target.get(told.point.metadata.key.replace('_metadata', 'translation.json'));
    expect(JSON.parse(new TextDecoder().decode(written?.body))).toMatchObject({
      checkpointId: FULL.checkpointId,
      atMs: 9,
      splits: [{ partition: 0, offset: '6470', standby: { offset: '6463' } }, { partition: 1 }],
    });
    // Another map gives another folder, and the point itself stays as it was.
    const other = await translatePoint(target, manifest, translator(8n, { topics: [source(manifest)] }));
    expect(other.kind === 'exact' && other.point.uri !== told.point.uri).toBe(true);
    expect((await target.get(manifest.metadata.key))?.info.sizeBytes).toBe(manifest.metadata.sizeBytes);
  });

  test('where somebody wrote other bytes in its place, nobody is told that it is written', async () => {
    const { target, manifest } = await replica();
    const told = await translatePoint(target, manifest, translator(7n, { topics: [source(manifest)] }));
    if (told.kind === 'refused') throw new Error('refused');
    await target.put(told.point.metadata.key, new Uint8Array(3));
    const about = describeTranslation(manifest, told.point, { from: 'mumbai', to: 'singapore', atMs: 9 });
    await expect(writeTranslatedPoint(target, told.point, about)).rejects.toMatchObject({ code: 'MetadataDamaged' });
  });
});

describe('is refused by name', () => {
  const codes = async (over: Partial<OffsetTranslator>, change: Partial<CheckpointManifest> = {}) => {
    const { target, manifest } = await replica();
    const topics = over.topics ?? [source(manifest)];
    const told = await translatePoint(target, { ...manifest, ...change }, translator(0n, { ...over, topics }));
    return told.kind === 'refused' ? told.reasons.map((r) => r.code) : [];
  };
  const refusing = async (partition: { readonly partition: number }) =>
    partition.partition === 1
      ? ({ kind: 'refused', code: 'NotSyncedYet', why: 'the newest sync is at 3' } as const)
      : ({ kind: 'exact', offset: 1n } as const);

  test.each<[string, Partial<OffsetTranslator>, Partial<CheckpointManifest>, readonly string[]]>([
    ['an offset that the syncs do not prove', { translate: refusing }, {}, ['NotSyncedYet']],
    ['a topic that is not mirrored', { topics: ['other'] }, {}, ['TopicNotMirrored', 'TopicNotMirrored']],
    ['changelog state', {}, { needsClaim: true }, ['ChangelogNeedsClaim']],
    ['no offsets at all', {}, { sourceOffsets: [] }, ['NoSourceOffsets']],
    ['a marker', {}, { sourceOffsets: [{ topic: 't', partition: 0, offset: '-3' }] }, ['SourceOffsetUnknown']],
  ])('%s', async (_, over, change, expected) => {
    const topics = change.sourceOffsets?.[0] ? { topics: ['t'] } : {};
    expect(await codes({ ...over, ...topics }, change)).toEqual(expected);
  });

  test('a partition that the source knows and no reader has', async () => {
    const { target, manifest } = await replica();
    const topic = source(manifest);
    const metadata = readMetadata((await target.get(manifest.metadata.key))!.body);
    const split = (partition: number) =>
      new DataWriter()
        .utf(topic)
        .i32(partition)
        .i64(-3n)
        .i64(-(2n ** 63n))
        .finish();
    const state = new DataWriter().i32(1).i32(0).block(split(2)).i32(1).u8(1).finish();
    const data = new DataWriter().i32(1).i32(3).block(state).finish();
    const operators = metadata.operators.map((operator) =>
      operator.coordinator === null ? operator : { ...operator, coordinator: { tag: 1, name: 'c', data } as const },
    );
    const bytes = writeMetadata({ ...metadata, operators });
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await target.put(manifest.metadata.key, bytes);
    const changed = { ...manifest, metadata: { ...manifest.metadata, sizeBytes: bytes.length, sha256 } };
    const told = await translatePoint(target, changed, translator(0n, { topics: [topic] }));
    expect(told).toMatchObject({ kind: 'refused', reasons: [{ code: 'PartitionNotAssigned' }] });
  });
});

test('chooses the newest point that is whole and whose offsets are all exact', async () => {
  const { target, manifests } = await replica(5, 6, 7);
  const topic = source(manifests[0]!);
  const byId = new Map(manifests.map((m) => [m.checkpointId, m]));
  await target.delete(byId.get(7)!.metadata.key);
  let asked = 0;
  const translate: OffsetTranslator['translate'] = async (_, offset) =>
    ++asked <= 2 ? { kind: 'refused', code: 'NotSyncedYet', why: 'not yet' } : { kind: 'exact', offset };
  const options = { objects: target, job: 'counts', translator: translator(0n, { topics: [topic], translate }) };
  const choice = await chooseTranslated(options);
  expect(choice).toMatchObject({
    kind: 'chosen',
    manifest: { checkpointId: 5 },
    rejected: [
      { checkpointId: 7, reasons: [{ code: 'MetadataMissing' }] },
      { checkpointId: 6, reasons: [{ code: 'NotSyncedYet' }, { code: 'NotSyncedYet' }] },
    ],
  });
  expect(asked).toBe(4);
  expect(await chooseTranslated({ ...options, checkpointId: 4 })).toMatchObject({ manifest: { checkpointId: 4 } });
  expect(await chooseTranslated({ ...options, checkpointId: 9 })).toEqual({ kind: 'none', rejected: [] });
});
