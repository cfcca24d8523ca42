import { type PartitionOffset, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { auditorClient } from '../../lab/auditor/read-topic.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import { patchForProduce, type RecordBatch, readBatch, recordBatches } from '../../regions/kafka/record-batch.ts';

const timeoutMs = 30_000;
const nobody = { producerId: -1n, producerEpoch: -1 };

/**
 * Makes a mirrored topic anew in a region without one batch of its records: of the fullest partition the one that holds
 * the last record but some. What follows it there lies lower than it should; every other batch is as it was. The mirror
 * and all who write there must have ended. Gives where the missing records began.
 */
export async function dropMirroredBatch(
  bootstrap: string,
  topic: string,
  fromTheEnd: number,
): Promise<PartitionOffset> {
  const options = { name: 'test', bootstrap: [bootstrap], clientId: 'test', connectTimeoutMs: 5_000 };
  const cluster = new KafkaCluster({ ...options, requestTimeoutMs: timeoutMs });
  try {
    const { topics } = await cluster.refresh([topic]);
    const partitions = (topics.get(topic)?.partitions ?? []).map(({ partition }) => ({ topic, partition }));
    const ends = await cluster.logEnds(partitions);
    const endOf = (tp: TopicPartition): bigint => ends.get(partitionKey(tp)) ?? 0n;
    const logs = new Map<number, RecordBatch[]>();
    for (const tp of partitions) logs.set(tp.partition, await readLog(cluster, tp, endOf(tp)));
    const fullest = [...partitions].sort((a, b) => Number(endOf(b) - endOf(a)))[0];
    if (fullest === undefined) throw new Error(`${topic} is not there`);
    const wanted = endOf(fullest) - BigInt(fromTheEnd);
    const dropped = logs.get(fullest.partition)?.find((batch) => batch.lastOffset >= wanted);
    if (dropped === undefined) throw new Error(`${partitionKey(fullest)} has no ${fromTheEnd} records`);
    const lost = { ...fullest, offset: dropped.baseOffset };
    await makeAnew(bootstrap, topic, partitions.length);
    for (const tp of partitions) {
      const kept = (logs.get(tp.partition) ?? []).filter((batch) => batch !== dropped);
      await writeLog(cluster, tp, kept);
    }
    return lost;
  } finally {
    cluster.close();
  }
}

async function readLog(cluster: KafkaCluster, tp: TopicPartition, end: bigint): Promise<RecordBatch[]> {
  const found: RecordBatch[] = [];
  for (let at = 0n; at < end; ) {
    const request = fetchRequest([{ ...tp, offset: at, maxBytes: 4 << 20 }], { maxWaitMs: 500, maxBytes: 8 << 20 });
    const [answer] = await cluster.send(cluster.leaderOf(tp), 'fetch', request, { timeoutMs });
    const batches = [...recordBatches(answer?.records ?? Buffer.alloc(0))].filter((batch) => batch.baseOffset >= at);
    const last = batches.at(-1);
    if (last === undefined) throw new Error(`${partitionKey(tp)} can't be read at ${at}: ${answer?.errorCode}`);
    found.push(...batches.map((batch) => readBatch(Buffer.from(batch.bytes))));
    at = last.lastOffset + 1n;
  }
  return found;
}

async function writeLog(cluster: KafkaCluster, tp: TopicPartition, batches: readonly RecordBatch[]): Promise<void> {
  await cluster.refresh([tp.topic]);
  for (const batch of batches) {
    patchForProduce(batch, nobody, -1);
    const request = produceRequest([{ ...tp, bytes: batch.bytes }], timeoutMs);
    const [answer] = await cluster.send(cluster.leaderOf(tp), 'produce', request, { timeoutMs });
    if (answer?.errorCode !== 0) throw new Error(`${partitionKey(tp)} can't be written: ${answer?.errorCode}`);
  }
}

async function makeAnew(bootstrap: string, topic: string, numPartitions: number): Promise<void> {
  const admin = auditorClient(bootstrap).admin();
  await admin.connect();
  try {
    await admin.deleteTopics({ topics: [topic] });
    for (let made = false; !made; ) {
      // The broker forgets the old one some time after its answer.
      made = await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true }).catch(() => false);
      if (!made) await new Promise((r) => setTimeout(r, 200));
    }
  } finally {
    await admin.disconnect();
  }
}
