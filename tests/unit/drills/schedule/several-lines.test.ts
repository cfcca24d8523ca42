import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drillSchedule } from '../../../../domain/drill-schedule-config.ts';
import { at, calm, entryOf, followed, minute } from './followed.ts';

describe('two lines for one kind that are due at the same instant', () => {
  const since = at('2026-11-22T00:00:00Z');
  const incident = { ...calm, acting: 'ops (failover)' };
  const nine = { cron: '0 9 * * *' };
  const early = { ...nine, windows: [{ from: '08:00', to: '12:00' }] };
  const late = { ...nine, windows: [{ from: '14:00', to: '16:00' }] };
  const holiday = { ...nine, blackout: ['2026-12-01'] };
  const slot = 'isolated-20261201T090000Z';
  const due = at('2026-12-01T09:00:00Z');

  test.each<[string, readonly object[]]>([
    ['the same twice', [early, early]],
    ['the open one first', [early, late]],
    ['the open one last', [late, early]],
    ['one of them blacked out', [holiday, nine]],
  ])('%s: waits for one reason, which is written once, and begins when that is over', (_, lines) => {
    const { look, runs, slots, writes } = followed(lines.map(entryOf), due - minute);
    for (let i = 0; i < 20; i++) look(due + i * minute, incident);
    expect(slots.get(slot)?.putOff?.code).toBe('RunUnderWay');
    expect(writes()).toBe(1);
    look(due + 30 * minute);
    look(due + 31 * minute);
    expect(runs).toEqual([slot]);
  });

  test.each<[string, readonly object[]]>([
    ['first', [late, { ...nine, patience: '1h' }]],
    ['last', [{ ...nine, patience: '1h' }, late]],
  ])('the time of the one that is open is over: left out with its reason, the later one listed %s', (_, lines) => {
    const { look, runs, slots, writes } = followed(lines.map(entryOf), due - minute);
    for (let i = 0; i <= 8 * 6; i++) look(due + i * 10 * minute, i < 6 ? incident : calm);
    expect(slots.get(slot)?.skipped).toEqual({
      code: 'RunUnderWay',
      message: expect.any(String),
      atMs: due + 60 * minute,
    });
    expect(writes()).toBe(2);
    expect(runs).toEqual([]);
  });

  test('each alone is due as ever on other days', () => {
    const { look, runs } = followed([entryOf({ cron: '0 9 1 * *' }), entryOf({ cron: '0 9 * * 2' })], since);
    for (let hour = 0; hour < 24 * 16; hour += 3) look(since + hour * 60 * minute);
    expect(runs).toEqual(['isolated-20261124T090000Z', slot]);
  });

  test('nothing waits by turns, whatever the windows are, and none begins before one of the lines alone would', () => {
    const line = fc.record({
      from: fc.integer({ min: 0, max: 22 }),
      hours: fc.integer({ min: 1, max: 10 }),
      patience: fc.integer({ min: 1, max: 10 }),
      windowed: fc.boolean(),
    });
    const hh = (n: number) => `${String(Math.min(24, n)).padStart(2, '0')}:00`;
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 0, max: 25 }),
        (rules, calmAfter) => {
          const lines = rules.map(({ from, hours, patience, windowed }) =>
            entryOf({
              cron: '0 9 1 * *',
              patience: `${patience}h`,
              ...(windowed ? { windows: [{ from: hh(from), to: hh(from + hours) }] } : {}),
            }),
          );
          const { look, runs, slots, writes } = followed(lines, due - minute);
          const alone = lines.map((entry) => followed(entry, due - minute));
          for (let hour = 0; hour < 30; hour++) {
            const standing = hour < calmAfter ? incident : calm;
            look(due + hour * 60 * minute, standing);
            for (const one of alone) one.look(due + hour * 60 * minute, standing);
            const begun = runs.length > 0;
            if (begun && !alone.some((one) => one.runs.length > 0))
              throw new Error('begun before any line lets it begin');
          }
          expect(runs.length).toBeLessThanOrEqual(1);
          // It waits for its window, then for the incident; then it is run or left out.
          expect(writes()).toBeLessThanOrEqual(3);
          expect(slots.get(slot)?.status).toMatch(/ended|skipped/);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('one of them asks for a word: it is waited for', () => {
    const lines = [{ approve: 'none' }, {}].map((more) => ({ kind: 'switchover', cron: '0 9 * * 2', ...more }));
    const { look, slots } = followed(
      drillSchedule.parse(lines).filter((e) => e.kind === 'switchover'),
      since,
    );
    look(due - 60 * minute);
    expect(look(due + minute)).toBe('wait NeedsApproval / idle');
    const [of] = [...slots.values()].filter((s) => s.dueAtMs === due);
    expect(of).toMatchObject({ needsApproval: true, status: 'open' });
  });
});
