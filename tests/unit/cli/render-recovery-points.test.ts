import { expect, test } from 'vitest';
import { jobPointsJson, renderRecoveryPoints } from '../../../cli/render-recovery-points.ts';
import { defaultRates } from '../../../replication/recovery-point/estimate-restore.ts';
import { surveyPoints } from '../../../replication/recovery-point/survey.ts';
import { endingAt, replica } from '../replication/recovery-point/point-sample.ts';

const about = { region: 'singapore', rpoBasis: 'estimated', rates: defaultRates } as const;
const pending = { transactionalId: 'counts-0-7', producerId: '41', producerEpoch: 0 };

async function found(ids: readonly number[], end: bigint, estimatedRecords: number | null = 12) {
  const splits = [{ topic: 'events', partition: 0, marker: '-3', offset: '20' }];
  const resolvedMarkers = { group: 'counts', atMs: 1, splits };
  const objects = await replica(ids, { droppedTransactions: [pending], resolvedMarkers });
  const losses = { events: { estimatedRecords, ms: 600, estimated: true } };
  const facts = { nowMs: 10_000, losses, rates: defaultRates };
  const from = { objects, kafka: endingAt(end), topics: ['events'] };
  return (await surveyPoints(from, [{ job: 'counts', writes: [] }], () => facts))[0]!;
}

test('names the chosen one with its cost, and the first reason against each newer one', async () => {
  const text = renderRecoveryPoints(about, [await found([1, 2, 3], 25n)], { explain: false });
  expect(text.split('\n')).toEqual([
    'counts on singapore: checkpoint 2',
    '  checkpoint 3  7.0 s old  refused  SourceOffsetBeyondMirror: events-0: the job would go on at 30, the mirror ends at 25',
    '  checkpoint 2  8.0 s old  chosen',
    '    RPO about 12 records, 600 ms; reads 5 records again; about 15.0 s to restore (10 bytes); pending transactions of its sinks: 1',
    "    not verifiable of counts: which topics its 1 pending transactions wrote is not declared (jobs.writes): whether the standby has their output can't be told",
    '  checkpoint 1  9.0 s old  older',
    '',
    'RPO: estimated from the last sight of the primary, which does not answer',
    'time to restore: 15.0 s to start (a guess: no failover has measured it), 100 MB and 50000 records a second (guesses)',
    '',
  ]);
});

test('explained, shows offsets against the standby, and transactions', async () => {
  const text = renderRecoveryPoints(about, [await found([2], 25n)], { explain: true });
  expect(text).toContain('events-0: goes on at 20; the standby holds [0, 25)');
  expect(text).toContain('pending: counts-0-7, producer 41, epoch 0');
  expect(text).toContain('events-0: 20 stands for the marker -3, what counts had committed');
});

test('says why there is none, and never a number that nobody knows', async () => {
  expect(renderRecoveryPoints(about, [await found([], 25n)], { explain: false })).toContain(
    'counts: the replica holds no complete checkpoint of counts',
  );
  expect(renderRecoveryPoints(about, [await found([3], 5n)], { explain: false })).toContain(
    'counts: none of 1 checkpoints of counts on the replica is usable; checkpoint 3: events-0: the job',
  );
  expect(renderRecoveryPoints(about, [await found([1], 25n, null)], { explain: false })).toContain('RPO unknown;');
});

test('as JSON offsets are decimal strings, and a job without a point says why', async () => {
  const chosen = jobPointsJson(await found([1, 2], 25n), { explain: true });
  expect(JSON.parse(JSON.stringify(chosen))).toMatchObject({
    job: 'counts',
    chosen: 2,
    points: [
      {
        checkpointId: 2,
        verdict: 'chosen',
        replayRecords: '5',
        pendingTransactions: 1,
        sources: [{ topic: 'events', partition: 0, offset: '20', logStartOffset: '0', logEndOffset: '25' }],
        transactions: [pending],
      },
      { checkpointId: 1, verdict: 'older' },
    ],
  });
  expect(chosen).not.toHaveProperty('because');
  const none = jobPointsJson(await found([3], 5n), { explain: false });
  expect(none).toMatchObject({ chosen: null, because: expect.stringContaining('the mirror ends at 5') });
  expect(none.points[0]).not.toHaveProperty('sources');
});
