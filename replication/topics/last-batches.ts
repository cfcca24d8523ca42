import type { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { isDenied } from '../../regions/kafka/error-codes.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { type RecordBatch, readBatch } from '../../regions/kafka/record-batch.ts';

/** Enough for a batch's header, whatever follows it. */
const headerRoomBytes = 4_096;
/** The first partition's batch comes whole, however large; the others must still find room behind it. */
const answerBytes = 32 * 1024 * 1024;

/**
 * The batch before each partition's given end, by `partitionKey`: its header, the records may be cut. A partition
 * that is empty, or whose batch can't be read, is absent; one that may not be read is told as well. `ends` are exclusive; a partition without one is not asked.
 */
export async function lastBatches(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  ends: ReadonlyMap<string, bigint>,
  signal: AbortSignal,
  onDenied: (key: string, error: ArgusError) => void = () => undefined,
): Promise<ReadonlyMap<string, RecordBatch>> {
  const filled = partitions.filter((p) => (ends.get(partitionKey(p)) ?? 0n) > 0n);
  const last = new Map<string, RecordBatch>();
  for (const [node, list] of Map.groupBy(filled, (p) => cluster.leaderOf(p))) {
    const positions = list.map((p) => ({
      topic: p.topic,
      partition: p.partition,
      offset: (ends.get(partitionKey(p)) ?? 1n) - 1n,
      maxBytes: headerRoomBytes,
    }));
    const request = fetchRequest(positions, { maxWaitMs: 0, maxBytes: answerBytes });
    for (const answer of await cluster.send(node, 'control', request, { signal })) {
      if (isDenied(answer.errorCode))
        onDenied(partitionKey(answer), partitionError(cluster.name, 'Fetch', answer, answer.errorCode));
      if (answer.errorCode !== 0 || answer.records.length < 61) continue;
      try {
        last.set(partitionKey(answer), readBatch(answer.records));
      } catch {
        // Not readable: the fetch loop meets the same bytes and stops that partition by name.
      }
    }
  }
  return last;
}
