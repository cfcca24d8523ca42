import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginSchedule, begun, dueNow, ended, restMs } from '../../../health/probe-schedule.ts';

const middle = () => 0.5;
const second = { name: 'kafka', periodMs: 1_000 };

describe('when something is looked at', () => {
  test('everything within the first second, also what is asked once an hour', () => {
    const schedule = beginSchedule([second, { name: 'expiry', periodMs: 3_600_000 }], 5_000, () => 0.9);
    expect([...schedule.dueMs]).toEqual([
      ['kafka', 5_900],
      ['expiry', 5_900],
    ]);
  });

  test('nothing twice at a time, longest due first, no more at once than allowed', () => {
    const dueMs = new Map([
      ['a', 30],
      ['b', 10],
      ['c', 20],
      ['d', 99],
    ]);
    expect(dueNow({ dueMs, running: new Set() }, 50, 10)).toEqual(['b', 'c', 'a']);
    expect(dueNow({ dueMs, running: new Set(['b']) }, 50, 2)).toEqual(['c']);
    expect(dueNow({ dueMs, running: new Set(['b']) }, 50, 1)).toEqual([]);
  });

  test('a look that hangs delays no other, and what it missed is not made up for', () => {
    let schedule = beginSchedule([second], 0, () => 0);
    schedule = begun(schedule, second, 0, middle);
    expect(schedule.dueMs.get('kafka')).toBe(1_000);
    expect(dueNow(schedule, 3_500, 10)).toEqual([]);
    schedule = ended(schedule, 'kafka');
    expect(dueNow(schedule, 3_500, 10)).toEqual(['kafka']);
    schedule = begun(schedule, second, 3_500, middle);
    expect(schedule.dueMs.get('kafka')).toBe(4_500);
  });

  test('the rest is until the next that can begin', () => {
    const dueMs = new Map([
      ['a', 100],
      ['b', 200],
    ]);
    expect(restMs({ dueMs, running: new Set() }, 40, 2)).toBe(60);
    expect(restMs({ dueMs, running: new Set(['a']) }, 40, 2)).toBe(160);
    expect(restMs({ dueMs, running: new Set(['a']) }, 40, 1)).toBeUndefined();
  });

  test('over any time each is looked at about as often as its period says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 5_000 }),
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (periodMs, dice) => {
          let thrown = 0;
          const random = () => dice[thrown++ % Math.max(1, dice.length)] ?? 0.5;
          const rhythm = { name: 'x', periodMs };
          let schedule = beginSchedule([rhythm], 0, random);
          let looks = 0;
          for (let now = 0; now < periodMs * 20; now += periodMs / 50) {
            for (const name of dueNow(schedule, now, 1)) {
              looks += 1;
              schedule = ended(begun(schedule, rhythm, now, random), name);
            }
          }
          expect(looks).toBeGreaterThanOrEqual(17);
          expect(looks).toBeLessThanOrEqual(24);
        },
      ),
      { numRuns: 50 },
    );
  });
});
