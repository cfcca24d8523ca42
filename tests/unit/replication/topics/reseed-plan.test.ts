import { expect, test } from 'vitest';
import { lossCount, type ReseedView, reseedLosses } from '../../../../replication/topics/reseed-plan.ts';

const view: ReseedView = {
  topic: 'events',
  partition: 2,
  logStartOffset: 10n,
  logEndOffset: 40n,
  source: { start: 10n, end: 60n },
  placeholders: false,
  difference: undefined,
};
const difference = { offset: 25n, what: 'the bytes of the records differ' };

test.each<[string, Partial<ReseedView>, readonly (readonly [bigint, bigint])[]]>([
  ['nothing is lost where the source has every record', {}, []],
  ['nothing of an empty log', { logEndOffset: 10n, source: { start: 0n, end: 1n } }, []],
  ['nothing of placeholders', { placeholders: true, source: { start: 50n, end: 60n } }, []],
  ['what the source has deleted is lost', { source: { start: 15n, end: 60n } }, [[10n, 15n]]],
  ['all of it where the source begins later', { source: { start: 50n, end: 60n } }, [[10n, 40n]]],
  ['what lies behind the source`s end is lost', { source: { start: 10n, end: 33n } }, [[33n, 40n]]],
  ['all behind the first difference is lost', { difference }, [[25n, 40n]]],
  [
    'both ends, told apart',
    { source: { start: 12n, end: 30n }, difference },
    [
      [10n, 12n],
      [25n, 40n],
    ],
  ],
  [
    'nothing is counted twice',
    { source: { start: 30n, end: 60n }, difference },
    [
      [10n, 30n],
      [30n, 40n],
    ],
  ],
  ['a partition that the source lacks is lost', { source: undefined }, [[10n, 40n]]],
])('%s', (_what, changes, ranges) => {
  const losses = reseedLosses([{ ...view, ...changes }]);
  expect(losses.map(({ from, to }) => [from, to])).toEqual(ranges);
  expect(lossCount(losses)).toBe(ranges.reduce((sum, [from, to]) => sum + to - from, 0n));
  for (const loss of losses) expect(loss).toMatchObject({ partition: 2, why: expect.stringMatching(/source/) });
});
