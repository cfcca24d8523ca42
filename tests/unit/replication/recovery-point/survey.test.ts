import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AssessmentFacts } from '../../../../replication/recovery-point/assess.ts';
import { defaultRates, measuredRestore, ratesFrom } from '../../../../replication/recovery-point/estimate-restore.ts';
import { findRecoveryPoints } from '../../../../replication/recovery-point/find.ts';
import { surveyPoints } from '../../../../replication/recovery-point/survey.ts';
import { endingAt, replica } from './point-sample.ts';

const facts: AssessmentFacts = {
  nowMs: 100_000,
  losses: { events: { estimatedRecords: 12, ms: 600, estimated: true } },
  rates: { startMs: 1_000, bytesPerSecond: 1_000, recordsPerSecond: 10 },
};
const counts = { job: 'counts', writes: [] };
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

async function survey(ids: readonly number[], end: bigint, over: Parameters<typeof replica>[1] = {}) {
  const from = { objects: await replica(ids, over), kafka: endingAt(end), topics: ['events'] };
  const [survey] = await surveyPoints(from, [counts], () => facts);
  return { ...survey!, failover: (await findRecoveryPoints(from, [counts])).get('counts')! };
}

test('every checkpoint has its verdict: refused, chosen, or older than the chosen one', async () => {
  const { points } = await survey([1, 2, 3], 25n);
  expect(points.map((p) => [p.manifest.checkpointId, p.verdict, p.reasons.map((r) => r.code)])).toEqual([
    [3, 'refused', ['SourceOffsetBeyondMirror']],
    [2, 'chosen', []],
    [1, 'older', ['NewerIsUsable']],
  ]);
  expect(points[2]?.reasons[0]?.message).toBe('it could be used; checkpoint 2 is newer');
});

test('tells what is lost, what is read again and how long that takes', async () => {
  const [point] = (await survey([2], 45n)).points;
  expect(point).toMatchObject({
    ageMs: 98_000,
    stateBytes: 10,
    rpo: { records: 12, ms: 600 },
    replay: { records: 25n },
    sources: [{ topic: 'events', partition: 0, offset: 20n, logStartOffset: 0n, logEndOffset: 45n }],
    // 1 s to start, 10 ms for 10 bytes, 2.5 s for 25 records.
    restoreMs: 3_510,
  });
});

test('a job that consumes a copy has to wait for that, too', async () => {
  const [point] = (await survey([2], 45n, { needsClaim: true })).points;
  // One round of copies and the _metadata, 50 ms each.
  expect(point?.restoreMs).toBeGreaterThanOrEqual(3_510 + 50);
});

test('of a refused one nobody says what it would read again', async () => {
  const [point] = (await survey([2], 5n)).points;
  expect(point).toMatchObject({ verdict: 'refused', replay: null, restoreMs: null });
});

test('a loss that is unknown of one topic is unknown of the job', async () => {
  const sourceOffsets = ['events', 'orders'].map((topic) => ({ topic, partition: 0, offset: '1' }));
  const [point] = (await survey([2], 5n, { sourceOffsets })).points;
  expect(point?.rpo).toEqual({ records: null, ms: null });
  expect(point?.sources[1]).toMatchObject({ topic: 'orders', logStartOffset: null, logEndOffset: null });
});

test('looks no further back than the part that holds the chosen one, and says how many there are', async () => {
  const { points, older } = await survey(upTo(70), 1_000n);
  expect([points.length, older]).toEqual([10, 60]);
  const behind = await survey(upTo(70), 35n);
  expect([behind.points.length, behind.older]).toEqual([70, 0]);
});

test('what lies there and is no checkpoint is named once', async () => {
  const objects = await replica(upTo(20));
  await objects.put(`argus/replica/counts/points/${'b'.repeat(32)}-0000000001/_metadata`, new Uint8Array(1));
  const [found] = await surveyPoints({ objects, kafka: endingAt(5n), topics: ['events'] }, [counts], () => facts);
  expect(found?.problems.map((p) => p.code)).toEqual(['HalfWritten']);
});

test('chooses what a failover would choose, and refuses the same for the same reasons', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 25 }),
      fc.bigInt(0n, 700n),
      async (ids, end) => {
        const { points, failover } = await survey(ids, end);
        const chosen = points.filter((p) => p.verdict === 'chosen').map((p) => p.manifest.checkpointId);
        expect(chosen).toEqual(failover.kind === 'chosen' ? [failover.point.checkpointId] : []);
        const newer = points.slice(0, failover.rejected.length);
        expect(newer.map((p) => [p.manifest.checkpointId, p.reasons])).toEqual(
          failover.rejected.map((r) => [r.checkpointId, r.reasons]),
        );
        for (const point of points) {
          expect(point.verdict === 'chosen').toBe(point.reasons.length === 0);
          expect(point.replay === null).toBe(point.verdict === 'refused');
        }
      },
    ),
    { numRuns: 100 },
  );
});

const step = (id: string, ms: number, status: 'done' | 'already' = 'done') =>
  ({ id, ms, status, startedAtMs: 0, evidence: null }) as const;
const ran = { run: 'r', runbook: 'failover', status: 'done', steps: [] } as const;

test.each([
  ['a failover that started its jobs', { ...ran, steps: [step('start-jobs', 5), step('await-checkpoint', 7)] }, [12]],
  [
    'one that found them started',
    { ...ran, steps: [step('start-jobs', 5, 'already'), step('await-checkpoint', 7)] },
    [],
  ],
  ['one that ended before', { ...ran, steps: [step('start-jobs', 5)] }, []],
  [
    'one that failed',
    { ...ran, status: 'failed' as const, steps: [step('start-jobs', 5), step('await-checkpoint', 7)] },
    [],
  ],
  [
    'another runbook',
    { ...ran, runbook: 'promotion', steps: [step('start-jobs', 5), step('await-checkpoint', 7)] },
    [],
  ],
])('measures by %s', (_, record, ms) => {
  expect(measuredRestore(record).map((m) => m.ms)).toEqual(ms);
});

test('the newest measured start stands in for the default one, and is named', () => {
  expect(ratesFrom([])).toEqual(defaultRates);
  const measured = [
    { run: 'new', ms: 12 },
    { run: 'old', ms: 99 },
  ];
  expect(ratesFrom(measured)).toEqual({ ...defaultRates, startMs: 12, measuredIn: 'new' });
});
