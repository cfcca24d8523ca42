import { ArgusError } from '../../domain/errors.ts';
import { partitionKey } from '../../domain/offsets.ts';
import { authorizedOperationsRequest } from '../../regions/kafka/authorized-operations.ts';
import type { AclOperation } from '../../regions/kafka/kafka-acls.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { plainBatch } from '../../regions/kafka/plain-batch.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import { lastBatches } from './last-batches.ts';
import { standbyConfigs } from './prepare-topics.ts';

export interface HeartbeatSide {
  /** The region's name. */
  readonly name: string;
  readonly kafka: Pick<KafkaAdmin, 'describeTopics' | 'topicConfigs' | 'createTopic'>;
  readonly brokers: KafkaEndpoint;
}

/** What one heartbeat says; its record has the instant as timestamp and the region as key. */
export interface HeartbeatRecord {
  readonly region: string;
  readonly atMs: number;
  /** Counts from 1 since the writer began. */
  readonly sequence: number;
}

const requestTimeoutMs = 5_000;
/** Of the heartbeat's topic: an hour of them is more than anybody asks about. */
export const heartbeatConfigs = {
  'cleanup.policy': 'delete',
  'retention.ms': '3600000',
  'segment.ms': '600000',
  'message.timestamp.type': 'CreateTime',
};
const needed: readonly AclOperation[] = ['READ', 'WRITE', 'DESCRIBE_CONFIGS'];

/** Connections for heartbeats, apart from the mirror's; close them. */
export function heartbeatCluster(brokers: KafkaEndpoint): KafkaCluster {
  const timeouts = { connectTimeoutMs: requestTimeoutMs, requestTimeoutMs };
  return new KafkaCluster({ ...brokers, clientId: 'argus-heartbeat', ...timeouts });
}

/**
 * Makes the heartbeat's topic on both sides where it is absent, and sees that it may be written and mirrored. Idempotent.
 * `KafkaDenied` names the rights that are absent.
 */
export async function prepareHeartbeat(
  source: HeartbeatSide,
  standby: HeartbeatSide,
  topic: string,
  signal: AbortSignal,
): Promise<void> {
  const call = { signal };
  if (!(await source.kafka.describeTopics([topic], call)).has(topic)) {
    await source.kafka.createTopic({ name: topic, partitions: 1, configs: heartbeatConfigs }, call);
  }
  await seeRights(source, topic, signal);
  const described = (await source.kafka.describeTopics([topic], call)).get(topic);
  if (!(await standby.kafka.describeTopics([topic], call)).has(topic)) {
    const configs = standbyConfigs(await source.kafka.topicConfigs(topic, call));
    await standby.kafka.createTopic({ name: topic, partitions: described?.partitions ?? 1, configs }, call);
  }
  await seeRights(standby, topic, signal);
}

async function seeRights(side: HeartbeatSide, topic: string, signal: AbortSignal): Promise<void> {
  const cluster = heartbeatCluster(side.brokers);
  try {
    const { topics } = await cluster.ask(() => authorizedOperationsRequest([topic]), signal);
    const missing = needed.filter((right) => topics.get(topic)?.operations.has(right) !== true);
    if (missing.length === 0) return;
    throw new ArgusError('KafkaDenied', `the principal needs ${missing.join(', ')} on topic ${topic} in ${side.name}`);
  } finally {
    cluster.close();
  }
}

/** Writes one heartbeat to the first partition, acknowledged by all replicas in sync. */
export async function writeHeartbeat(
  cluster: KafkaCluster,
  topic: string,
  record: HeartbeatRecord,
  signal: AbortSignal,
): Promise<void> {
  const tp = { topic, partition: 0 };
  await cluster.refresh([topic], signal);
  const bytes = plainBatch({
    timestampMs: record.atMs,
    key: Buffer.from(record.region),
    value: Buffer.from(JSON.stringify(record)),
  });
  const request = produceRequest([{ ...tp, bytes }], requestTimeoutMs);
  for (const answer of await cluster.send(cluster.leaderOf(tp), 'heartbeat', request, { signal })) {
    if (answer.errorCode !== 0) throw partitionError(cluster.name, 'Produce', tp, answer.errorCode);
  }
}

/** The instant of the newest heartbeat that can be read there; undefined while there is none. */
export async function newestHeartbeat(
  cluster: KafkaCluster,
  topic: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const tp = { topic, partition: 0 };
  const { topics } = await cluster.refresh([topic], signal);
  if ((topics.get(topic)?.partitions.length ?? 0) === 0) return undefined;
  const ends = await cluster.logEnds([tp], signal);
  return (await lastBatches(cluster, [tp], ends, signal)).get(partitionKey(tp))?.maxTimestampMs;
}
