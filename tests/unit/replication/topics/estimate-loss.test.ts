import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimateLoss, type LossView } from '../../../../replication/topics/estimate-loss.ts';
import type { Sighting } from '../../../../state/sightings.ts';
import { at } from '../../runbooks/failover/world.ts';

const partition = (n: number, logEndOffset: bigint, over: object = {}) => ({
  partition: n,
  logStartOffset: 0n,
  logEndOffset,
  mirroredEndOffset: logEndOffset,
  newestTimestampMs: 9_900,
  mirroredTimestampMs: 9_700,
  ...over,
});

const sighting = (ends: readonly bigint[], recordsPerSecond = 200): Sighting => ({
  region: 'mumbai',
  atMs: 10_000,
  topics: { events: { recordsPerSecond, partitions: ends.map((end, i) => partition(i, end)) } },
});

const estimate = (over: Partial<LossView>) =>
  estimateLoss({
    topics: ['events'],
    sighting: sighting([100n, 50n]),
    promotedAt: at(100n, 50n),
    outageAtMs: 10_500,
    primaryStopped: false,
    ...over,
  }).events;

describe('the loss of a topic', () => {
  test.each<[string, Partial<LossView>, object]>([
    ['is what came between the last sight and the outage, at the recent rate', {}, { estimatedRecords: 100, ms: 500 }],
    ['has what was seen and not mirrored in it', { promotedAt: at(90n, 50n) }, { estimatedRecords: 110, ms: 800 }],
    ['leaves out what was mirrored after the last sight', { promotedAt: at(130n, 50n) }, { estimatedRecords: 70 }],
    ['is never negative', { promotedAt: at(400n, 50n) }, { estimatedRecords: 0, ms: 0 }],
    [
      'is never below what is missing for certain',
      { promotedAt: at(400n, 40n) },
      { estimatedRecords: 10, estimated: true },
    ],
    [
      'is bounded by the rate until the names moved',
      { namesMovedAtMs: 40_000 },
      { estimatedRecords: 100, boundRecords: 6_000 },
    ],
    ['is unknown when nobody saw the primary', { sighting: undefined }, { estimatedRecords: null, ms: null }],
    ['is what was seen when the outage is before the last sight', { outageAtMs: 9_000 }, { estimatedRecords: 0 }],
    [
      'is as old as the records tell when the stated outage is before them',
      { outageAtMs: 9_000, promotedAt: at(90n, 50n) },
      { estimatedRecords: 10, ms: 200 },
    ],
    [
      'says how long nobody had seen the primary when no daemon watched',
      { outageAtMs: 70_000 },
      { estimatedRecords: 12_000, ms: 60_000, unseenMs: 60_000 },
    ],
    [
      'has no age when nobody knows how old the newest mirrored record is',
      {
        sighting: {
          region: 'mumbai',
          atMs: 10_000,
          topics: { events: { recordsPerSecond: 0, partitions: [partition(0, 100n, { mirroredTimestampMs: null })] } },
        },
        promotedAt: at(90n),
      },
      { estimatedRecords: 10, ms: null },
    ],
    [
      'is what the primary itself showed, bounded by its rate until the names moved',
      { primaryEnds: at(103n, 50n), namesMovedAtMs: 20_500 },
      { estimatedRecords: 3, boundRecords: 2_003 },
    ],
    [
      'lasts until the last look at a primary that lived',
      { primaryEnds: at(103n, 50n), namesMovedAtMs: 20_500, endsAreLast: true },
      { estimatedRecords: 3, ms: 10_500 },
    ],
    [
      'has no age when the primary showed its ends and nobody had seen it before',
      { sighting: undefined, primaryEnds: at(103n, 50n) },
      { estimatedRecords: 3, ms: null },
    ],
  ])('%s', (_rule, over, expected) => {
    expect(estimate(over)).toMatchObject({ estimated: true, ...expected });
  });

  test('is not called long unseen while a daemon watches', () => {
    expect(estimate({})).not.toHaveProperty('unseenMs');
  });

  test('is proven zero only if the primary was stopped and its ends were seen', () => {
    const seen = { primaryEnds: at(100n, 50n), endsAreLast: true };
    expect(estimate({ ...seen, endsAreLast: false, primaryStopped: true })).not.toHaveProperty('proven');
    expect(estimate({ ...seen, primaryStopped: true })).toMatchObject({ estimatedRecords: 0, proven: true });
    expect(estimate(seen)).not.toHaveProperty('proven');
    expect(estimate({ primaryStopped: true })).not.toHaveProperty('proven');
    const behind = estimate({ primaryEnds: at(103n, 50n), primaryStopped: true });
    expect(behind).toMatchObject({ estimatedRecords: 3, estimated: true });
    expect(behind).not.toHaveProperty('proven');
  });

  test('is never above its bound', () => {
    const offset = fc.bigInt(0n, 1_000_000n);
    fc.assert(
      fc.property(offset, offset, fc.nat(5_000), fc.nat(60_000), fc.nat(60_000), (end, promoted, rate, a, b) => {
        const loss = estimate({
          sighting: sighting([end], rate),
          promotedAt: at(promoted),
          outageAtMs: 10_000 + Math.min(a, b),
          namesMovedAtMs: 10_000 + Math.max(a, b),
        });
        expect(loss!.estimatedRecords).toBeLessThanOrEqual(loss!.boundRecords!);
      }),
    );
  });
});
