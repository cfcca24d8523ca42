import type { TopicPartition } from '../../domain/offsets.ts';
import { describeProducersRequest, type PartitionProducers } from './describe-producers.ts';
import type { KafkaCluster } from './kafka-cluster.ts';

/** What the partitions' leaders, as last seen, know of their producers; each answer has its own error code. */
export async function describeProducers(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  signal?: AbortSignal,
): Promise<readonly PartitionProducers[]> {
  const answers = [...Map.groupBy(partitions, (p) => cluster.leaderOf(p))].map(([node, list]) =>
    cluster.send(node, 'control', describeProducersRequest(list), signal ? { signal } : {}),
  );
  return (await Promise.all(answers)).flat();
}
