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

describe('news of the mirror', () => {
  it.each([
    ['nothing while all is well', undefined, looks({}), []],
    ['a partition that waits', looks({}), waiting, ['warn', /events-3 can't be mirrored for now: .* has no leader/]],
    ['nothing again while it waits', waiting, waiting, []],
    ['an alignment', looks({}), aligning(0n), ['info', /events-3: .* begins at 200: .*\(0 %\)/]],
    ['nothing before its next tenth', aligning(21n), aligning(39n), []],
    ['each tenth of it', aligning(39n), aligning(44n), ['info', /\(22 %\)/]],
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
