import { ArgusError } from '../../domain/errors.ts';
import { type LogRange, partitionsOf } from '../../domain/offsets.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { ClusterMetadata } from '../../regions/kafka/metadata.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

export interface KafkaFacts {
  /** Partition counts of the asked topics that exist. */
  readonly topics: ReadonlyMap<string, number>;
  /** Every partition of those topics. */
  readonly ranges: readonly LogRange[];
}

/** Does one region's Kafka answer, and what do the topics' logs hold? */
export function probeKafka(
  kafka: KafkaAdmin,
  topics: readonly string[],
  options: ProbeOptions,
): Promise<ProbeOf<KafkaFacts>> {
  return probe(async (call) => {
    const described = [...(await kafka.describeTopics(topics, call)).values()];
    const partitions = partitionsOf(described);
    const ranges = partitions.length === 0 ? [] : await kafka.logRanges(partitions, call);
    return { topics: new Map(described.map((t) => [t.name, t.partitions])), ranges };
  }, options);
}

/** How a cluster's partitions are, of the topics that were asked about. */
export interface BrokerFacts {
  readonly brokers: number;
  /** Without a leader: nobody can read or write them. */
  readonly offline: readonly string[];
  /** With fewer replicas in sync than they have. */
  readonly underReplicated: number;
}

/**
 * Do the brokers answer, and does each partition of these topics have a leader? `PartitionsOffline` where one has none.
 * Topics that don't exist, or may not be described, count for nothing.
 */
export function probeBrokers(
  cluster: KafkaCluster,
  topics: readonly string[],
  options: ProbeOptions,
): Promise<ProbeOf<BrokerFacts>> {
  return probe(async ({ signal }) => {
    const facts = brokerFacts(await cluster.refresh(topics, signal));
    const [first] = facts.offline;
    if (first === undefined) return facts;
    const more = facts.offline.length > 1 ? ` and ${facts.offline.length - 1} more` : '';
    throw new ArgusError('PartitionsOffline', `${cluster.name}: ${first}${more} without a leader`);
  }, options);
}

/** Pure. */
export function brokerFacts({ brokers, topics }: ClusterMetadata): BrokerFacts {
  const all = [...topics].flatMap(([topic, t]) => t.partitions.map((p) => ({ topic, ...p })));
  return {
    brokers: brokers.size,
    offline: all.filter((p) => !brokers.has(p.leader)).map((p) => `${p.topic}-${p.partition}`),
    underReplicated: all.filter((p) => p.inSync < p.replicas).length,
  };
}
