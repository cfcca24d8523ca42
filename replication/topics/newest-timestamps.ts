import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { readBatch } from '../../regions/kafka/record-batch.ts';

/** Enough for a batch's header, whatever follows it. */
const headerRoomBytes = 4_096;

/**
 * The newest timestamp of each partition's last batch, by `partitionKey`, read from its header alone. A partition
 * that is empty, or whose last batch does not come, is absent. `ends` are the log ends, exclusive.
 */
export async function newestTimestamps(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  ends: ReadonlyMap<string, bigint>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const filled = partitions.filter((p) => (ends.get(partitionKey(p)) ?? 0n) > 0n);
  const newest = new Map<string, number>();
  for (const [node, list] of Map.groupBy(filled, (p) => cluster.leaderOf(p))) {
    const positions = list.map((p) => ({
      topic: p.topic,
      partition: p.partition,
      offset: (ends.get(partitionKey(p)) ?? 1n) - 1n,
      maxBytes: headerRoomBytes,
    }));
    const request = fetchRequest(positions, { maxWaitMs: 0, maxBytes: headerRoomBytes * positions.length });
    for (const answer of await cluster.send(node, 'control', request, { signal })) {
      if (answer.errorCode !== 0 || answer.records.length < 61) continue;
      newest.set(partitionKey(answer), readBatch(answer.records).maxTimestampMs);
    }
  }
  return newest;
}
