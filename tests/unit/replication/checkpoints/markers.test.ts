import { expect, test } from 'vitest';
import { decodeSourceSplits, listStates, SOURCE_READER_STATE } from '../../../../regions/flink/kafka-state.ts';
import { fileReferences } from '../../../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../../../regions/flink/metadata-writer.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { withSplitsChanged } from '../../../../replication/checkpoints/change-sources.ts';
import { markerLook, resolveMarkers, type SeenForMarkers } from '../../../../replication/checkpoints/markers.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { flinkSample, SAMPLE_BUCKET } from '../../../support/flink-samples.ts';

const events = (partition: number) => ({ topic: 'events', partition });
const range = (partition: number, logStartOffset: bigint, logEndOffset: bigint) => ({
  ...events(partition),
  logStartOffset,
  logEndOffset,
});

function resolved(
  marker: bigint,
  seen: { readonly commit?: bigint; readonly start?: bigint },
  over: { readonly newerComplete?: boolean; readonly sources?: number; readonly running?: boolean } = {},
) {
  const sources = new Set(Array.from({ length: over.sources ?? 1 }, (_, i) => `op-${i}`));
  const states = {
    offsets: [
      { ...events(0), offset: marker },
      { ...events(1), offset: 7n },
    ],
    sources,
  };
  const commits = [
    { ...events(1), offset: 3n },
    ...(seen.commit === undefined ? [] : [{ ...events(0), offset: seen.commit }]),
  ];
  const view = { running: over.running ?? true, commits, ranges: [range(0, seen.start ?? 0n, 100n)] };
  return resolveMarkers(states, view, over.newerComplete ?? false).map(
    (s) => `${s.partition}: ${s.marker} is ${s.offset}`,
  );
}

test.each<[string, ReturnType<typeof resolved>, readonly string[]]>([
  ['-3 is what the group has committed', resolved(-3n, { commit: 42n }), ['0: -3 is 42']],
  ['also at the very end of the log', resolved(-3n, { commit: 100n }), ['0: -3 is 100']],
  [
    'not what was committed when a newer checkpoint was complete',
    resolved(-3n, { commit: 42n }, { newerComplete: true }),
    [],
  ],
  ['nor when the job was stopped, which commits, too', resolved(-3n, { commit: 42n }, { running: false }), []],
  ['nor when several sources could have a group each', resolved(-3n, { commit: 42n }, { sources: 2 }), []],
  ['nor where the group has committed nothing', resolved(-3n, {}), []],
  ['nor a commit that the log does not hold any more', resolved(-3n, { commit: 42n, start: 43n }), []],
  ['nor one above the log', resolved(-3n, { commit: 101n }), []],
  ['-2 is the start of a log that lost nothing', resolved(-2n, {}, { newerComplete: true }), ['0: -2 is 0']],
  ['and of another log nobody knows where it began', resolved(-2n, { start: 1n }), []],
  ['-1 is not known any more', resolved(-1n, { commit: 42n }), []],
  ['nor is what older connectors wrote', resolved(-(2n ** 63n), { commit: 42n }), []],
])('%s', (_, actual, expected) => expect(actual).toEqual(expected));

/** Checkpoint 97: its folder lists three of one size. */
const sample = flinkSample('v6-inline-idle');
const idle = { bytes: sample.bytes, directory: sample.directory.replace(/chk-\d+$/, 'chk-97') };
const run = /([0-9a-f]{32})/.exec(idle.directory)?.[1] ?? '';

/** A checkpoint of a job that has read nothing yet in its bucket; of the files that it references only the sizes count. */
async function idleBucket() {
  const metadata = await withSplitsChanged(
    readMetadata(idle.bytes),
    '',
    () => Promise.reject(new Error('inside')),
    (s) => {
      return { ...s, offset: -3n };
    },
  );
  const source = memoryObjectStore('primary', { uri: `s3://${SAMPLE_BUCKET}` });
  for (const file of fileReferences(readMetadata(idle.bytes), `s3://${SAMPLE_BUCKET}/${idle.directory}`))
    await source.put(file.uri.slice(`s3://${SAMPLE_BUCKET}/`.length), new Uint8Array(file.sizeBytes));
  await source.put(`${idle.directory}/_metadata`, writeMetadata(metadata));
  return source;
}

async function copied(look: (() => Promise<SeenForMarkers>) | undefined, newer = false) {
  const source = await idleBucket();
  const target = memoryObjectStore('standby', { uri: 's3://replica' });
  const clock = { now: () => 5, monotonic: () => 5, sleep: async () => undefined };
  const lookAtMarkers =
    look &&
    (async () => {
      const seen = await look();
      if (newer) await source.put(`${idle.directory.replace(/chk-\d+$/, 'chk-999999')}/_metadata`, new Uint8Array(1));
      return seen;
    });
  const prefix = idle.directory.slice(0, idle.directory.indexOf(run) - 1);
  const sync = createCheckpointSync({
    job: 'counts',
    prefix,
    source,
    target,
    clock,
    ...(lookAtMarkers ? { lookAtMarkers } : {}),
  });
  const { replicated, refused } = await sync.step();
  expect(refused).toEqual([]);
  const written = await target.get(replicated?.metadata.key ?? '');
  const splits = listStates(readMetadata(written?.body ?? new Uint8Array()), SOURCE_READER_STATE).flatMap((state) =>
    decodeSourceSplits(state.stream?.tag === 1 ? state.stream.data : new Uint8Array(), state.offsets),
  );
  return { replicated: replicated!, inMetadata: splits.map((s) => [s.partition, s.offset]).sort() };
}

const topic = 'orders';
const seen = async (): Promise<SeenForMarkers> => ({
  group: 'counts',
  running: true,
  commits: [{ topic, partition: 0, offset: 12n }],
  ranges: [0, 1].map((partition) => ({ topic, partition, logStartOffset: 0n, logEndOffset: 50n })),
});

test('the offsets stand in the copied checkpoint, and the manifest says of which markers', async () => {
  const { replicated, inMetadata } = await copied(seen);
  expect(inMetadata).toEqual([
    [0, 12n],
    [1, -3n],
  ]);
  expect(replicated.sourceOffsets).toEqual([
    { topic, partition: 0, offset: '12' },
    { topic, partition: 1, offset: '-3' },
  ]);
  expect(replicated.resolvedMarkers).toEqual({
    group: 'counts',
    atMs: 5,
    splits: [{ topic, partition: 0, marker: '-3', offset: '12' }],
  });
});

test.each([
  ['nobody looks', undefined, false],
  ['the primary’s Kafka is silent', () => Promise.reject(new Error('silent')), false],
  ['a newer checkpoint is complete after the look', seen, true],
])('markers stay where %s', async (_, look, newer) => {
  const { replicated, inMetadata } = await copied(look, newer);
  expect(inMetadata.map(([, offset]) => offset)).toEqual([-3n, -3n]);
  expect(replicated.resolvedMarkers).toBeUndefined();
});

test('asks for the job’s group and for the partitions with markers, then whether that very run is running', async () => {
  const asked: unknown[] = [];
  const kafka = {
    groupOffsets: async (group: string) => {
      asked.push(group);
      return [];
    },
    logRanges: async (partitions: readonly unknown[]) => {
      asked.push(partitions);
      return [];
    },
  };
  const job = (id: string, state: string) => ({ id, name: 'counts', state, startedAtMs: 1 });
  const flink = {
    list: async () => {
      asked.push('flink');
      return [job('1', 'FINISHED'), job('2', 'RUNNING')];
    },
  };
  const look = markerLook({ kafka, flink }, 'g');
  expect(await look([{ ...events(4), offset: -3n }], '2')).toMatchObject({ group: 'g', running: true, commits: [] });
  expect(asked).toEqual(['g', [events(4)], 'flink']);
  expect(await look([], '1')).toMatchObject({ running: false });
  expect(await look([], '3')).toMatchObject({ running: false });
});
