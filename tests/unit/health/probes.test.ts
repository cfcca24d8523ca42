import { describe, expect, test } from 'vitest';
import { judgeAnswers, type NameAnswer } from '../../../health/probes/dns.ts';
import { heldUpPart, type JobLook, judgeJob } from '../../../health/probes/job.ts';
import { brokerFacts } from '../../../health/probes/kafka.ts';
import { sightOf } from '../../../health/sight.ts';

describe('a job', () => {
  const nowMs = 1_000_000;
  const well: JobLook = {
    name: 'counts',
    job: { state: 'RUNNING', startedAtMs: 0 },
    checkpoints: { latestCompleted: { id: 7, path: 's3://x', completedAtMs: nowMs - 4_000 }, failedCount: 0 },
    intervalMs: 5_000,
    runningForMs: 600_000,
  };
  const old = { latestCompleted: { id: 7, path: 's3://x', completedAtMs: nowMs - 90_000 }, failedCount: 3 };
  const { job: _, ...missing } = well;
  const cases: readonly (readonly [string, JobLook, object])[] = [
    ['that runs and takes its checkpoints is well', well, { status: 'ok' }],
    ['that the cluster does not have has failed', missing, { status: 'failed', code: 'JobMissing' }],
    [
      'that starts again and again has failed, and it is told how often',
      { ...well, job: { state: 'RESTARTING', startedAtMs: 0 }, restarts: 12 },
      { status: 'failed', code: 'JobNotRunning', reason: 'job counts is RESTARTING after 12 restarts' },
    ],
    [
      'whose checkpoints have stopped has failed',
      { ...well, checkpoints: old },
      { status: 'failed', code: 'CheckpointOld' },
    ],
    [
      'that began a moment ago has time for its first',
      { ...well, checkpoints: old, runningForMs: 20_000 },
      { status: 'ok' },
    ],
    [
      'without an interval is not measured by one',
      { ...missing, job: well.job!, checkpoints: old, intervalMs: 1e12 },
      { status: 'ok' },
    ],
    ['that is held up is well, and it is told', { ...well, heldUp: 0.97 }, { status: 'ok', code: 'JobHeldUp' }],
  ];
  test.each(cases)('%s', (_name, look, expected) => expect(judgeJob(look, nowMs)).toMatchObject(expected));
});

describe('resolvers', () => {
  const answer = (resolver: string, ...value: string[]): NameAnswer => ({
    name: 'ingest.test',
    resolver,
    answer: { status: 'ok', latencyMs: 1, value },
  });
  const silent: NameAnswer = {
    name: 'ingest.test',
    resolver: 'd',
    answer: { status: 'unknown', latencyMs: 9, code: 'ProbeTimedOut' },
  };
  const judged = (answers: readonly NameAnswer[]) => judgeAnswers(answers).map((a) => a.judged.code ?? a.judged.status);

  test('that say the same agree, in whatever order', () =>
    expect(judged([answer('a', '1.1.1.1', '2.2.2.2'), answer('b', '2.2.2.2', '1.1.1.1')])).toEqual(['ok', 'ok']));
  test('one against most is told, a silent one counts for nobody', () =>
    expect(judged([answer('a', '1.1.1.1'), answer('b', '2.2.2.2'), answer('c', '1.1.1.1'), silent])).toEqual([
      'ok',
      'ResolversDisagree',
      'ok',
      'ProbeTimedOut',
    ]));
  test('one against one: nobody is wrong', () =>
    expect(judged([answer('a', '1.1.1.1'), answer('b', '2.2.2.2')])).toEqual(['ok', 'ok']));
  test('a name without address is told', () => expect(judged([answer('a')])).toEqual(['NameEmpty']));
});

test('partitions without a leader, and replicas that are behind, are counted', () => {
  const p = (partition: number, leader: number, inSync: number) => ({
    partition,
    errorCode: 0,
    leader,
    leaderEpoch: 1,
    replicas: 3,
    inSync,
  });
  const topics = new Map([['events', { errorCode: 0, partitions: [p(0, 1, 3), p(1, 1, 2), p(2, -1, 0)] }]]);
  const brokers = new Map([[1, { host: 'a', port: 1 }]]);
  expect(brokerFacts({ brokers, topics })).toEqual({ brokers: 1, offline: ['events-2'], underReplicated: 2 });
});

test('what the observer itself may not do says nothing of the region', () => {
  const about = { probe: 'objects', region: 'mumbai' } as const;
  const denied = { status: 'failed', latencyMs: 3, code: 'ObjectStoreDenied', reason: 'no' } as const;
  expect(sightOf(about, denied)).toEqual({
    ...about,
    status: 'unknown',
    latencyMs: 3,
    code: 'ObjectStoreDenied',
    reason: 'no',
  });
  expect(sightOf(about, { ...denied, code: 'ObjectStoreFailed' })).toMatchObject({ status: 'failed' });
});

test('how much a job was held up is what two looks differ by, of the vertex that was most', () => {
  expect(heldUpPart([1_000, 5_000], [1_500, 14_500], 10_000)).toBe(0.95);
  expect(heldUpPart([1_000], [1_000], 10_000)).toBe(0);
  // Begun anew, or another graph: nothing to compare with.
  expect(heldUpPart([9_000], [10], 10_000)).toBe(0);
  expect(heldUpPart([1], [1, 2], 10_000)).toBeUndefined();
});
