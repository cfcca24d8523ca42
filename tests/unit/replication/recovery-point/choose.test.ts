import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { pointFolder } from '../../../../replication/checkpoints/locations.ts';
import type { ReplicaPoint } from '../../../../replication/checkpoints/replica.ts';
import { chooseRecoveryPoint, type RecoveryPointView } from '../../../../replication/recovery-point/choose.ts';
import { boundedBy } from '../../../../replication/recovery-point/gather.ts';

const FILE = 'argus/replica/counts/files/shared/a';

interface PointFacts {
  readonly id: number;
  readonly offsets?: readonly (readonly [string, number, bigint])[];
  readonly sizeRule?: 'exact' | 'atLeast';
  readonly completedAtMs?: number;
}

function point({ id, offsets = [['events', 0, 50n]], sizeRule = 'exact', completedAtMs }: PointFacts): ReplicaPoint {
  const name = { flinkJobId: 'a'.repeat(32), checkpointId: id };
  const key = `${pointFolder('counts', name)}/_metadata`;
  const manifest: CheckpointManifest = {
    version: 1,
    job: 'counts',
    ...name,
    completedAtMs: completedAtMs ?? id * 1_000,
    committedAtMs: id * 1_000 + 100,
    metadataVersion: 6,
    sourceUri: 's3://primary/x',
    replicaUri: 's3://replica/x',
    metadata: { key, sizeBytes: 10, sha256: 'good' },
    files: [{ key: FILE, sizeBytes: 100, sizeRule, etag: 'e1' }],
    sourceOffsets: offsets.map(([topic, partition, offset]) => ({ topic, partition, offset: offset.toString() })),
    droppedTransactions: [],
  };
  return { manifest, metadataSha256: 'good' };
}

function view(points: readonly ReplicaPoint[], more: Partial<RecoveryPointView> = {}): RecoveryPointView {
  const objects = new Map([[FILE, { sizeBytes: 100, etag: 'e1' }]]);
  for (const { manifest } of points) objects.set(manifest.metadata.key, { sizeBytes: 10, etag: 'm' });
  const logRanges = [
    { topic: 'events', partition: 0, logStartOffset: 10n, logEndOffset: 80n },
    { topic: 'events', partition: 1, logStartOffset: 0n, logEndOffset: 40n },
  ];
  return { candidates: points, objects, logRanges, ...more };
}

test('chooses the newest point, whatever the order of the candidates', () => {
  for (const ids of [
    [1, 2, 3],
    [3, 1, 2],
  ]) {
    const choice = chooseRecoveryPoint(view(ids.map((id) => point({ id }))));
    expect(choice).toMatchObject({ kind: 'chosen', point: { checkpointId: 3 }, rejected: [] });
  }
});

test('counts what is read again, per partition, up to the end of the mirror', () => {
  const offsets = [
    ['events', 1, 40n],
    ['events', 0, 50n],
  ] as const;
  const choice = chooseRecoveryPoint(view([point({ id: 1, offsets })]));
  if (choice.kind !== 'chosen') throw new Error('none');
  expect(choice.replay).toEqual({
    records: 30n,
    partitions: [
      { topic: 'events', partition: 0, fromOffset: 50n, toOffset: 80n, records: 30n },
      { topic: 'events', partition: 1, fromOffset: 40n, toOffset: 40n, records: 0n },
    ],
  });
});

test('a source offset at either end of the mirrored range is inside', () => {
  for (const offset of [10n, 80n]) {
    expect(chooseRecoveryPoint(view([point({ id: 1, offsets: [['events', 0, offset]] })])).kind).toBe('chosen');
  }
});

const without = (key: string) => (v: RecoveryPointView) => {
  const objects = new Map(v.objects);
  objects.delete(key);
  return { ...v, objects };
};
const withFile =
  (sizeBytes: number, etag = 'e1') =>
  (v: RecoveryPointView) => ({
    ...v,
    objects: new Map(v.objects).set(FILE, { sizeBytes, etag }),
  });
const newer = point({ id: 2 });
const same = (v: RecoveryPointView) => v;

describe('refuses, falls back to the one before, and says why', () => {
  test.each<[string, ReplicaPoint]>([
    ['NoSourceOffsets', point({ id: 2, offsets: [] })],
    ['SourceOffsetUnknown', point({ id: 2, offsets: [['events', 0, -3n]] })],
    ['SourceOffsetUnknown', point({ id: 2, offsets: [['events', 0, -(2n ** 63n)]] })],
    ['TopicNotMirrored', point({ id: 2, offsets: [['orders', 0, 5n]] })],
    ['PartitionNotMirrored', point({ id: 2, offsets: [['events', 7, 5n]] })],
    ['SourceOffsetBeyondMirror', point({ id: 2, offsets: [['events', 0, 81n]] })],
    ['SourceOffsetBeforeLogStart', point({ id: 2, offsets: [['events', 0, 9n]] })],
    ['MetadataDamaged', { ...newer, metadataSha256: 'other' }],
    ['MetadataDamaged', { ...newer, metadataSha256: undefined }],
  ])('%s', (code, bad) => {
    const choice = chooseRecoveryPoint(view([point({ id: 1 }), bad]));
    expect(choice).toMatchObject({ kind: 'chosen', point: { checkpointId: 1 } });
    expect(choice.rejected.map((r) => [r.checkpointId, r.reasons[0]?.code])).toEqual([[2, code]]);
    expect(choice.rejected[0]?.reasons[0]?.message).toMatch(/\w+ \w+/);
  });

  test.each<[string, ReplicaPoint, (v: RecoveryPointView) => RecoveryPointView]>([
    ['FileMissing', newer, without(FILE)],
    ['FileSizeDiffers', newer, withFile(101)],
    ['FileSizeDiffers', point({ id: 2, sizeRule: 'atLeast' }), withFile(99)],
    ['FileChanged', newer, withFile(100, 'e2')],
    ['MetadataMissing', newer, without(newer.manifest.metadata.key)],
  ])('%s', (code, bad, change) => {
    const choice = chooseRecoveryPoint(change(view([bad])));
    expect(choice.kind).toBe('none');
    expect(choice.rejected[0]?.reasons.map((r) => r.code)).toEqual([code]);
  });
});

test('a file that may grow is right when it is longer or was written again', () => {
  const growing = point({ id: 2, sizeRule: 'atLeast' });
  expect(chooseRecoveryPoint(withFile(120, 'e9')(view([growing]))).kind).toBe('chosen');
  expect(chooseRecoveryPoint(same(view([growing]))).kind).toBe('chosen');
});

test('nothing to choose from is an answer', () => {
  expect(chooseRecoveryPoint(view([]))).toEqual({ kind: 'none', rejected: [] });
});

test('what the standby holds above the frozen end does not count', () => {
  const ranges = [{ topic: 'events', partition: 0, logStartOffset: 0n, logEndOffset: 81n }];
  const bounded = boundedBy(ranges, [{ topic: 'events', partition: 0, offset: 80n }]);
  const logRanges = bounded;
  const choice = chooseRecoveryPoint(view([point({ id: 1, offsets: [['events', 0, 81n]] })], { logRanges }));
  expect(choice.rejected[0]?.reasons[0]?.code).toBe('SourceOffsetBeyondMirror');
  expect(boundedBy(ranges, [{ topic: 'events', partition: 0, offset: 99n }])).toEqual(ranges);
});

const anyPoint = fc
  .record({
    id: fc.integer({ min: 1, max: 1_000 }),
    offsets: fc.array(fc.tuple(fc.constantFrom('events', 'orders'), fc.nat(2), fc.bigInt({ min: -4n, max: 60n })), {
      maxLength: 3,
    }),
    completedAtMs: fc.nat(100),
    fault: fc.constantFrom('none', 'none', 'none', 'file', 'hash'),
  })
  .map((facts) => {
    const made = point(facts);
    const files = facts.fault === 'file' ? [{ ...made.manifest.files[0]!, key: 'gone' }] : made.manifest.files;
    return { manifest: { ...made.manifest, files }, metadataSha256: facts.fault === 'hash' ? 'bad' : 'good' };
  });
const anyRanges = fc
  .uniqueArray(fc.record({ partition: fc.nat(2), start: fc.bigInt(0n, 30n), length: fc.bigInt(0n, 30n) }), {
    selector: (r) => r.partition,
  })
  .map((ranges) =>
    ranges.map((r) => ({
      topic: 'events',
      partition: r.partition,
      logStartOffset: r.start,
      logEndOffset: r.start + r.length,
    })),
  );

test('the chosen point never lies outside what the standby holds, and no newer acceptable one is skipped', () => {
  fc.assert(
    fc.property(fc.array(anyPoint, { maxLength: 6 }), anyRanges, (points, logRanges) => {
      const choice = chooseRecoveryPoint(view(points, { logRanges }));
      const acceptable = (p: ReplicaPoint) =>
        p.metadataSha256 === 'good' &&
        p.manifest.files[0]?.key === FILE &&
        p.manifest.sourceOffsets.length > 0 &&
        p.manifest.sourceOffsets.every((o) => {
          const range = logRanges.find((r) => r.topic === o.topic && r.partition === o.partition);
          const offset = BigInt(o.offset);
          return range !== undefined && offset >= range.logStartOffset && offset <= range.logEndOffset && offset >= 0n;
        });
      const good = points.filter(acceptable).map((p) => p.manifest.completedAtMs);
      if (choice.kind === 'none') {
        expect(good).toEqual([]);
        expect(choice.rejected).toHaveLength(points.length);
        return;
      }
      expect(points.some((p) => p.manifest === choice.point && acceptable(p))).toBe(true);
      expect(choice.point.completedAtMs).toBe(Math.max(...good));
      for (const each of choice.replay.partitions) {
        expect(each.records).toBe(each.toOffset - each.fromOffset);
        expect(each.records >= 0n).toBe(true);
      }
      for (const refusal of choice.rejected) {
        expect(refusal.reasons.length).toBeGreaterThan(0);
        expect(refusal.completedAtMs).toBeGreaterThanOrEqual(choice.point.completedAtMs);
      }
    }),
    { numRuns: 2_000 },
  );
});
