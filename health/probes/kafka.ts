import { type LogRange, partitionsOf } from '../../domain/offsets.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
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
