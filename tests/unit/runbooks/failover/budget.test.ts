import { describe, expect, test } from 'vitest';
import type { TopicLoss } from '../../../../replication/topics/estimate-loss.ts';
import { acceptedLossIn, judgeLoss, type LossBudget } from '../../../../runbooks/failover/budget.ts';
import type { Sighting } from '../../../../state/sightings.ts';
import { confirming, failOver, started } from './fail-over.ts';

const loss = (over: Partial<TopicLoss>) => ({ events: { estimatedRecords: 10, ms: 0, estimated: true, ...over } });

describe('the loss against the budget', () => {
  test.each<[string, Partial<TopicLoss>, LossBudget | undefined, LossBudget | 'within']>([
    ['nothing', { estimatedRecords: 0, ms: 0 }, undefined, 'within'],
    ['a proven nothing', { estimatedRecords: 0, ms: null, proven: true }, undefined, 'within'],
    ['as old as the RPO', { ms: 60_000 }, undefined, 'within'],
    ['older than the RPO', { ms: 60_001 }, undefined, 61_000],
    ['within what was accepted', { ms: 90_000 }, 90_000, 'within'],
    ['above what was accepted', { ms: 90_001 }, 90_000, 91_000],
    ['an accepted limit below the RPO takes nothing away', { ms: 60_000 }, 1_000, 'within'],
    ['records that nobody counted', { estimatedRecords: null, ms: null }, undefined, 'unknown'],
    ['records of an age that nobody knows', { ms: null }, 3_600_000, 'unknown'],
    ['anything, once the unknown is accepted', { estimatedRecords: null, ms: null }, 'unknown', 'within'],
  ])('%s', (_, over, accepted, wanted) => {
    const verdict = judgeLoss(loss(over), { rpoMs: 60_000, accepted });
    expect(verdict.kind === 'within' ? 'within' : verdict.needs).toBe(wanted);
    if (verdict.kind === 'exceeded') {
      expect(verdict.error.message).toContain('events');
      expect(verdict.error.hint).toContain(
        `--accept-data-loss ${wanted === 'unknown' ? wanted : `${Number(wanted) / 1_000}s`}`,
      );
    }
  });

  test('is told of the topic that loses the most', () => {
    const verdict = judgeLoss(
      { ...loss({ ms: 70_000 }), orders: { estimatedRecords: 3, ms: 80_000, estimated: true } },
      { rpoMs: 60_000 },
    );
    expect(verdict).toMatchObject({
      kind: 'exceeded',
      needs: 80_000,
      error: { message: expect.stringContaining('3 records of orders') },
    });
  });
});

/** The primary had `behind` records that the standby lacks, the oldest of them so old. */
const sighting = (behind: bigint, ageMs: number, nowMs: number): Sighting => ({
  region: 'mumbai',
  atMs: nowMs - 5_000,
  firstFailureAtMs: nowMs - 5_000,
  topics: {
    events: {
      recordsPerSecond: 0,
      partitions: [0, 1].map((partition) => ({
        partition,
        logStartOffset: 0n,
        logEndOffset: (partition === 0 ? 100n : 50n) + behind,
        mirroredEndOffset: partition === 0 ? 100n : 50n,
        newestTimestampMs: nowMs - 5_000,
        mirroredTimestampMs: nowMs - 5_000 - ageMs,
      })),
    },
  },
});

describe('a failover whose loss shows only when the mirror has stopped', () => {
  const world = async (ageMs: number, accepted?: LossBudget) => {
    const made = await started();
    const nowMs = made.clock.now();
    const lossLimit = { outageAtMs: nowMs - 5_000, ...(accepted === undefined ? {} : { accepted }) };
    return { made, context: { ...confirming(made), sighting: sighting(3n, ageMs, nowMs), lossLimit } };
  };

  test('is refused above the RPO, and the mirror goes on', async () => {
    const { made, context } = await world(120_000);
    const report = await failOver(made, context);
    expect(report).toMatchObject({ outcome: 'refused', pastReturn: false, error: { code: 'LossAboveBudget' } });
    expect(report.compensated).toContain('freeze-mirror');
    expect(made.effects.filter((e) => e.startsWith('start'))).toEqual([]);
  });

  test.each<[number, LossBudget | undefined]>([
    [30_000, undefined],
    [120_000, 120_000],
    [120_000, 'unknown'],
  ])('goes on with %i ms when %s is accepted', async (ageMs, accepted) => {
    const { made, context } = await world(ageMs, accepted);
    const report = await failOver(made, context);
    expect(report).toMatchObject({ outcome: 'done', ...(accepted === undefined ? {} : { acceptedLoss: accepted }) });
  });
});

test.each([
  [{ acceptDataLoss: 90_000 }, 90_000],
  [{ acceptDataLoss: 'unknown' }, 'unknown'],
  [{ acceptDataLoss: true }, undefined],
  [null, undefined],
])('what an earlier run was allowed to lose stands in its details: %j', (details, wanted) => {
  expect(acceptedLossIn(details)).toBe(wanted);
});
