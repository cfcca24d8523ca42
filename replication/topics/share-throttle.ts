import type { Throttle } from '../../domain/mirror-config.ts';
import type { TopicPartition } from '../../domain/offsets.ts';

/**
 * A member's part of the throttle: as large as its part of the partitions, and of a topic's limit as its part of that
 * topic's. All parts together are the whole. Pure.
 */
export function shareThrottle(
  throttle: Throttle,
  all: readonly TopicPartition[],
  own: readonly TopicPartition[],
): Throttle {
  const part = (limit: number, whole: number, mine: number) => Math.max(1, Math.floor((limit * mine) / (whole || 1)));
  const of = (list: readonly TopicPartition[], topic: string) => list.filter((p) => p.topic === topic).length;
  const topics = Object.entries(throttle.topics).map(([topic, limit]) => {
    return [topic, part(limit, of(all, topic), of(own, topic))] as const;
  });
  const { bytesPerSecond } = throttle;
  return {
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond: part(bytesPerSecond, all.length, own.length) }),
    topics: Object.fromEntries(topics),
  };
}
