import { describe, expect, it } from 'vitest';
import { mirrorNews } from '../../../daemon/mirror-news.ts';
import type { MirrorStatus, PartitionStatus } from '../../../replication/topics/mirror-status.ts';

const looks = (partition: Partial<PartitionStatus>) =>
  ({
    topics: { events: { partitions: [{ partition: 3, state: 'mirroring', ...partition }] } },
  }) as unknown as MirrorStatus;
const waiting = looks({ state: 'waiting', trouble: 'mumbai: partition events-3 has no leader' });
const aligning = (done: bigint) =>
  looks({ state: 'waiting', trouble: 'it is aligned', alignsTo: 200n, mirroredEndOffset: done });
const stop = { reason: 'Diverged', detail: 'other records' } as const;

const open = (late: boolean) =>
  looks({ openTransactions: { count: 1, firstOffset: 7n, ageMs: 480_000, timeoutMs: 900_000, late } });

describe('news of the mirror', () => {
  it.each([
    ['nothing while all is well', undefined, looks({}), []],
    ['a partition that waits', looks({}), waiting, ['warn', /events-3 can't be mirrored for now: .* has no leader/]],
    ['nothing again while it waits', waiting, waiting, []],
    ['an alignment', looks({}), aligning(0n), ['info', /events-3: .* begins at 200: .*\(0 %\)/]],
    ['nothing before its next tenth', aligning(21n), aligning(39n), []],
    ['each tenth of it', aligning(39n), aligning(44n), ['info', /\(22 %\)/]],
    ['a transaction that is open for long', open(false), open(true), ['warn', /offset 7, for 8 min; after 15 min/]],
    ['nothing again while it stays open', open(true), open(true), []],
    ['that it goes on', waiting, looks({}), ['info', /events-3 is mirrored again/]],
    [
      'a stop, also at the first look',
      undefined,
      looks({ state: 'stopped', stop }),
      ['error', /Diverged: other records/],
    ],
  ] as const)('tells %s', (_what, before, now, expected) => {
    const news = mirrorNews(before, now);
    if (expected.length === 0) expect(news).toEqual([]);
    else expect(news).toEqual([{ level: expected[0], message: expect.stringMatching(expected[1]) }]);
  });
});
