import type { KafkaFenceConfig } from '../../domain/kafka-config.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { Acl } from './kafka-acls.ts';
import type { WriteProbe } from './write-probe.ts';

/** `producer`: takes in data. `job`: a Flink job. */
export type FencedKind = 'producer' | 'job';

/** Who is kept from writing to a region's Kafka when it is not primary. */
export interface FencedPrincipal {
  /** `User:ingest`. */
  readonly principal: string;
  readonly kind: FencedKind;
  /** His login is configured: that he is denied can be tried, not only read. */
  readonly triable: boolean;
}

/** What the configuration says of a region's fence; no secrets. */
export interface FenceSettings extends Pick<KafkaFenceConfig, 'by' | 'required' | 'topics' | 'superUsers'> {
  readonly principals: readonly FencedPrincipal[];
  /** Never denied: Argus' own, and those that the configuration spares. */
  readonly spared: readonly string[];
  /** How long no log may grow after the denial was seen. */
  readonly stillMs: number;
}

/** The rules that one broker acts by, or why it can't be asked. */
export interface BrokerRules {
  readonly broker: number;
  /** Absent: see `why`. */
  readonly rules?: readonly Acl[];
  readonly why?: string;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** How it is seen that a region's Kafka refuses its writers. Rules are made and taken away by `KafkaAcls`. */
export interface KafkaFence {
  readonly settings: FenceSettings;
  /**
   * Tries with a principal's own login whether the partitions' leaders take a write of his; nothing is written. A login
   * that is refused is `KafkaDenied`, a principal without one `KafkaFailed`.
   */
  tryWrites(
    principal: string,
    partitions: readonly TopicPartition[],
    options?: CallOptions,
  ): Promise<readonly WriteProbe[]>;
  /** Every broker's own rules that deny. Needs DESCRIBE on the cluster; no broker at all is `KafkaUnreachable`. */
  rulesAtBrokers(options?: CallOptions): Promise<readonly BrokerRules[]>;
}
