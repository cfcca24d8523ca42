import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { deleteRecordsRequest } from '../../regions/kafka/delete-records.ts';
import { fillerBatch, fillerRecords, maxFillerRecords } from '../../regions/kafka/filler-batch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import type { TestBroker } from './kafka-broker.ts';

const timeoutMs = 60_000;

/** Makes an old log of a partition: it goes on to `start`, and holds nothing before. */
export async function raiseLog(broker: TestBroker, tp: TopicPartition, start: bigint): Promise<void> {
  await withCluster(broker, tp, async (cluster) => {
    const full = fillerRecords(maxFillerRecords);
    let end = (await cluster.logEnds([tp])).get(partitionKey(tp)) ?? 0n;
    while (end < start) {
      const count = start - end < BigInt(full.count) ? Number(start - end) : full.count;
      const records = count === full.count ? full : fillerRecords(count);
      const bytes = fillerBatch(records, { producer: { producerId: -1n, producerEpoch: -1 }, baseSequence: -1 });
      const request = produceRequest([{ ...tp, bytes }], timeoutMs);
      const [answer] = await cluster.send(cluster.leaderOf(tp), 'produce', request, { timeoutMs });
      if (answer?.errorCode !== 0) throw new Error(`the test's log can't be raised: ${answer?.errorCode}`);
      end += BigInt(count);
    }
  });
  await deleteBefore(broker, tp, start);
}

/** Deletes the records of a partition before an offset, as retention would. */
export async function deleteBefore(broker: TestBroker, tp: TopicPartition, offset: bigint): Promise<void> {
  await withCluster(broker, tp, async (cluster) => {
    const request = deleteRecordsRequest([{ ...tp, offset }], timeoutMs);
    const [answer] = await cluster.send(cluster.leaderOf(tp), 'produce', request, { timeoutMs });
    if (answer?.errorCode !== 0) throw new Error(`the test's records can't be deleted: ${answer?.errorCode}`);
  });
}

async function withCluster(broker: TestBroker, tp: TopicPartition, use: (cluster: KafkaCluster) => Promise<void>) {
  const requestTimeoutMs = timeoutMs;
  const options = { name: 'test', bootstrap: [broker.address], clientId: 'test', connectTimeoutMs: 5_000 };
  const cluster = new KafkaCluster({ ...options, requestTimeoutMs });
  try {
    await cluster.refresh([tp.topic]);
    await use(cluster);
  } finally {
    cluster.close();
  }
}
