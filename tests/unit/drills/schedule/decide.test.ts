import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastDue, nextDue } from '../../../../domain/cron.ts';
import { type DrillScheduleEntry, drillSchedule } from '../../../../domain/drill-schedule-config.ts';
import { decideDrill } from '../../../../drills/schedule/decide.ts';
import { openingFrom } from '../../../../drills/schedule/opening.ts';
import { type DrillStanding, notCalm } from '../../../../drills/schedule/standing.ts';
import type { DrillSlot } from '../../../../state/drill-slots.ts';
import { at, calm, entryOf, followed, minute } from './followed.ts';

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

describe('when a drill is due', () => {
  test('is the first weekday of the month at nine, unless told otherwise', () => {
    const { cron } = entryOf({});
    const due = nextDue({ cron, timezone: 'Europe/Berlin' }, at('2026-11-22T00:00:00Z'), 6);
    expect(due.map(iso)).toEqual([
      '2026-12-01T08:00:00.000Z',
      '2027-01-01T08:00:00.000Z',
      '2027-02-01T08:00:00.000Z',
      '2027-03-01T08:00:00.000Z',
      '2027-04-01T07:00:00.000Z',
      // The 1st is a Saturday.
      '2027-05-03T07:00:00.000Z',
    ]);
  });

  test('an hour that is left out is due at its end, one that comes twice once', () => {
    const rule = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    expect(nextDue(rule, at('2027-03-27T12:00:00Z'), 2).map(iso)).toEqual([
      '2027-03-28T01:00:00.000Z',
      '2027-03-29T00:30:00.000Z',
    ]);
    expect(nextDue(rule, at('2026-10-24T12:00:00Z'), 2).map(iso)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  test('what was due up to an instant counts that instant', () => {
    const rule = { cron: '0 9 * * *', timezone: 'UTC' };
    expect(lastDue(rule, at('2026-12-01T09:00:00Z'), 1).map(iso)).toEqual(['2026-12-01T09:00:00.000Z']);
    expect(lastDue(rule, at('2026-12-01T08:59:59.999Z'), 2).map(iso)).toEqual([
      '2026-11-30T09:00:00.000Z',
      '2026-11-29T09:00:00.000Z',
    ]);
  });

  test.each([
    [{ cron: '61 * * * *' }, /no cron expression/],
    [{ cron: '0 9 31 2 *' }, /never due/],
    [{ timezone: 'Mars/Base' }, /time zone/],
    [{ kind: 'switchover' }, /no usual time/],
    [{ blackout: ['2026-02-30'] }, /dates that exist/],
    [{ windows: [{ from: '17:00', to: '09:00' }] }, /from is before to/],
    [{ approve: 'required' }, /only a switchover/],
  ])('refuses %j', (more, why) => {
    const { error } = drillSchedule.safeParse([{ kind: 'isolated', ...more }]);
    expect(error?.issues.map((i) => i.message).join()).toMatch(why);
  });

  test('a schedule has a daily tabletop, unless it says what becomes of it', () => {
    const kinds = (entries: readonly object[]) => drillSchedule.parse(entries).map((e) => `${e.kind} ${e.cron}`);
    expect(kinds([{ kind: 'isolated' }])).toEqual(['isolated 0 9 1W * *', 'tabletop 0 8 * * *']);
    expect(kinds([{ kind: 'tabletop', enabled: false }])).toHaveLength(1);
  });
});

describe('when a drill may begin', () => {
  const office = { windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' }] };
  const opening = (more: object, due: string) => {
    const found = openingFrom(entryOf(more), at(due));
    return [iso(found?.opensAtMs), iso(found?.closesAtMs)];
  };
  test.each<[string, object, string, readonly string[]]>([
    ['for its patience', {}, '2026-12-01T09:00:00Z', ['2026-12-01T09:00:00.000Z', '2026-12-01T17:00:00.000Z']],
    ['over midnight', {}, '2026-12-01T20:00:00Z', ['2026-12-01T20:00:00.000Z', '2026-12-02T04:00:00.000Z']],
    ['until the window ends', office, '2026-12-01T10:00:00Z', ['2026-12-01T10:00:00.000Z', '2026-12-01T17:00:00.000Z']],
    ['in the next window', office, '2026-12-04T17:00:00Z', ['2026-12-07T09:00:00.000Z', '2026-12-07T17:00:00.000Z']],
    [
      'behind a blackout',
      { blackout: ['2026-12-20..2027-01-06'] },
      '2027-01-01T09:00:00Z',
      ['2027-01-07T00:00:00.000Z', '2027-01-07T08:00:00.000Z'],
    ],
    [
      'until a blackout',
      { blackout: ['2026-12-02'] },
      '2026-12-01T20:00:00Z',
      ['2026-12-01T20:00:00.000Z', '2026-12-02T00:00:00.000Z'],
    ],
    [
      'by the clocks of its zone, also on the day of a change',
      { timezone: 'Europe/Berlin', windows: [{ from: '02:00', to: '04:00' }] },
      '2027-03-27T23:30:00Z',
      ['2027-03-28T01:00:00.000Z', '2027-03-28T02:00:00.000Z'],
    ],
  ])('%s', (_, more, due, expected) => {
    expect(opening(more, due)).toEqual(expected);
  });

  test('never, where all is blacked out', () => {
    expect(openingFrom(entryOf({ blackout: ['2026-01-01..2036-01-01'] }), at('2026-12-01T09:00:00Z'))).toBeUndefined();
  });
});

describe('what puts a drill off', () => {
  const red = { status: 'red', sentence: 'blockers: x' } as const;
  const stale = [{ code: 'CheckpointsStale', severity: 'warning', sentence: 'old' }];
  test.each<[string, Partial<DrillStanding>, readonly string[], readonly string[]]>([
    ['nothing', {}, [], []],
    ['a run under way', { acting: 'ops (failover)' }, ['RunUnderWay'], ['RunUnderWay']],
    ['a run half way', { unfinished: 'r' }, ['RunUnfinished'], ['RunUnfinished']],
    ['another drill', { drill: 'd' }, ['DrillUnderWay'], ['DrillUnderWay']],
    ['no standby', { replication: 'suspended' }, ['ReplicationSuspended'], ['ReplicationSuspended']],
    ['a silent primary', { primarySilentSinceMs: 0 }, ['PrimarySilent'], ['PrimarySilent']],
    [
      'a grave verdict',
      { verdicts: [{ code: 'PrimaryDead', severity: 'critical', sentence: '' }] },
      ['PrimaryDead'],
      ['PrimaryDead'],
    ],
    ['one that a tabletop tells of', { verdicts: stale }, ['CheckpointsStale'], []],
    ['one for information', { verdicts: [{ code: 'ObserverCutOff', severity: 'info', sentence: '' }] }, [], []],
    ['what nobody knows', { verdicts: 'unknown', readiness: 'unknown' }, ['VerdictsUnknown', 'ReadinessUnknown'], []],
    ['a standby that is not ready', { readiness: red }, ['NotReady'], []],
  ])('%s', (_, more, isolated, tabletop) => {
    const codes = (kind: 'isolated' | 'tabletop') => notCalm(kind, { ...calm, ...more }).map((r) => r.code);
    expect(codes('isolated')).toEqual(isolated);
    expect(codes('tabletop')).toEqual(tabletop);
  });

  test('a switchover needs green', () => {
    const yellow = { ...calm, readiness: { status: 'yellow', sentence: 'late' } } as const;
    expect(notCalm('isolated', yellow)).toEqual([]);
    expect(notCalm('switchover', yellow)).toMatchObject([{ code: 'NotReady' }]);
  });
});

describe('a slot', () => {
  const since = at('2026-11-22T00:00:00Z');
  const incident = { ...calm, acting: 'ops (failover)' };

  test('is run once, when it is due', () => {
    const { look, runs } = followed(entryOf({}), since);
    expect(look(at('2026-12-01T08:59:59Z'))).toBe('idle');
    for (let i = 0; i < 5; i++) look(at('2026-12-01T09:00:00Z') + i * minute);
    expect(runs).toEqual(['isolated-20261201T090000Z']);
  });

  test('that was due before the schedule was in force is no missed one', () => {
    const { look, runs } = followed(entryOf({}), at('2026-12-01T09:30:00Z'));
    expect(look(at('2026-12-01T10:00:00Z'))).toBe('idle');
    expect(runs).toEqual([]);
  });

  test('that was missed is caught up once; of several the newest, which stands for the others', () => {
    const { look, runs, slots } = followed(entryOf({}), since);
    look(at('2027-02-10T12:00:00Z'));
    look(at('2027-02-10T12:01:00Z'));
    expect(runs).toEqual(['isolated-20270201T090000Z']);
    expect(slots.get(runs[0] ?? '')).toMatchObject({
      late: true,
      missed: { count: 2, firstDueAtMs: at('2026-12-01T09:00:00Z') },
    });
    // A clock that was wrong brings none of them back.
    look(at('2027-01-02T00:00:00Z'));
    expect(runs).toHaveLength(1);
  });

  test('waits while it is not calm, and is left out with that reason when its time is over', () => {
    const { look, runs, slots } = followed(entryOf({}), since);
    expect(look(at('2026-12-01T09:00:00Z'), incident)).toBe('wait RunUnderWay');
    expect(look(at('2026-12-01T16:59:59Z'), incident)).toBe('wait RunUnderWay');
    expect(look(at('2026-12-01T17:00:00Z'), calm)).toBe('idle');
    expect(runs).toEqual([]);
    expect([...slots.values()]).toMatchObject([{ status: 'skipped', skipped: { code: 'RunUnderWay' } }]);
  });

  test('begins when the incident is over', () => {
    const { look, runs } = followed(entryOf({}), since);
    look(at('2026-12-01T09:00:00Z'), incident);
    look(at('2026-12-01T11:00:00Z'));
    expect(runs).toEqual(['isolated-20261201T090000Z']);
  });

  test('begins on no blackout date that was set while it waited', () => {
    const slots = [] as DrillSlot[];
    const view = { sinceMs: since, slots, standing: calm };
    const opened = decideDrill({ ...view, entry: entryOf({}), nowMs: at('2026-12-01T09:00:00Z') });
    if (opened.kind !== 'open') throw new Error(opened.kind);
    slots.push(opened.slot);
    const now = at('2026-12-01T09:01:00Z');
    expect(decideDrill({ ...view, entry: entryOf({}), nowMs: now }).kind).toBe('run');
    const frozen = entryOf({ blackout: ['2026-12-01'] });
    expect(decideDrill({ ...view, entry: frozen, nowMs: now })).toMatchObject({
      kind: 'wait',
      reason: { code: 'OutsideWindow' },
    });
    // Another line for drills of its kind says nothing of it.
    expect(decideDrill({ ...view, entry: entryOf({ cron: '30 14 * * 4' }), nowMs: now }).kind).toBe('idle');
  });

  test('gives way to the next one', () => {
    const daily = entryOf({ cron: '0 9 * * *', patience: '48h' });
    const { look, runs, slots } = followed(daily, since);
    look(at('2026-11-22T09:00:00Z'), incident);
    look(at('2026-11-23T09:00:00Z'), calm);
    expect(runs).toEqual(['isolated-20261123T090000Z']);
    expect(slots.get('isolated-20261122T090000Z')).toMatchObject({ status: 'skipped' });
  });

  test('of a switchover is announced a day ahead, and waits for a word', () => {
    const entry = drillSchedule.parse([{ kind: 'switchover', cron: '0 10 * * 2' }])[0] as DrillScheduleEntry;
    const { look, runs, slots } = followed(entry, since);
    expect(look(at('2026-11-23T09:59:00Z'))).toBe('idle');
    expect(slots.size).toBe(0);
    expect(look(at('2026-11-23T10:00:00Z'))).toBe('idle');
    expect([...slots.keys()]).toEqual(['switchover-20261124T100000Z']);
    expect(look(at('2026-11-24T10:00:00Z'))).toBe('wait NeedsApproval');
    const slot = slots.get('switchover-20261124T100000Z') as DrillSlot;
    slots.set(slot.slot, { ...slot, approval: { atMs: 1, by: 'ops' } });
    look(at('2026-11-24T10:05:00Z'));
    expect(runs).toEqual(['switchover-20261124T100000Z']);
    // The next one nobody agrees to.
    look(at('2026-12-01T10:00:00Z'));
    look(at('2026-12-01T18:00:00Z'));
    expect(slots.get('switchover-20261201T100000Z')?.skipped?.code).toBe('NeedsApproval');
    expect(runs).toHaveLength(1);
  });

  test('waits for a word also where one is required only since it was opened', () => {
    const line = { kind: 'switchover', cron: '0 10 * * 2' };
    const [before, now] = [{ ...line, approve: 'none' }, line].map((e) => drillSchedule.parse([e])[0]);
    const opened = followed(before as DrillScheduleEntry, since);
    opened.look(at('2026-11-24T10:00:00Z'), incident);
    const { look, runs, slots } = followed(now as DrillScheduleEntry, since);
    for (const [name, slot] of opened.slots) slots.set(name, slot);
    expect(look(at('2026-11-24T10:05:00Z'))).toBe('wait NeedsApproval');
    for (const [name, slot] of slots) slots.set(name, { ...slot, approval: { atMs: 1, by: 'ops' } });
    look(at('2026-11-24T10:10:00Z'));
    expect(runs).toEqual(['switchover-20261124T100000Z']);
  });

  test('is run at most once, and the newest that was missed exactly once, however clocks jump and daemons come and go', () => {
    const move = fc.record({
      ms: fc.oneof(
        fc.integer({ min: 0, max: 3 * 3_600_000 }),
        fc.integer({ min: -40, max: 40 }).map((d) => d * 86_400_000),
      ),
      calm: fc.boolean(),
      there: fc.boolean(),
    });
    const crons = fc.constantFrom('0 9 1W * *', '30 2 * * *', '0 */6 * * *', '15 14 * * 1-5');
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe');
    const from = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-12-31T00:00:00Z') });
    fc.assert(
      fc.property(crons, zones, from, fc.array(move, { maxLength: 25 }), (cron, timezone, begin, moves) => {
        const entry = entryOf({ cron, timezone });
        const { look, runs, slots } = followed(entry, begin);
        let nowMs = begin;
        let newestMs = begin;
        for (const { ms, calm: isCalm, there } of moves) {
          nowMs += ms;
          if (!there) continue;
          newestMs = Math.max(newestMs, nowMs);
          look(nowMs, isCalm ? calm : incident);
        }
        expect(new Set(runs).size).toBe(runs.length);
        // Nobody was there for one that is newer than everything: it is caught up, once.
        const [due] = nextDue(entry, newestMs, 1);
        const before = runs.length;
        for (const later of [1, 2, 3]) look((due ?? 0) + later * 6 * minute);
        expect(runs).toHaveLength(before + 1);
        expect([...slots.values()].filter((s) => s.status === 'open' && s.dueAtMs <= (due ?? 0))).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });
});
