import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { errorName, isDenied, isTransient, kafkaError } from './error-codes.ts';
import { fillerBatch, fillerRecords } from './filler-batch.ts';
import { type KafkaCluster, partitionError } from './kafka-cluster.ts';
import { produceRequest } from './produce.ts';

/** What a partition's leader says to a write of this principal. */
export interface WriteProbe extends TopicPartition {
  /** `denied`: its authorizer forbids it. `open`: it would have taken the records. `unsure`: ask again, see `detail`. */
  readonly verdict: 'denied' | 'open' | 'unsure';
  readonly detail: string;
  /** The node id of the leader that was asked. */
  readonly broker: number;
}

const brokerTimeoutMs = 5_000;
/** No producer: nothing is kept of it at the broker. */
const nobody = { producerId: -1n, producerEpoch: -1 };

/**
 * Asks each partition's leader whether a principal may write, without writing: by a Produce whose batch has a wrong
 * checksum. Brokers look at the rights first (`TOPIC_AUTHORIZATION_FAILED`) and at the bytes then (`CORRUPT_MESSAGE`);
 * nothing is appended either way. Who leads is asked as `cluster`, the writes are tried as `writer`, which needs no
 * right but the one that is asked for. Source: `KafkaApis.handleProduceRequest`, `LogValidator` of Kafka 4.3.
 */
export async function probeWrites(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
  writer: KafkaCluster = cluster,
): Promise<readonly WriteProbe[]> {
  const { brokers } = await cluster.refresh([...new Set(partitions.map((p) => p.topic))], signal);
  const bytes = corruptBatch();
  const byLeader = Map.groupBy(partitions, (p) => cluster.leaderOf(p));
  const answers = await Promise.all(
    [...byLeader].map(([node, list]) => {
      const batches = list.map(({ topic, partition }) => ({ topic, partition, bytes }));
      const address = brokers.get(node)!;
      return writer.sendTo(address, 'control', produceRequest(batches, brokerTimeoutMs), { signal });
    }),
  );
  const told = new Map(answers.flat().map((a) => [partitionKey(a), a.errorCode]));
  return partitions.map(({ topic, partition }) => {
    const broker = cluster.leaderOf({ topic, partition });
    const code = told.get(partitionKey({ topic, partition }));
    if (code === undefined) return { topic, partition, broker, verdict: 'unsure', detail: 'the answer left it out' };
    const verdict = verdictOf(code, cluster.name, { topic, partition });
    return { topic, partition, broker, verdict, detail: errorName(code) };
  });
}

/** Pure, but for what no broker should say: an answer that neither denies nor complains of the bytes is an error. */
function verdictOf(code: number, region: string, tp: TopicPartition): WriteProbe['verdict'] {
  if (isDenied(code)) return 'denied';
  if (code === kafkaError.corruptMessage) return 'open';
  if (isTransient(code)) return 'unsure';
  throw partitionError(region, 'Produce of a deliberately corrupt batch', tp, code);
}

/** One placeholder whose checksum is wrong. */
function corruptBatch(): Buffer {
  const bytes = fillerBatch(fillerRecords(1, 'gzip'), { producer: nobody, baseSequence: -1 });
  bytes.writeUInt32BE((bytes.readUInt32BE(17) ^ 1) >>> 0, 17);
  return bytes;
}
