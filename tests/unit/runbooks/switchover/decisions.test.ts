import { describe, expect, test } from 'vitest';
import type { LogRange } from '../../../../domain/offsets.ts';
import type { FlinkJob } from '../../../../regions/flink/flink-jobs.ts';
import type { StoredSavepoint } from '../../../../runbooks/switchover/context.ts';
import { earlierOf } from '../../../../runbooks/switchover/earlier.ts';
import { lackingRecords } from '../../../../runbooks/switchover/readiness.ts';
import { unreadBy } from '../../../../runbooks/switchover/steps/await-catch-up.ts';
import { judgePoints, unreadOffsets } from '../../../../runbooks/switchover/steps/copy-savepoints.ts';
import { unequalEnds } from '../../../../runbooks/switchover/steps/prove-ends.ts';
import { judgeStop } from '../../../../runbooks/switchover/steps/stop-with-savepoint.ts';
import { stopTriggerId } from '../../../../runbooks/switchover/switchover-step.ts';
import type { RunRecord, StepRecord } from '../../../../state/run-record.ts';

const range = (partition: number, logEndOffset: bigint, logStartOffset = 0n, topic = 'events'): LogRange => {
  return { topic, partition, logStartOffset, logEndOffset };
};
const offset = (partition: number, at: bigint, topic = 'events') => ({ topic, partition, offset: at });

describe('a job that was asked to stop with a savepoint', () => {
  const job = (id: string, state: string, startedAtMs = 1): FlinkJob => ({ id, name: 'counts', state, startedAtMs });
  const saved = (flinkJobId: string): StoredSavepoint => {
    return { job: 'counts', flinkJobId, checkpointId: 9, directory: `s/${flinkJobId}`, completedAtMs: 5 };
  };
  test.each<[string, readonly FlinkJob[], readonly StoredSavepoint[], object]>([
    ['is live while it ends', [job('a', 'RUNNING')], [saved('a')], { kind: 'live' }],
    [
      'is live when another attempt of it runs',
      [job('a', 'FINISHED'), job('b', 'RUNNING', 2)],
      [saved('a')],
      { kind: 'live' },
    ],
    [
      'is stopped when it finished and its savepoint is complete',
      [job('a', 'FINISHED')],
      [saved('a')],
      { kind: 'stopped', known: true },
    ],
    ['is lost when it finished without one', [job('a', 'FINISHED')], [], { kind: 'lost' }],
    [
      'is lost when the savepoint is of an earlier attempt',
      [job('b', 'FINISHED', 2), job('a', 'FINISHED')],
      [saved('a')],
      { kind: 'lost' },
    ],
    [
      'is lost when it failed behind its savepoint: it had gone on',
      [job('a', 'FAILED')],
      [saved('a')],
      { kind: 'lost' },
    ],
    ['is lost when it was cancelled', [job('a', 'CANCELED')], [saved('a')], { kind: 'lost' }],
    ['is stopped when its cluster is gone with it', [], [saved('a')], { kind: 'stopped', known: false }],
    [
      'is stopped when its platform keeps it from starting again',
      [job('a', 'SUSPENDED')],
      [saved('a')],
      { kind: 'stopped', known: false },
    ],
    ['is lost when nothing is known of it', [], [], { kind: 'lost' }],
    ['is not told by jobs of other names', [{ ...job('x', 'RUNNING'), name: 'other' }], [], { kind: 'lost' }],
  ])('%s', (_rule, jobs, savepoints, expected) => {
    expect(judgeStop('counts', jobs, savepoints)).toMatchObject(expected);
  });

  test('is asked by the same request in every run, and by another after one that failed', () => {
    expect(stopTriggerId(1, 'a', 0)).toBe(stopTriggerId(1, 'a', 0));
    expect(new Set([0, 1, 2].map((n) => stopTriggerId(1, 'a', n))).size).toBe(3);
    expect(stopTriggerId(1, 'a', 0)).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('what a job has still to read', () => {
  const inputs = [range(0, 100n), range(1, 50n, 10n)];
  test.each<[string, readonly string[] | undefined, ReturnType<typeof offset>[], readonly LogRange[]]>([
    ['is nothing when it has committed the ends', undefined, [offset(0, 100n), offset(1, 50n)], []],
    ['begins where it committed', undefined, [offset(0, 90n), offset(1, 50n)], [range(0, 100n, 90n)]],
    ['begins at the log`s start when that is later', undefined, [offset(0, 100n), offset(1, 3n)], [range(1, 50n, 10n)]],
    ['is not waited for where it commits nothing', undefined, [offset(1, 50n)], []],
    ['is nothing of topics that it doesn`t read', ['orders'], [offset(0, 0n)], []],
  ])('%s', (_rule, reads, committed, expected) => {
    expect(unreadBy(reads === undefined ? {} : { reads: [...reads] }, inputs, committed)).toEqual(expected);
  });
});

test('ends are unequal where the standby has less, more, or nothing', () => {
  const here = [range(0, 5n), range(1, 5n), range(2, 5n), range(3, 5n)];
  expect(unequalEnds(here, [range(0, 5n), range(1, 4n), range(2, 6n)])).toEqual([
    { partition: 'events-1', here: 5n, there: 4n },
    { partition: 'events-2', here: 5n, there: 6n },
    { partition: 'events-3', here: 5n, there: undefined },
  ]);
});

test('the lag counts what lacks, and no records that are too many', () => {
  expect(lackingRecords([range(0, 10n), range(1, 7n), range(2, 9n, 4n)], [range(0, 6n), range(1, 9n)])).toBe(4 + 5);
});

test('a savepoint that has read past the mirror is refused; one of topics that aren`t mirrored is not', () => {
  const promotedAt = [offset(0, 100n)];
  const point = (at: bigint, topic?: string) => [{ job: 'counts', sourceOffsets: [offset(0, at, topic)] }];
  expect(judgePoints(point(100n), { promotedAt })).toBeUndefined();
  expect(judgePoints(point(101n), { promotedAt })).toMatchObject({ code: 'PastTheMirror' });
  expect(judgePoints(point(101n, 'local'), { promotedAt })).toBeUndefined();
});

test('unread offsets are counted up to the promoted end; a marker makes them unknown', () => {
  const promotedAt = [offset(0, 100n), offset(1, 50n)];
  expect(unreadOffsets([{ sourceOffsets: [offset(0, 97n), offset(1, 50n)] }], promotedAt)).toBe(3);
  expect(unreadOffsets([{ sourceOffsets: [offset(0, 97n), offset(1, -3n)] }], promotedAt)).toBeNull();
});

describe('what earlier runs have left', () => {
  const step = (id: string, status: StepRecord['status'], startedAtMs: number, evidence: object = {}): StepRecord =>
    ({ id, status, startedAtMs, ms: 1, evidence, error: { code: 'c', message: 'm' } }) as unknown as StepRecord;
  const run = (rolesEpoch: number, ...steps: StepRecord[]) =>
    ({ details: { rolesEpoch }, steps }) as unknown as RunRecord;
  const proof = { atMs: 1, partitions: [] };
  const denied = (atMs: number) => step('deny-producers', 'done', atMs);
  const proven = step('prove-ends', 'done', 9, { proof });

  test('is when producers were first denied, and what was proven', () => {
    const again = step('deny-producers', 'already', 20);
    expect(earlierOf([run(1, denied(5), proven), run(1, again)], 1)).toEqual({ deniedAtMs: 5, earlierProof: proof });
  });

  test('is nothing under other roles, and nothing that was taken back', () => {
    expect(earlierOf([run(1, denied(5), proven)], 2)).toEqual({});
    const back = run(1, step('deny-producers', 'compensated', 5), proven);
    expect(earlierOf([back], 1)).toEqual({});
    expect(earlierOf([back, run(1, denied(30))], 1)).toEqual({ deniedAtMs: 30 });
  });
});
