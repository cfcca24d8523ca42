import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Divergence,
  divergedTopics,
  divergenceOf,
  type PartitionView,
  partitionViews,
  wantedRanges,
} from '../../../../replication/orphans/divergence.ts';
import { notKept } from '../../../../replication/orphans/guard.ts';
import { reseedLosses } from '../../../../replication/topics/reseed-plan.ts';

const r = (from: number, to: number) => ({ from: BigInt(from), to: BigInt(to) });
const view = (over: Partial<PartitionView>): PartitionView => ({
  topic: 'events',
  partition: 0,
  promotedAt: 100n,
  old: r(0, 100),
  active: r(0, 140),
  recreated: false,
  ...over,
});

describe('how a partition of the old primary stands to the active side', () => {
  const cases: readonly (readonly [string, Partial<PartitionView>, Partial<Divergence>])[] = [
    ['it ends where the shared log ends', {}, { kind: 'same', sharedEnd: 100n }],
    ['it lost its tail', { old: r(0, 80) }, { kind: 'behind' }],
    ['it has a tail of its own', { old: r(0, 130) }, { kind: 'orphans', orphans: r(100, 130) }],
    [
      'it has a tail of its own, of which retention took a part',
      { old: r(110, 130) },
      { kind: 'started-above', orphans: r(110, 130), gone: r(100, 110) },
    ],
    ['all of it went by retention', { old: r(130, 130) }, { kind: 'started-above', gone: r(100, 130) }],
    ['it was made anew and written to', { recreated: true, old: r(0, 20) }, { kind: 'recreated', orphans: r(0, 20) }],
    ['it was made anew and is empty', { recreated: true, old: r(0, 0) }, { kind: 'behind' }],
    ['it was never mirrored', { promotedAt: undefined, old: r(5, 9) }, { kind: 'started-above', orphans: r(5, 9) }],
    ['the active side has no such partition', { active: undefined, old: r(0, 9) }, { kind: 'only-old' }],
    ['what comes next was deleted on the active side', { active: r(120, 140) }, { kind: 'gap', older: r(0, 100) }],
    ['it is empty and begins where nothing is left', { old: r(0, 0), active: r(120, 140) }, { kind: 'behind' }],
    [
      'the active side has deleted records',
      { old: r(0, 130), active: r(40, 140) },
      { orphans: r(100, 130), older: r(0, 40) },
    ],
    ['both hold other records below the promotion', { differsAt: 60n }, { kind: 'orphans', orphans: r(60, 100) }],
  ];
  test.each(cases)('%s', (_name, over, expected) => {
    expect(divergenceOf(view(over))).toMatchObject(expected);
  });

  test('what the active side deleted is wanted only of topics that are begun anew', () => {
    const kept = divergenceOf(view({ topic: 'kept', active: r(40, 140) }));
    const anew = divergenceOf(view({ old: r(0, 130), active: r(40, 140) }));
    const beside = divergenceOf(view({ partition: 1, active: r(50, 140) }));
    expect(divergedTopics([kept, anew, beside])).toEqual(['events']);
    expect(wantedRanges([kept, anew, beside])).toEqual([
      { topic: 'events', partition: 0, ...r(0, 40), reason: 'older' },
      { topic: 'events', partition: 0, ...r(100, 130), reason: 'orphan' },
      { topic: 'events', partition: 1, ...r(0, 50), reason: 'older' },
    ]);
  });

  test('a partition that the promotion did not know, and one that the active side lacks, are told apart', () => {
    const range = (topic: string) => ({ topic, partition: 0, logStartOffset: 0n, logEndOffset: 5n });
    const views = partitionViews({
      promotedAt: [{ topic: 'a', partition: 0, offset: 3n }],
      old: [range('a'), range('b')],
      active: [range('a')],
      recreated: new Set(),
      differences: new Map(),
    });
    expect(views.map(divergenceOf).map((d) => d.kind)).toEqual(['orphans', 'only-old']);
  });
});

test('whatever the logs are, what is wanted covers all that deleting the old topic would lose', () => {
  const offsets = fc.integer({ min: 0, max: 60 });
  const log = fc.tuple(offsets, offsets).map(([a, b]) => r(Math.min(a, b), Math.max(a, b)));
  const differs = fc.option(offsets, { nil: undefined });
  fc.assert(
    fc.property(offsets, log, log, differs, (promotedAt, old, active, differsAt) => {
      // What is shared can be no longer than either log.
      const shared = [BigInt(promotedAt), active.to].reduce((a, b) => (a < b ? a : b));
      const at = differsAt === undefined || BigInt(differsAt) >= shared ? undefined : BigInt(differsAt);
      const found = divergenceOf(view({ promotedAt: shared, old, active, differsAt: at }));
      const wanted = wantedRanges([found]);
      if (divergedTopics([found]).length === 0) return;
      const same = at ?? shared;
      const losses = reseedLosses([
        {
          topic: 'events',
          partition: 0,
          logStartOffset: old.from,
          logEndOffset: old.to,
          source: { start: active.from, end: active.to },
          placeholders: false,
          difference: { offset: same < old.from ? old.from : same, what: 'others' },
        },
      ]);
      expect(notKept(losses, [{ partition: 0, ranges: wanted }])).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test('what is kept in part leaves the rest', () => {
  const loss = { partition: 0, from: 10n, to: 50n, why: 'x' };
  expect(notKept([loss], [])).toEqual([loss]);
  expect(notKept([loss], [{ partition: 1, ranges: [r(0, 100)] }])).toEqual([loss]);
  expect(notKept([loss], [{ partition: 0, ranges: [r(0, 20), r(30, 40)] }])).toEqual([
    { ...loss, from: 20n, to: 30n },
    { ...loss, from: 40n, to: 50n },
  ]);
  expect(notKept([loss], [{ partition: 0, ranges: [r(0, 30), r(30, 50)] }])).toEqual([]);
});
