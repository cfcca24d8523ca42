import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { type BatchProducer, patchForProduce, sequenceAfter } from '../../regions/kafka/record-batch.ts';
import { decodeRecords, encodeBatch } from '../../regions/kafka/record-codec.ts';
import { walkBatches } from '../topics/walk-batches.ts';
import { keptBody, orphanTopicOf, readKept } from './orphan-record.ts';
import type { KeptTopic, OrphanStore } from './orphan-store.ts';
import { codecFor, sendBatch } from './send-batch.ts';

/** The active side, as far as orphans are kept on it. */
export interface OrphanTopicSide {
  readonly name: string;
  readonly kafka: Pick<
    KafkaAdmin,
    'describeTopics' | 'createTopic' | 'growTopic' | 'logRanges' | 'initProducer' | 'fenceProducer'
  >;
  readonly brokers: KafkaEndpoint;
}

const requestTimeoutMs = 10_000;
/** Whatever a batch of the old primary unpacks to has to fit in; brokers take requests of 100 MB. */
const maxBatchBytes = 96 * 1024 * 1024;
const unlimitedMs = '9223372036854775807';

/**
 * Keeps orphans in topics of the active side, `argus.orphans.<topic>`, with as many partitions. One producer at a time:
 * whoever opens it shuts the one before out of every partition, so that nothing of it comes later. Its markers take offsets there.
 */
export function orphanTopics(side: OrphanTopicSide, transactionalId: string): OrphanStore {
  const cluster = new KafkaCluster({
    ...side.brokers,
    clientId: 'argus-orphans',
    connectTimeoutMs: requestTimeoutMs,
    requestTimeoutMs,
  });
  let producer: BatchProducer | undefined;
  const sequences = new Map<string, number>();

  return {
    describe: (topic) => `topic ${orphanTopicOf(topic)} in ${side.name}`,
    async open(topics, signal) {
      const partitions = (await Promise.all(topics.map((topic) => ensureTopic(side, topic, signal)))).flat();
      // Its epoch must be known in each partition before the last record there is looked at.
      const first = await side.kafka.initProducer(transactionalId, { signal });
      await side.kafka.fenceProducer({ transactionalId, ...first }, partitions, { signal });
      producer = await side.kafka.initProducer(transactionalId, { signal });
      sequences.clear();
    },
    async *read({ topic, partition }, origin, signal) {
      const kept = { topic: orphanTopicOf(topic), partition };
      const there = (await side.kafka.describeTopics([kept.topic], { signal })).get(kept.topic);
      if (there === undefined || there.partitions <= partition) return;
      await cluster.refresh([kept.topic], signal);
      const [range] = await side.kafka.logRanges([kept], { signal });
      if (range === undefined || range.logStartOffset >= range.logEndOffset) return;
      const whole = { from: range.logStartOffset, to: range.logEndOffset };
      for await (const batch of walkBatches(cluster, kept, whole, signal)) {
        if (batch.control || batch.recordCount === 0) continue;
        for (const { body, timestampMs } of decodeRecords(batch)) {
          const { origin: of, ...record } = readKept(body, timestampMs);
          if (of.promotion === origin.promotion && of.region === origin.region) yield record;
        }
      }
    },
    async append(tp, origin, records, signal) {
      if (producer === undefined) throw new RangeError('orphans are appended only after the topics were opened');
      const kept = { topic: orphanTopicOf(tp.topic), partition: tp.partition };
      const key = partitionKey(kept);
      const sequence = sequences.get(key) ?? 0;
      const batch = encodeBatch(
        records.map((record, i) => ({
          offset: BigInt(i),
          timestampMs: record.timestampMs,
          attributes: 0,
          body: keptBody(record, tp, origin),
        })),
        { codec: codecFor(records), stampedByBroker: false, transactional: false, producerId: producer.producerId },
      );
      patchForProduce(batch, producer, sequence);
      await sendBatch(cluster, kept, batch.bytes, signal);
      sequences.set(key, sequenceAfter(sequence, records.length));
    },
    close: () => cluster.close(),
  };
}

async function ensureTopic(
  { kafka }: OrphanTopicSide,
  { topic, partitions }: KeptTopic,
  signal: AbortSignal,
): Promise<readonly TopicPartition[]> {
  const name = orphanTopicOf(topic);
  const there = (await kafka.describeTopics([name], { signal })).get(name);
  if (there === undefined) {
    const configs = {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'compression.type': 'producer',
      'message.timestamp.type': 'CreateTime',
      'message.timestamp.before.max.ms': unlimitedMs,
      'message.timestamp.after.max.ms': unlimitedMs,
      'max.message.bytes': String(maxBatchBytes),
    };
    await kafka.createTopic({ name, partitions, configs }, { signal });
  } else if (there.partitions < partitions) await kafka.growTopic(name, partitions, { signal });
  return Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }));
}
