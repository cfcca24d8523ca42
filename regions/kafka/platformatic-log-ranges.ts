import type { Admin } from '@platformatic/kafka';
import { byPartition, type LogRange, type TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';

/** Log start and high watermark of each partition, ordered. */
export async function readLogRanges(
  client: Admin,
  partitions: readonly TopicPartition[],
): Promise<readonly LogRange[]> {
  const list = (timestamp: bigint) =>
    client.listOffsets({
      topics: byTopic(partitions).map(([name, ps]) => ({
        name,
        partitions: ps.map((p) => ({ partitionIndex: p.partition, timestamp })),
      })),
    });
  // The start first: a log that is truncated in between must not show an end below its start.
  const starts = offsetsOf(await list(-2n));
  const ends = offsetsOf(await list(-1n));
  return [...partitions].sort(byPartition).map(({ topic, partition }) => ({
    topic,
    partition,
    logStartOffset: starts.get(`${topic}-${partition}`) ?? 0n,
    logEndOffset: ends.get(`${topic}-${partition}`) ?? 0n,
  }));
}

function offsetsOf(topics: Awaited<ReturnType<Admin['listOffsets']>>): Map<string, bigint> {
  return new Map(topics.flatMap((t) => t.partitions.map((p) => [`${t.name}-${p.partitionIndex}`, p.offset] as const)));
}
