import { describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { ArgusError } from '../../../../domain/errors.ts';
import { chooseBounds, isStale } from '../../../../drills/compare/choose-bounds.ts';
import { append, noRecords } from '../../../../drills/compare/collected-records.ts';
import { compareJobs } from '../../../../drills/compare/compare-jobs.ts';
import type { ReadPartition, ReadTransaction } from '../../../../drills/compare/fold-output.ts';
import type { OutputReader } from '../../../../drills/compare/read-output.ts';
import { covers } from '../../../../drills/compare/source-progress.ts';
import type { RestoredJob } from '../../../../drills/isolated/context.ts';
import { changeSplits, holdsSplits } from '../../../../regions/flink/change-splits.ts';
import { type CheckpointMetadata, readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../../../regions/flink/metadata-writer.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { pointFolder } from '../../../../replication/checkpoints/locations.ts';
import { encodeManifest } from '../../../../replication/checkpoints/manifest.ts';
import { flinkSample } from '../../../support/flink-samples.ts';

const flinkJobId = 'a'.repeat(32);

/** A checkpoint of production that had read up to an offset, and written one record for each. */
function manifest(checkpointId: number, offset: number, over: Partial<CheckpointManifest> = {}): CheckpointManifest {
  const partitions = [
    { topic: 'counts', partition: 0, endOffset: String(offset * 2), stableOffset: String(offset * 2) },
  ];
  return {
    version: 1,
    job: 'counts',
    flinkJobId,
    checkpointId,
    completedAtMs: checkpointId * 1_000,
    committedAtMs: checkpointId * 1_000,
    metadataVersion: 6,
    sourceUri: 's3://p/x',
    replicaUri: 's3://replica/x',
    metadata: { key: 'k', sizeBytes: 1, sha256: '' },
    files: [],
    sourceOffsets: ['orders', 'other'].map((topic, partition) => ({ topic, partition, offset: String(offset) })),
    droppedTransactions: [],
    sinkEnds: { atMs: 0, newerComplete: false, partitions, open: [] },
    ...over,
  };
}

/** The newest checkpoint of the drill, whose source goes on at an offset. */
function drillCheckpoint(offset: number): Uint8Array {
  const metadata = readMetadata(flinkSample('v6-inline-idle').bytes);
  const operators = metadata.operators.map((operator) => ({
    ...operator,
    subtasks: (operator.subtasks === 'finished' ? [] : operator.subtasks).map((subtask) => {
      const handle = subtask.kind === 'state' ? subtask.managedOperator : undefined;
      if (handle === undefined || !holdsSplits(handle) || handle.stream?.tag !== 1) return subtask;
      const change = ({ partition }: { partition: number }) => ({
        topic: partition === 0 ? 'orders' : 'other',
        offset: BigInt(offset),
      });
      return { ...subtask, managedOperator: changeSplits(handle, handle.stream.data, change) };
    }),
  })) as CheckpointMetadata['operators'];
  return writeMetadata({ ...metadata, operators });
}

/** A world with one input partition: record n of it becomes record n of the output, each in a transaction of its own. */
function world(
  checkpoints: readonly CheckpointManifest[],
  drill: { wrote: readonly number[]; record?: OutputReader['record'] },
  produced = 100,
) {
  const objects = memoryObjectStore('replica', { uri: 's3://replica' });
  const put = async (m: CheckpointManifest) => {
    await objects.put(`${pointFolder('counts', m)}/manifest.json`, encodeManifest(m));
  };
  const of = (contents: readonly number[]): ReadPartition => ({
    plain: noRecords(0),
    transactions: contents.map((content, i): ReadTransaction => {
      const records = noRecords(0);
      append(records, { partition: 0, keys: [1], contents: [content], offsets: [i * 2] });
      return { firstOffset: BigInt(i * 2), outcome: 'commit', markerOffset: BigInt(i * 2 + 1), records };
    }),
  });
  const contents = (topic: string) =>
    topic === 'counts' ? Array.from({ length: produced }, (_, i) => i) : drill.wrote;
  const reader: OutputReader = {
    ends: async (topic) => {
      if (topic === 'orders' || topic === 'other')
        return [{ topic, partition: topic === 'other' ? 1 : 0, offset: mirrored }];
      return [{ topic, partition: 0, offset: BigInt(contents(topic).length * 2) }];
    },
    starts: async () => new Map(),
    read: async ([range]) => {
      const { transactions, plain } = of(contents(range?.topic ?? ''));
      const inside = (t: ReadTransaction) => t.firstOffset >= (range?.from ?? 0n) && t.firstOffset < (range?.to ?? 0n);
      return new Map([[0, { plain, transactions: transactions.filter(inside) }]]);
    },
    record: drill.record ?? (async () => undefined),
    close: () => undefined,
  };
  let now = 0;
  let mirrored = 100n;
  const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined };
  const side = { name: 'x', brokers: { name: 'x', bootstrap: [] }, objects };
  const compare = compareJobs({ primary: side, standby: side, mirrored: ['counts'], clock, open: () => reader });
  const point = checkpoints[0] as CheckpointManifest;
  let checkpoint = 0;
  return {
    put,
    async begin() {
      for (const each of checkpoints) await put(each);
    },
    pass: (ms: number) => {
      now += ms;
    },
    /** The mirror goes on, up to there. */
    mirror: (end: number) => {
      mirrored = BigInt(end);
    },
    /** Asks, with a checkpoint of the drill's that has read so far. */
    async ask(offset: number, last = false) {
      const folder = `argus/drills/x/counts/checkpoints/chk-${++checkpoint}`;
      await objects.put(`${folder}/_metadata`, drillCheckpoint(offset));
      const config = { name: 'counts', drill: { compare: { by: 'key', ignore: [] } } };
      const topics = new Map([['counts', 'argus.drill.x.counts']]);
      const restored = { config, topics, point, newestCheckpoint: `s3://replica/${folder}` } as unknown as RestoredJob;
      return compare(restored, { last, signal: new AbortController().signal });
    },
  };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('a job’s output is compared', () => {
  test('once both ends are known: the drill has got past a checkpoint of production’s, and that past the drill', async () => {
    const drill = { wrote: numbers(10, 20) };
    const { begin, put, ask } = world([manifest(1, 10), manifest(2, 30)], drill);
    await begin();
    expect(await ask(20)).toEqual({
      kind: 'waiting',
      for: "counts to read as far as a later checkpoint of production's",
    });
    drill.wrote = numbers(10, 35);
    expect(await ask(35)).toEqual({ kind: 'waiting', for: 'the next checkpoint of counts' });
    drill.wrote = numbers(10, 60);
    expect(await ask(60)).toMatchObject({
      kind: 'waiting',
      for: expect.stringMatching(/^production's checkpoint of what/),
    });
    await put(manifest(3, 60));
    const ended = await ask(80);
    expect(ended).toMatchObject({
      kind: 'ended',
      comparisons: [{ kind: 'compared', against: 'mirrored', records: 25, missing: 0, unexpected: 0 }],
    });
  });

  test('anew, three times, while the drill’s last output is not committed; then it lacks', async () => {
    const drill = { wrote: numbers(10, 25) };
    const { begin, ask } = world([manifest(1, 10), manifest(2, 30), manifest(3, 90)], drill);
    await begin();
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await ask(40));
    expect(answers.slice(0, 5).every(({ kind }) => kind === 'waiting')).toBe(true);
    expect(answers[5]).toMatchObject({ comparisons: [{ records: 15, missing: 5 }] });
  });

  test('with what there is, where production takes no more checkpoints and the drill has read everything', async () => {
    const { begin, pass, ask } = world([manifest(1, 10)], { wrote: numbers(10, 100) });
    await begin();
    expect((await ask(100)).kind).toBe('waiting');
    pass(31_000);
    await ask(100);
    expect(await ask(100)).toMatchObject({ comparisons: [{ records: 90, missing: 0 }] });
  });

  test.each([
    ['the same', numbers(10, 100), 0],
    ['not the same', [...numbers(10, 50), 700, ...numbers(51, 100)], 1],
  ])(
    'with what there is, when the mirror brought nothing for a minute that production had read: %s',
    async (_, wrote, differing) => {
      const { begin, put, pass, mirror, ask } = world([manifest(1, 10), manifest(2, 150)], { wrote }, 120);
      await begin();
      let id = 2;
      const waits = async (seconds: number, got: number) => {
        for (let n = 0; n < seconds; n += 10) {
          // Production goes on all the time.
          await put(manifest(++id, 100 + 2 * id));
          expect(await ask(got)).toMatchObject({ kind: 'waiting', for: expect.stringMatching(/as far as a later/) });
          pass(10_000);
        }
      };
      // The job has not read everything yet.
      await waits(120, 90);
      await waits(50, 100);
      // It goes on, if slowly.
      mirror(101);
      await waits(20, 100);
      await waits(60, 101);
      expect(await ask(101)).toMatchObject({
        kind: 'ended',
        comparisons: [
          { kind: 'compared', against: 'mirrored', records: 90 - differing, missing: 0, unexpected: 0, differing },
        ],
      });
    },
  );

  test('as far as it got, at last', async () => {
    const { begin, ask } = world([manifest(1, 10), manifest(2, 50)], { wrote: numbers(10, 20) });
    await begin();
    expect(await ask(20, true)).toMatchObject({ comparisons: [{ records: 10, missing: 0, unexpected: 0 }] });
  });

  test('and a difference that was counted stands, where its record can’t be read again', async () => {
    const record = () => Promise.reject(new ArgusError('KafkaUnreachable', 'no answer', { retryable: true }));
    const wrote = [...numbers(10, 14), 99, ...numbers(15, 20)];
    const { begin, ask } = world([manifest(1, 10), manifest(2, 20)], { wrote, record });
    await begin();
    expect(await ask(20, true)).toMatchObject({
      comparisons: [{ kind: 'compared', differing: 1, first: expect.stringMatching(/differ in value or headers$/) }],
    });
  });

  test('never where it isn’t known where the sinks had ended', async () => {
    const point = manifest(1, 10);
    const { sinkEnds: _, ...without } = point;
    const { begin, ask } = world([without], { wrote: [] });
    await begin();
    expect(await ask(20)).toMatchObject({
      comparisons: [{ kind: 'skipped', why: expect.stringMatching(/is not known$/) }],
    });
  });
});

describe('production’s checkpoints to compare by', () => {
  const [one, two, three, four] = [manifest(1, 10), manifest(2, 20), manifest(3, 30), manifest(4, 40)] as const;
  const vague = { ...three, sinkEnds: { ...three.sinkEnds, newerComplete: true } } as CheckpointManifest;
  const at = (offset: number) =>
    ['orders', 'other'].map((topic, partition) => ({ topic, partition, offset: BigInt(offset) }));

  test('are the newest that the drill got as far as, and the oldest that got as far as the drill', () => {
    expect(chooseBounds(one, [four, three, two, one], at(35), at(32))).toMatchObject({ until: three, past: four });
    expect(chooseBounds(one, [vague, two, one], at(35), at(25))).toMatchObject({ until: two, past: vague });
    expect(chooseBounds(one, [{ ...four, flinkJobId: 'b' }], at(90), at(20))).toEqual({});
  });

  test('begin before the point where its own sinks’ ends are not exact', () => {
    expect(chooseBounds(vague, [one, two, vague, four], at(40)).before).toBe(two);
  });

  test('come no more after three times their usual gap', () => {
    expect(isStale([one, two, three], one, 29_000)).toBe(false);
    expect(isStale([one, two, three], one, 31_000)).toBe(true);
    const slow = [one, { ...two, completedAtMs: 601_000 }];
    expect(isStale(slow, one, 1_700_000)).toBe(false);
    expect(isStale(slow, one, 1_900_000)).toBe(true);
  });
});

test('markers ask for nothing, partitions that nobody reads are not covered', () => {
  expect(covers([], [{ topic: 't', partition: 0, offset: -3n }])).toBe(true);
  expect(covers([], [{ topic: 't', partition: 0, offset: 0n }])).toBe(false);
});
