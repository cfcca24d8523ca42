import { describe, expect, test } from 'vitest';
import { type DemoResult, disagreements } from '../../../../lab/demo/result.ts';
import { renderStandbys, renderSummary } from '../../../../lab/demo/summary.ts';

const good: DemoResult = {
  scenario: 'kill',
  rate: 200,
  rtoMs: 21_400,
  clientOutageMs: 16_200,
  rpo: { topics: { events: { estimated: 51, counted: 48, ms: 240 } } },
  replayedRecords: 903,
  audit: {
    acknowledged: 11_800,
    onStandby: 11_760,
    orphans: 48,
    lost: 41,
    lostUnknown: 7,
    duplicated: 0,
    misordered: 0,
    flink: { keys: 100, wrongCounts: 0 },
    outputDuplicates: 0,
  },
  steps: [
    { id: 'lease', ms: 40 },
    { id: 'start-jobs', ms: 4_100 },
  ],
};
const withAudit = (audit: Partial<DemoResult['audit']>): DemoResult => ({
  ...good,
  audit: { ...good.audit, ...audit },
});

describe('disagreements', () => {
  test('finds none when Argus and the auditor counted the same', () => {
    expect(disagreements(good)).toEqual([]);
  });
  test.each<[string, DemoResult, RegExp]>([
    ['another count of orphans', withAudit({ orphans: 49, lostUnknown: 8 }), /Argus counted 48 .* the auditor 49/],
    ['orphans that are neither lost nor unknown', withAudit({ lost: 40 }), /48 orphans are not 40/],
    ['doubled records', withAudit({ duplicated: 1 }), /1 records stand twice/],
    ['misordered records', withAudit({ misordered: 2 }), /2 records stand before/],
    ['wrong counts', withAudit({ flink: { keys: 100, wrongCounts: 3 } }), /3 of 100 keys/],
    ['doubled output', withAudit({ outputDuplicates: 4 }), /4 records stand twice in the job's output/],
    ['a job without output', withAudit({ flink: { keys: 0, wrongCounts: 0 } }), /put out nothing/],
  ])('tells %s', (_what, result, sentence) => {
    expect(disagreements(result)).toHaveLength(1);
    expect(disagreements(result)[0]).toMatch(sentence);
  });
});

test('the summary says the numbers that matter, and whether the two agree', () => {
  const text = renderSummary(good, 10);
  expect(text).toContain('RTO              21.4 s');
  expect(text).toContain('48 records counted (51 estimated in the dark)');
  expect(text).toContain('✔ Argus and the auditor agree to the record.');
  expect(renderSummary(withAudit({ duplicated: 1 }))).toContain('✘ 1 records stand twice');
});

test('the kinds of standby stand beside each other', () => {
  const of = (standby: 'cold' | 'warm', rtoMs: number, ms: number): DemoResult => ({
    ...good,
    standby,
    rtoMs,
    steps: [{ id: 'await-checkpoint', ms }],
  });
  const lines = renderStandbys([of('cold', 60_900, 52_000), of('warm', 11_000, 2_100)]).split('\n');
  expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
    ['standby', 'RTO', 'job recovers', 'client outage'],
    ['cold', '60.9 s', '52.0 s', '16.2 s'],
    ['warm', '11.0 s', '2.1 s', '16.2 s'],
    [''],
  ]);
});
