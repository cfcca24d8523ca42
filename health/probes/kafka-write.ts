import { ArgusError } from '../../domain/errors.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { roundTrip } from '../../regions/kafka/round-trip.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

/** The topic that observers write to: as they have it, whatever the brokers' defaults are. */
const topicConfigs = {
  'cleanup.policy': 'delete',
  'retention.ms': '3600000',
  'segment.ms': '600000',
  'compression.type': 'producer',
  'message.timestamp.type': 'CreateTime',
};

export interface WrittenRecord {
  readonly observer: string;
  readonly atMs: number;
}

/**
 * Does a region's Kafka take a record, and give it back? Only in the topic of Argus' own, which is made where it is absent
 * (rights: CREATE, READ and WRITE on it). Nobody mirrors that topic.
 */
export function probeKafkaWrite(
  kafka: { readonly admin: Pick<KafkaAdmin, 'createTopic'>; readonly cluster: KafkaCluster },
  topic: string,
  record: WrittenRecord,
  options: ProbeOptions & { readonly deadlineMs: number },
): Promise<ProbeOf<{ readonly offset: bigint }>> {
  const { admin, cluster } = kafka;
  const bytes = {
    timestampMs: record.atMs,
    key: Buffer.from(record.observer),
    value: Buffer.from(JSON.stringify(record)),
  };
  return probe(async (call) => {
    const write = () => roundTrip(cluster, topic, bytes, { timeoutMs: options.deadlineMs, ...call });
    try {
      return await write();
    } catch (error) {
      if (
        !(error instanceof ArgusError) ||
        error.code !== 'KafkaFailed' ||
        cluster.knowsLeader({ topic, partition: 0 })
      )
        throw error;
      const { topics } = await cluster.refresh([topic], call.signal);
      if ((topics.get(topic)?.partitions.length ?? 0) > 0) throw error;
      await admin.createTopic({ name: topic, partitions: 1, configs: topicConfigs }, call);
      return await write();
    }
  }, options);
}
