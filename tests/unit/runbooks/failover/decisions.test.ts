import { describe, expect, test } from 'vitest';
import type { Roles } from '../../../../domain/roles.ts';
import type { DnsRecord } from '../../../../regions/dns/dns-records.ts';
import { decideDirection } from '../../../../runbooks/failover/direction.ts';
import { flipOf } from '../../../../runbooks/failover/flip.ts';
import { type Outage, type OutageView, outageOf } from '../../../../runbooks/failover/outage.ts';
import { assembleRecount, type PartitionCount } from '../../../../runbooks/failover/recount.ts';
import { exitCodeOf, replayed } from '../../../../runbooks/failover/report.ts';
import { findStandbyJob, standbyJobId } from '../../../../runbooks/failover/standby-job.ts';
import { hasRecovered } from '../../../../runbooks/failover/steps/await-checkpoint.ts';
import { usedPoint } from '../../../../runbooks/failover/steps/choose-recovery-point.ts';
import { dataEnds } from '../../../../runbooks/failover/steps/freeze-mirror.ts';
import type { RunRecord, RunStatus } from '../../../../state/run-record.ts';
import type { Sighting } from '../../../../state/sightings.ts';
import { at, manifest, roles } from './world.ts';

describe('the outage', () => {
  const nowMs = 100_000;
  const seen = (checkedAtMs: number, over: Partial<Sighting> = {}) => ({ atMs: 50_000, checkedAtMs, ...over });
  const failed = { firstFailureAtMs: 51_000 };
  const dark = { primaryAnswers: false, nowMs };
  const started = { atMs: nowMs, source: 'run-start' };
  test.each<[string, OutageView, Outage | object]>([
    [
      'is what the operator states',
      { ...dark, statedAtMs: 1, sighting: seen(99_000, failed) },
      { atMs: 1, source: 'operator' },
    ],
    [
      'stays that of the run which is gone on with',
      { ...dark, resumed: { atMs: 7, source: 'operator' }, sighting: seen(99_000, failed) },
      { atMs: 7, source: 'operator' },
    ],
    [
      'stays that also when nobody watched as it began',
      { ...dark, resumed: { atMs: 7, source: 'run-start', earliestAtMs: null }, sighting: seen(99_000, failed) },
      { atMs: 7, source: 'run-start', earliestAtMs: null },
    ],
    [
      'is a newer one when the primary answered since the one that the run counted from',
      { ...dark, resumed: { atMs: 7, source: 'first-failed-probe' }, sighting: seen(99_000, failed) },
      { atMs: 51_000, source: 'first-failed-probe' },
    ],
    [
      'stays that of a run of which nothing is taken back any more',
      { ...dark, resumed: { atMs: 7, source: 'first-failed-probe' }, pastReturn: true, sighting: seen(99_000, failed) },
      { atMs: 7, source: 'first-failed-probe' },
    ],
    [
      "is the daemon's first failed probe",
      { ...dark, sighting: seen(99_000, failed) },
      { atMs: 51_000, source: 'first-failed-probe' },
    ],
    [
      'is that also when the daemon died after it, while the primary is still dark',
      { ...dark, sighting: seen(60_000, failed) },
      { atMs: 51_000, source: 'first-failed-probe' },
    ],
    [
      'is not an old failure of a primary that answers again',
      { primaryAnswers: true, nowMs, sighting: seen(60_000, failed) },
      started,
    ],
    ['is the start of the run when a daemon watches and saw no failure', { ...dark, sighting: seen(99_000) }, started],
    [
      'may have begun at the last sight when nobody watched since',
      { ...dark, sighting: seen(60_000) },
      { ...started, earliestAtMs: 50_000 },
    ],
    ['may have begun at any time when nobody ever watched', dark, { ...started, earliestAtMs: null }],
  ])('%s', (_rule, view, expected) => {
    expect(outageOf(view)).toEqual(expected);
  });

  test('can not be in the future', () => {
    expect(() => outageOf({ ...dark, statedAtMs: nowMs + 1 })).toThrow(
      expect.objectContaining({ code: 'OutageInFuture', exitCode: 2 }),
    );
  });
});

const outageAt = (atMs: number): Outage => ({ atMs, source: 'first-failed-probe' });

describe('the direction', () => {
  const promoted: Roles = { ...roles, epoch: 2, primary: 'singapore', standby: 'mumbai', run: 'r1' };
  const run = (status: RunStatus, step: 'done' | 'compensated' | 'started', outageAtMs = 5): RunRecord => ({
    run: 'r1',
    runbook: 'failover',
    by: 'me',
    epoch: 1,
    status,
    startedAtMs: 1,
    lastAtMs: 2,
    details: { rolesEpoch: 1, outageAtMs, outageSource: 'first-failed-probe' },
    steps: [{ id: 'freeze-mirror', startedAtMs: 1, ms: 1, evidence: null, status: step === 'started' ? 'done' : step }],
  });

  test('is that of the roles in force when no run is open', () => {
    expect(decideDirection(roles, undefined, [])).toEqual({ roles, open: [] });
    expect(decideDirection(promoted, roles, [run('done', 'done')])).toEqual({ roles: promoted, open: [] });
  });

  test('stays that of a run which promoted and did not end, with its outage', () => {
    for (const status of ['running', 'interrupted', 'failed'] as const) {
      const open = run(status, 'done');
      expect(decideDirection(promoted, roles, [open])).toEqual({
        roles,
        open: [open],
        resumes: open,
        outage: outageAt(5),
      });
    }
  });

  test('forgets the outage of runs that were taken back', () => {
    const runs = [run('running', 'done', 5), run('failed', 'compensated', 6)];
    expect(decideDirection(roles, undefined, runs)).toEqual({ roles, open: [] });
    const again = run('running', 'done', 9);
    expect(decideDirection(roles, undefined, [...runs, again])).toMatchObject({ resumes: again, outage: outageAt(9) });
  });
});

describe('a name', () => {
  const record = (content: string): DnsRecord => ({
    id: content,
    name: 'n',
    type: 'A',
    content,
    ttlSeconds: 60,
    proxied: false,
  });
  const addresses = { primary: '1.1.1.1', standby: '2.2.2.2' };
  test.each([
    ['is changed where it holds the primary', ['1.1.1.1'], { kind: 'change', records: [record('1.1.1.1')] }],
    ['is left alone where it holds the standby', ['2.2.2.2'], { kind: 'already' }],
    ['is not overwritten where it holds something else', ['9.9.9.9'], { kind: 'impossible', code: 'NameHoldsOther' }],
    ['can not be flipped without a record', [], { kind: 'impossible', code: 'NameMissing' }],
  ])('%s', (_rule, contents, expected) => {
    expect(flipOf('n', contents.map(record), addresses)).toMatchObject(expected);
  });
});

describe("the standby's job", () => {
  const id = (attempt: number) => standbyJobId(2, 'counts', attempt);
  const job = (state: string, jobId = id(0), name = 'counts') => ({ id: jobId, name, state, startedAtMs: 1 });

  test('has the same id in every run, another after each end, and never that of other roles', () => {
    expect(id(0)).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set([id(0), id(1), standbyJobId(3, 'counts', 0), standbyJobId(2, 'other', 0)]).size).toBe(4);
    expect(findStandbyJob([], 2, 'counts')).toEqual({ kind: 'none', nextId: id(0), ended: [] });
    const failed = job('FAILED');
    expect(findStandbyJob([failed], 2, 'counts')).toEqual({ kind: 'none', nextId: id(1), ended: [failed] });
  });

  test('is live while it restarts, and foreign when nobody promoted it', () => {
    expect(findStandbyJob([job('RESTARTING')], 2, 'counts').kind).toBe('live');
    expect(findStandbyJob([job('RUNNING', '0'.repeat(32))], 2, 'counts').kind).toBe('foreign');
    expect(findStandbyJob([job('CANCELED', '0'.repeat(32))], 2, 'counts').kind).toBe('none');
  });

  test('has recovered with a checkpoint newer than the restored one, not with RUNNING', () => {
    const restored = { id: 7, path: 'p', atMs: 1 };
    const own = (n: number) => ({ restored, latestCompleted: { id: n, path: 'p', completedAtMs: 2 } });
    expect(hasRecovered({ restored, completedCount: 0, failedCount: 0 })).toBe(false);
    expect(hasRecovered({ ...own(7), completedCount: 1, failedCount: 0 })).toBe(false);
    expect(hasRecovered({ ...own(8), completedCount: 1, failedCount: 0 })).toBe(true);
    const { latestCompleted } = own(8);
    expect(hasRecovered({ latestCompleted, completedCount: 1, failedCount: 0 }), 'started empty').toBe(false);
  });
});

describe('where data ends behind a fence', () => {
  test('is below the markers of the transactions that it aborted, too', () => {
    const [end] = at(14n);
    const aborted = new Map([[`${end?.topic}-${end?.partition}`, 2]]);
    expect(dataEnds(true, at(10n), at(14n), aborted)[0]?.offset).toBe(11n);
    expect(dataEnds(true, at(12n), at(14n), aborted)[0]?.offset).toBe(12n);
  });

  test.each([
    ['is one marker below the end', true, at(10n), at(11n), at(10n)],
    ['counts what was appended before the marker', true, at(10n), at(14n), at(13n)],
    ['is the end when no marker came', true, at(10n), at(10n), at(10n)],
    ['is the end from before the first fence when it was repeated', false, at(10n), at(12n), at(10n)],
  ])('%s', (_rule, first, before, after, expected) => {
    expect(dataEnds(first, before, after)).toEqual(expected);
  });
});

describe('replayed records', () => {
  test('are those from the recovery point to the promoted end; markers say nothing', () => {
    expect(replayed([usedPoint(manifest)], at(100n, 50n))).toBe(20);
    expect(replayed([usedPoint(manifest)], undefined)).toBeNull();
    expect(replayed([{ ...usedPoint(manifest), sourceOffsets: [] }], at(100n))).toBeNull();
  });
});

describe('the exit code', () => {
  test.each([
    ['done', true, 0],
    ['refused', false, 3],
    ['failed', false, 1],
    ['failed', true, 4],
    ['interrupted', false, 1],
    ['interrupted', true, 4],
  ] as const)('of a run that is %s, past the point of no return: %s, is %i', (outcome, pastReturn, code) => {
    expect(exitCodeOf({ outcome, pastReturn })).toBe(code);
  });
});

describe('a recount', () => {
  const count = (partition: number, over: Partial<PartitionCount> = {}): PartitionCount => ({
    topic: 'events',
    partition,
    records: 0n,
    bytes: 0,
    firstTimestampMs: undefined,
    lastTimestampMs: undefined,
    exact: true,
    grewTo: undefined,
    ...over,
  });
  const report = {
    run: 'r1',
    outageAtMs: 10_000,
    promotedAt: [0, 1].map((partition) => ({ topic: 'events', partition, offset: '9' })),
    rpo: { topics: { events: { estimatedRecords: 51 } } },
  };

  test('puts the exact count of each topic beside its estimate', () => {
    const lost = count(0, { records: 48n, bytes: 4_800, firstTimestampMs: 9_760, lastTimestampMs: 9_990 });
    expect(assembleRecount(report, [lost, count(1)])).toEqual({
      run: 'r1',
      topics: { events: { estimated: 51, counted: 48, bytes: 4_800, ms: 240, stillGrowing: false, exact: true } },
      uncounted: [],
    });
  });

  test('reaches to the newest lost record where clients went on after the outage', () => {
    const late = count(0, { records: 2n, firstTimestampMs: 9_000, lastTimestampMs: 15_000, grewTo: 99n });
    expect(assembleRecount(report, [late, count(1)]).topics.events).toMatchObject({ ms: 6_000, stillGrowing: true });
  });

  test('names the partitions that could not be counted', () => {
    expect(assembleRecount(report, [count(0)]).uncounted).toEqual(['events-1']);
    expect(assembleRecount(report, [count(0)]).topics.events).toMatchObject({ counted: 0, ms: 0 });
  });
});
