import { describe, expect, test } from 'vitest';
import type { TopicDescription } from '../../../../regions/kafka/kafka-admin.ts';
import { judgeIdentity, planGrowth } from '../../../../replication/topics/plan-following.ts';

const topics = (...list: [name: string, topicId: string, partitions?: number][]) =>
  new Map(
    list.map(([name, topicId, partitions = 1]): [string, TopicDescription] => [name, { name, topicId, partitions }]),
  );

test('the standby gets the partitions that it lacks, never fewer', () => {
  const atSource = topics(['grown', 'a', 4], ['same', 'b', 2], ['fewer', 'c', 1], ['absent', 'd', 3]);
  const atStandby = topics(['grown', 'e', 2], ['same', 'f', 2], ['fewer', 'g', 3]);
  expect(planGrowth(atSource, atStandby)).toEqual([{ topic: 'grown', partitions: 4 }]);
});

describe('a topic made anew', () => {
  const known = { events: { sourceId: 'a', standbyId: 'x' } };

  test.each<[string, Map<string, TopicDescription>, Map<string, TopicDescription>, string | undefined, object]>([
    ['is held, and its old ids stay known', topics(['events', 'b']), topics(['events', 'x']), 'TopicRecreated', known],
    [
      'on both sides is a new pair',
      topics(['events', 'b']),
      topics(['events', 'y']),
      undefined,
      { events: { sourceId: 'b', standbyId: 'y' } },
    ],
    [
      'on the standby alone is filled anew',
      topics(['events', 'a']),
      topics(['events', 'y']),
      undefined,
      { events: { sourceId: 'a', standbyId: 'y' } },
    ],
    ['is not told while it is only gone', topics(), topics(['events', 'x']), undefined, known],
  ])('%s', (_rule, atSource, atStandby, reason, next) => {
    const judged = judgeIdentity(known, atSource, atStandby);
    expect(judged.recreated.events?.reason).toBe(reason);
    expect(judged.known).toEqual(next);
  });

  test('is told only of those that were known', () => {
    expect(judgeIdentity({}, topics(['new', 'n']), topics(['new', 'm']))).toEqual({
      known: { new: { sourceId: 'n', standbyId: 'm' } },
      recreated: {},
    });
  });
});
