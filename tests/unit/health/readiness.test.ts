import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeReadiness, type ReadinessFacts } from '../../../health/readiness.ts';
import { addMoment, agingDays, byTheHour, dayOf } from '../../../health/readiness-history.ts';
import type { StatusView } from '../../../health/status-view.ts';
import type { Readiness, ReadinessDay } from '../../../state/readiness.ts';

const view = (over: Partial<StatusView> = {}): StatusView => ({
  atMs: 1_000,
  healthy: true,
  roles: { primary: 'mumbai', standby: 'singapore', replication: 'active', epoch: 1, source: 'state' },
  regions: [],
  names: [],
  daemon: { seen: true },
  mirror: [{ topic: 'events', lagRecords: 3, lagMs: 800, basis: 'live' }],
  recoveryPoints: [],
  wouldLose: [
    { topic: 'events', records: 3, ms: 800, estimated: false },
    { topic: 'other', records: 0, ms: 0, estimated: false },
  ],
  runs: {},
  blockers: [],
  warnings: [],
  ...over,
});
const facts = (over: Partial<ReadinessFacts> = {}): ReadinessFacts => ({
  objectives: { rto: 900_000, rpo: 60_000 },
  rto: { ms: 18_400, runs: 3 },
  copies: { counts: 2_000 },
  heartbeatLagMs: 900,
  ...over,
});

describe('if the primary failed now', () => {
  test('all is well: RTO by earlier runs, RPO by the mirror', () => {
    expect(judgeReadiness(view(), facts())).toMatchObject({
      status: 'green',
      rpoMs: 800,
      sentence: 'if mumbai failed now: RTO about 18.4 s (from 3 runs), RPO 800 ms, no blockers',
    });
  });

  test('an RTO that nobody measured is said so, and is no shortcoming', () => {
    const { rto: _, ...unmeasured } = facts();
    expect(judgeReadiness(view(), unmeasured)).toMatchObject({
      status: 'green',
      sentence: expect.stringContaining('RTO not measured yet'),
    });
  });

  test('a blocker is red, whatever else', () => {
    const blockers = [{ code: 'NoFreeSlots', sentence: 'no slots' }];
    const red = judgeReadiness(view({ blockers }), facts());
    expect(red).toMatchObject({ status: 'red', sentence: expect.stringContaining('blockers: no slots') });
  });

  test.each([
    [
      'a mirror that lags by more than half of the objective',
      view({ mirror: [{ topic: 'events', lagMs: 31_000, basis: 'live' }] }),
      facts(),
      'MirrorLagOverHalf',
    ],
    ['a copy that takes more than half of it', view(), facts({ copies: { counts: 40_000 } }), 'CopyOverHalf'],
    ['a heartbeat that is late', view(), facts({ heartbeatLagMs: 31_000 }), 'HeartbeatOverHalf'],
    ['an RTO beyond its objective', view(), facts({ rto: { ms: 901_000, runs: 1 } }), 'RtoOverObjective'],
    ['a loss that nobody can tell', view({ wouldLose: [{ topic: 'events', estimated: true }] }), facts(), 'RpoUnknown'],
    [
      'an old recovery point',
      view({ warnings: [{ code: 'RecoveryPointOld', sentence: 'old' }] }),
      facts(),
      'RecoveryPointOld',
    ],
  ])('%s is yellow', (_name, seen, known, code) => {
    const { status, warnings } = judgeReadiness(seen, known);
    expect([status, warnings.map((w) => w.code)]).toEqual(['yellow', [code]]);
  });

  test('exactly half is early enough, and what has nothing to do with a failover makes no colour', () => {
    const warnings = [{ code: 'ResolverDown', sentence: 'x' }];
    expect(judgeReadiness(view({ warnings }), facts({ heartbeatLagMs: 30_000 })).status).toBe('green');
  });
});

describe('the history', () => {
  const at = Date.UTC(2026, 10, 21, 10, 0, 0);
  const word = (atMs: number, status: Readiness['status'], code?: string): Readiness => ({
    atMs,
    primary: 'mumbai',
    standby: 'singapore',
    status,
    sentence: '',
    rpoMs: atMs % 7_000,
    blockers: code === undefined ? [] : [{ code, sentence: '' }],
    warnings: [],
  });

  test('keeps the worst of a minute, and of an hour', () => {
    const words = [word(at, 'green'), word(at + 20_000, 'red', 'NoFreeSlots'), word(at + 40_000, 'green')];
    const later = word(at + 65_000, 'yellow');
    const day = [...words, later].reduce<ReadinessDay | undefined>(addMoment, undefined) as ReadinessDay;
    expect(day.moments.map((m) => [m.atMs - at, m.status, m.blockers])).toEqual([
      [0, 'red', ['NoFreeSlots']],
      [60_000, 'yellow', []],
    ]);
    expect(byTheHour(day).moments).toMatchObject([{ atMs: at, status: 'red', blockers: ['NoFreeSlots'] }]);
  });

  test('a day never has more moments than minutes, by the hour never more than hours; nothing bad is forgotten', () => {
    const seconds = fc.array(fc.integer({ min: 0, max: 86_399 }), { maxLength: 300 });
    fc.assert(
      fc.property(seconds, fc.infiniteStream(fc.constantFrom('green', 'yellow', 'red')), (times, colours) => {
        const start = Date.UTC(2026, 10, 21);
        const words = times
          .toSorted((a, b) => a - b)
          .map((s) => word(start + s * 1_000, colours.next().value as Readiness['status']));
        const day = words.reduce<ReadinessDay | undefined>(addMoment, undefined);
        if (!day) return;
        const hours = byTheHour(day);
        expect(hours.moments.length).toBeLessThanOrEqual(24);
        expect(day.moments.length).toBe(new Set(words.map((w) => Math.floor(w.atMs / 60_000))).size);
        const has = (d: ReadinessDay) => d.moments.some((m) => m.status === 'red');
        expect(has(hours)).toBe(words.some((w) => w.status === 'red'));
        expect(byTheHour(hours)).toEqual(hours);
      }),
      { numRuns: 50 },
    );
  });

  test('two days by the minute, ninety by the hour, older ones go', () => {
    const days = Array.from({ length: 100 }, (_, i) => dayOf(at - i * 86_400_000)).reverse();
    const { compact, drop } = agingDays(days, at);
    expect([compact.length, drop.length]).toEqual([88, 10]);
    expect(compact.at(-1)).toBe('2026-11-19');
  });
});
