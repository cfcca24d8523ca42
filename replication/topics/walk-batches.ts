import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { type RecordBatch, recordBatches } from '../../regions/kafka/record-batch.ts';

const fetchBytes = 4 * 1024 * 1024;
const maxWaitMs = 50;

/**
 * The batches of a partition from an offset on, up to one (exclusive) or, without that, for ever: where the log ends it
 * waits for more, until the signal. The cluster has looked up who leads. Errors: those of `KafkaCluster`.
 */
export async function* walkBatches(
  cluster: KafkaCluster,
  tp: TopicPartition,
  range: { readonly from: bigint; readonly to?: bigint },
  signal: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const { topic, partition } = tp;
  let offset = range.from;
  while (range.to === undefined || offset < range.to) {
    const positions = [{ topic, partition, offset, maxBytes: fetchBytes }];
    const request = fetchRequest(positions, { maxWaitMs, maxBytes: fetchBytes });
    const [answer] = await cluster.send(cluster.leaderOf(tp), partitionKey(tp), request, { signal });
    if (answer && answer.errorCode !== 0) throw partitionError(cluster.name, 'Fetch', tp, answer.errorCode);
    for (const batch of recordBatches(answer?.records ?? Buffer.alloc(0))) {
      if (batch.lastOffset < offset) continue;
      if (range.to !== undefined && batch.baseOffset >= range.to) return;
      offset = batch.lastOffset + 1n;
      yield batch;
    }
  }
}
