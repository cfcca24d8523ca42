import type { TopicPartition } from '../../domain/offsets.ts';

/** Groups partitions as requests want them: each topic once, in the order of first appearance. */
export function byTopic<T extends TopicPartition>(items: readonly T[]): readonly (readonly [string, readonly T[]])[] {
  const topics = new Map<string, T[]>();
  for (const item of items) {
    const list = topics.get(item.topic);
    if (list) list.push(item);
    else topics.set(item.topic, [item]);
  }
  return [...topics];
}
