import { expect, test } from 'vitest';
import { shareThrottle } from '../../../../replication/topics/share-throttle.ts';

const of = (topic: string, count: number) => Array.from({ length: count }, (_, partition) => ({ topic, partition }));

test('a member may read as much of the limit as it has of the partitions', () => {
  const all = [...of('a', 4), ...of('b', 4)];
  const throttle = { bytesPerSecond: 8_000, topics: { a: 1_000 } };
  const [mine, others] = [[...of('a', 3), ...of('b', 1)], all.slice(3).slice(0, 4)];
  expect(shareThrottle(throttle, all, mine)).toEqual({ bytesPerSecond: 4_000, topics: { a: 750 } });
  expect(shareThrottle(throttle, all, others)).toEqual({ bytesPerSecond: 4_000, topics: { a: 250 } });
  expect(shareThrottle({ topics: {} }, all, mine)).toEqual({ topics: {} });
});
