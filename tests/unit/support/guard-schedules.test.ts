import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bothWritable,
  explainedSpans,
  falseSuccess,
  longestAfterThaw,
  type Observation,
  type ReadRecord,
  type Side,
  wrongLogs,
} from '../../support/guard-schedules/judge.ts';
import { guardSchedule } from '../../support/guard-schedules/schedule.ts';

const seen = (side: Side, endedAtMs: number, kind: Observation['kind'] = 'writable'): Observation => ({
  side,
  sentAtMs: endedAtMs - 5,
  endedAtMs,
  kind,
});
const every100 = (side: Side, fromMs: number, toMs: number, kind?: Observation['kind']) =>
  Array.from({ length: (toMs - fromMs) / 100 }, (_, i) => seen(side, fromMs + 50 + 100 * i, kind));

describe('two writable sides', () => {
  test('are none where one begins when the other has ended', () => {
    const observations = [...every100('old', 0, 3_000), ...every100('old', 3_000, 9_000, 'denied')];
    observations.push(...every100('new', 0, 5_000, 'denied'), ...every100('new', 5_000, 9_000));
    expect(bothWritable(observations, [])).toEqual([]);
    expect(longestAfterThaw(observations, [])).toBe(0);
  });

  test('are each step of 100 ms in which both took one', () => {
    const observations = [...every100('old', 0, 5_200), ...every100('new', 5_000, 9_000)];
    expect(bothWritable(observations, [])).toEqual([5_000, 5_100]);
  });

  test('are explained by a thaw for its time, and no longer', () => {
    const observations = [
      ...every100('old', 0, 2_000),
      ...every100('old', 7_000, 8_200),
      ...every100('new', 5_000, 9_000),
    ];
    expect(bothWritable(observations, explainedSpans([7_000], [], 1_000))).toEqual([8_000, 8_100]);
    expect(bothWritable(observations, explainedSpans([5_000], [], 1_000))).toHaveLength(12);
    expect(longestAfterThaw(observations, [1_000, 7_000])).toBe(1_150);
  });

  test('are explained while no guard ran, and for the time of the next one', () => {
    const observations = [...every100('old', 0, 8_200), ...every100('new', 5_000, 9_000)];
    const unguarded = [{ fromMs: 5_000, toMs: 7_000 }];
    expect(bothWritable(observations, explainedSpans([], unguarded, 1_000))).toEqual([8_000, 8_100]);
  });

  test('are not what nobody knows', () => {
    const observations = [...every100('old', 0, 9_000, 'unknown'), ...every100('new', 5_000, 9_000)];
    expect(bothWritable(observations, [])).toEqual([]);
  });
});

describe('a failover that is called done', () => {
  const writable = every100('new', 5_000, 9_000);
  test.each<[string, 'proven' | 'unproven' | undefined, readonly Observation[], readonly RegExp[]]>([
    [
      'is one when the new side takes writes and the old one does not',
      'proven',
      [...every100('old', 0, 4_000), ...writable],
      [],
    ],
    ['is none when the new side takes nothing', 'proven', every100('new', 5_000, 9_000, 'denied'), [/took no write/]],
    [
      'is none when the old side takes writes and was called shut',
      'proven',
      [...every100('old', 0, 5_200), ...writable],
      [/took 2 writes/],
    ],
    [
      'is one when it says that nobody saw the old side shut',
      'unproven',
      [...every100('old', 0, 5_200), ...writable],
      [],
    ],
    ['is none when it says nothing of it', undefined, writable, [/nothing is said/]],
  ])('%s', (_, fencing, observations, expected) => {
    const wrong = falseSuccess({ doneAtMs: 5_000, fencing }, observations, 9_000);
    expect(wrong).toHaveLength(expected.length);
    for (const [i, words] of expected.entries()) expect(wrong[i]).toMatch(words);
  });
});

describe('logs', () => {
  const records = (...values: readonly string[]): ReadRecord[] =>
    values.map((value, offset) => ({ partition: 0, offset, value }));
  const good = {
    old: records('a', 'b', 'c', 'd'),
    new: records('a', 'b', 'x'),
    promotedAt: new Map([[0, 2]]),
    counted: 2,
    sentToOld: new Set(['a', 'b', 'c', 'd']),
    acknowledged: new Set(['a', 'c']),
  };
  test('are right when they are one up to the promotion and all beyond it is counted', () => {
    expect(wrongLogs(good)).toEqual([]);
  });
  test.each<[string, Partial<typeof good>, RegExp]>([
    ['a record that differs below the promotion', { new: records('a', 'q', 'x') }, /0 1 is not/],
    ['one that is missing there', { new: records('a') }, /0 1 is not/],
    ['a count that is too low', { counted: 1 }, /2 records beyond the promotion, and 1 counted/],
    ['one that was mirrored after the promotion', { new: records('a', 'b', 'c') }, /0 2 came after/],
    ['an acknowledged one that is nowhere', { acknowledged: new Set(['z']) }, /1 records were acknowledged/],
  ])('tell of %s', (_, over, expected) => {
    const wrong = wrongLogs({ ...good, ...over });
    expect(
      wrong.some((w) => expected.test(w)),
      wrong.join('; '),
    ).toBe(true);
  });
});

test('a schedule ends with all healed and thawed, cuts no way twice, and leaves the standby one of its ways', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), (seed) => {
      const { events, lengthMs } = guardSchedule(seed, 40_000);
      const cut = new Set<string>();
      let frozen = false;
      for (const event of events) {
        expect(event.atMs).toBeLessThanOrEqual(lengthMs);
        if (event.kind === 'cut') {
          expect(cut.has(event.way)).toBe(false);
          cut.add(event.way);
        } else if (event.kind === 'heal') expect(cut.delete(event.way)).toBe(true);
        else if (event.kind === 'freeze') frozen = true;
        else if (event.kind === 'thaw') frozen = false;
        else if (event.kind === 'restart-guard') expect(frozen).toBe(false);
        expect(cut.has('standby-state') && cut.has('standby-witness')).toBe(false);
      }
      expect([...cut, frozen]).toEqual([false]);
      expect(events.filter((e) => e.kind === 'failover')).toHaveLength(1);
    }),
  );
  expect(guardSchedule(7, 40_000)).toEqual(guardSchedule(7, 40_000));
});
