import { describe, expect, test } from 'vitest';
import { pageIn, renderPage } from '../../../../lab/training/pager.ts';
import { trainingScenarios } from '../../../../lab/training/scenarios.ts';
import { renderScore, scoreTraining, type TrainingFacts, type TrainingRun } from '../../../../lab/training/score.ts';
import { wordIn } from '../../../../lab/training/trainee.ts';

const clean = { acknowledged: 1_000, lost: 0, doubled: 0, misordered: 0 };

function facts(changes: Partial<TrainingFacts>): TrainingFacts {
  return {
    ...{ right: 'wait', unfencedNeeded: false, brokenAtMs: 0, pagedAtMs: 10_000, endedAtMs: 200_000, hints: 0 },
    ...{ runs: [], audit: clean },
    ...changes,
  };
}

const run = (changes: Partial<TrainingRun> = {}): TrainingRun => ({
  ...{ runbook: 'failover', startedAtMs: 40_000, status: 'done', acceptedUnfenced: true, rtoMs: 30_000 },
  ...changes,
});

const dead = { right: 'failover', unfencedNeeded: true } as const;

describe('a lesson is scored', () => {
  const cases: readonly (readonly [string, Partial<TrainingFacts>, number])[] = [
    ['waited at once where that was right: all', { waitedAtMs: 30_000 }, 100],
    ['waited after three minutes: half the time’s points', { waitedAtMs: 190_000 }, 85],
    ['waited and never said so: half the time’s points', {}, 85],
    ['took two hints: ten less', { waitedAtMs: 30_000, hints: 2 }, 90],
    [
      'failed over from a slow primary, unfenced, and lost: nothing',
      { runs: [run()], audit: { ...clean, lost: 40 } },
      0,
    ],
    [
      'failed over from a slow primary without loss: the loss’s points less the wrong move',
      { runs: [run({ acceptedUnfenced: false })] },
      5,
    ],
    [
      'switched over from a slow primary: hasty, and nothing is lost',
      { runs: [run({ runbook: 'switchover', acceptedUnfenced: false })] },
      60,
    ],
    [
      'switched over from a slow primary, and lost what waiting would have kept: nothing for the loss',
      { runs: [run({ runbook: 'switchover', acceptedUnfenced: false })], audit: { ...clean, lost: 40 } },
      40,
    ],
    [
      'switched over, and failed over then: nothing for the decision',
      { runs: [run({ runbook: 'switchover', status: 'failed' }), run()], audit: { ...clean, lost: 9 } },
      0,
    ],
    ['failed over from a dead one at once: all', { ...dead, runs: [run()] }, 100],
    ['its tail can’t be saved by anybody', { ...dead, runs: [run()], audit: { ...clean, lost: 12 } }, 100],
    ['failed over after five minutes', { ...dead, runs: [run({ startedAtMs: 310_000, rtoMs: 330_000 })] }, 70],
    [
      'the failover did not get to its end',
      { ...dead, runs: [run({ status: 'failed', rtoMs: undefined as never })] },
      75,
    ],
    ['nothing was done about a dead one', { ...dead }, 5],
    ['a switchover from a dead one', { ...dead, runs: [run({ runbook: 'switchover', status: 'refused' })] }, 20],
    ['events that stand twice', { ...dead, runs: [run()], audit: { ...clean, doubled: 1 } }, 80],
    [
      'the second of two attempts succeeds',
      { ...dead, runs: [run({ status: 'refused' }), run({ startedAtMs: 50_000 })] },
      100,
    ],
    ['a cut: waiting is right as well', { right: 'either', unfencedNeeded: true, waitedAtMs: 20_000 }, 100],
    [
      'a cut: so is a failover',
      { right: 'either', unfencedNeeded: true, runs: [run()], audit: { ...clean, lost: 30 } },
      100,
    ],
    ['failback', { right: 'failback', runs: [run({ runbook: 'failback', acceptedUnfenced: false })] }, 100],
    [
      'failback after three minutes of reading: all, since clients are served',
      { right: 'failback', runs: [run({ runbook: 'failback', acceptedUnfenced: false, startedAtMs: 190_000 })] },
      100,
    ],
    ['failback, unfenced without need', { right: 'failback', runs: [run({ runbook: 'failback' })] }, 85],
    ['a failover instead of a failback', { right: 'failback', runs: [run({ acceptedUnfenced: false })] }, 5],
    ['could not be counted', { waitedAtMs: 20_000, audit: undefined as never }, 80],
  ];
  test.each(cases)('%s', (_what, changes, points) => {
    const score = scoreTraining(facts(changes));
    expect(score.points, JSON.stringify(score)).toBe(points);
    expect(score.lines.map((l) => l.what)).toEqual(['decision', 'time', 'loss', 'wrong moves', 'hints']);
  });

  test('what was wrong is said', () => {
    expect(scoreTraining(facts({ runs: [run()] })).wrongMoves).toEqual([
      'a failover where waiting was right',
      'an unfenced primary was accepted without need',
    ]);
    expect(scoreTraining(facts({ ...dead })).wrongMoves).toEqual(['nothing was done while clients had no service']);
  });

  test('what only the old primary had is no loss of whoever fails back: it is kept', () => {
    const runs = [run({ runbook: 'failback', acceptedUnfenced: false })];
    const { lines } = scoreTraining(facts({ right: 'failback', runs, audit: { ...clean, lost: 300 } }));
    expect(lines.find((l) => l.what === 'loss')).toMatchObject({
      points: 20,
      says: expect.stringMatching(/^300 of 1000 .*: the tail that had not been mirrored: the failback keeps it$/),
    });
  });

  test('as a table, with what a good run looks like', () => {
    const text = renderScore('The primary is slow', scoreTraining(facts({ waitedAtMs: 20_000 })), ['argus status']);
    expect(text).toContain('The primary is slow: 100 of 100');
    expect(text).toMatch(/decision +50 of 50 {2}waited, which was right/);
    expect(text).toMatch(/A good run:\n {2}argus status/);
  });
});

test('every scenario has a call, hints, what is right and what a good run is', () => {
  expect(trainingScenarios.map((s) => s.name)).toEqual([
    'slow-primary',
    'partition',
    'dead-primary',
    'broken-checkpoints',
    'flapping-link',
    'old-primary-back',
  ]);
  for (const { name, call, hints, good, title } of trainingScenarios) {
    for (const text of [call, title, ...hints, ...good]) expect(text.length, name).toBeGreaterThan(10);
    expect(hints.length, name).toBeGreaterThan(1);
  }
});

test('words that are typed', () => {
  expect(['wait', ' HINT ', 'done now', 'failover', ''].map(wordIn)).toEqual([
    'wait',
    'hint',
    'done',
    undefined,
    undefined,
  ]);
});

test('a page is what the daemon tells, framed', () => {
  const data = { state: 'open', severity: 'critical', title: 'PrimaryDead', lines: ['nothing '.repeat(30).trim()] };
  const page = pageIn(JSON.stringify({ data }));
  expect(page).toEqual(data);
  const lines = renderPage(page!, new Date(0)).split('\n');
  expect(lines[1]).toContain('CRITICAL  PrimaryDead');
  expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(95);
  expect(pageIn('{}')).toBeUndefined();
  expect(pageIn('no JSON')).toBeUndefined();
});
