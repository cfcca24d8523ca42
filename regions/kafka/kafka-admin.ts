import type { ArgusError } from '../../domain/errors.ts';
import type { LogRange, PartitionOffset, TopicPartition } from '../../domain/offsets.ts';
import type { KafkaAcls } from './kafka-acls.ts';

export interface TopicDescription {
  readonly name: string;
  /** UUID; a topic that was deleted and created again has another. */
  readonly topicId: string;
  readonly partitions: number;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** What a group has committed for a partition. */
export interface GroupCommit extends PartitionOffset {
  /** What its consumer keeps beside the offset; mostly empty. */
  readonly metadata: string;
}

/** Limits of a user by Kafka's keys, in whole bytes a second of each broker; `null` takes one away. */
export type UserQuotas = Readonly<Partial<Record<'consumer_byte_rate' | 'producer_byte_rate', number | null>>>;

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The control path to one region's Kafka. The data path (fetch and produce of raw batches) is apart: `kafka-connection.ts`.
 *
 * Errors are `ArgusError`: `KafkaUnreachable` (retryable), `KafkaDenied`, `KafkaFailed`; message names the region, the
 * call and the broker. Every call ends within its deadline (10 s) or by the signal.
 */
export interface KafkaAdmin extends KafkaAcls {
  /** Topics that exist, by name; what is missing is absent. All non-internal topics when `names` is not given. */
  describeTopics(names?: readonly string[], options?: CallOptions): Promise<ReadonlyMap<string, TopicDescription>>;
  /** Done when every broker answers for the topic. An existing topic is `KafkaFailed`. */
  createTopic(topic: NewTopic, options?: CallOptions): Promise<void>;
  /** Gives a topic more partitions, up to this count; done when every broker answers for them. Fewer is `KafkaFailed`. */
  growTopic(topic: string, partitions: number, options?: CallOptions): Promise<void>;
  /** Sets these keys of a topic's configuration; others stay. Idempotent. */
  alterTopicConfigs(topic: string, configs: Readonly<Record<string, string>>, options?: CallOptions): Promise<void>;
  /** A topic's configuration in force, inherited values included, by key. A topic that is missing is `KafkaFailed`. */
  topicConfigs(topic: string, options?: CallOptions): Promise<ReadonlyMap<string, string>>;
  /** Log start and high watermark of each partition, ordered by topic and partition. A partition that is missing is an error. */
  logRanges(partitions: readonly TopicPartition[], options?: CallOptions): Promise<readonly LogRange[]>;
  /** Committed offsets of a group; empty for an unknown group. */
  groupOffsets(group: string, options?: CallOptions): Promise<readonly PartitionOffset[]>;
  /** Commits offsets for a group without members. A group with members: `KafkaFailed` with code `GroupActive`. */
  setGroupOffsets(group: string, offsets: readonly PartitionOffset[], options?: CallOptions): Promise<void>;
  /** Every consumer group's id, whatever its protocol. */
  listGroups(options?: CallOptions): Promise<readonly string[]>;
  /** What many groups have committed, or why one can't be asked. */
  groupCommits(
    groups: readonly string[],
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, readonly GroupCommit[] | ArgusError>>;
  /** Commits for many groups; `GroupActive` for one with members, which is left alone by the broker itself. */
  commitGroups(
    commits: ReadonlyMap<string, readonly GroupCommit[]>,
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, ArgusError | undefined>>;
  /**
   * Deletes topics with all that is in them; done when the broker that is asked knows none of them. One that is missing
   * is no error.
   */
  deleteTopics(names: readonly string[], options?: CallOptions): Promise<void>;
  /** Deletes groups with their offsets; `GroupActive` for one with members. One that is missing is no error. */
  deleteGroups(groups: readonly string[], options?: CallOptions): Promise<ReadonlyMap<string, ArgusError | undefined>>;
  /** The limits that a principal (`User:drill`) has of its own; empty: none. What it has as one of all is left out. */
  describeQuotas(principal: string, options?: CallOptions): Promise<ReadonlyMap<string, number>>;
  /** Sets or takes away limits of a principal; others stay. Idempotent. */
  alterQuotas(principal: string, quotas: UserQuotas, options?: CallOptions): Promise<void>;
  /**
   * The producer id behind a transactional id, made by the first call. Every further call raises its epoch.
   * Source: KIP-98, InitProducerId.
   */
  initProducer(
    transactionalId: string,
    options?: CallOptions,
  ): Promise<{ readonly producerId: bigint; readonly producerEpoch: number }>;
  /**
   * Shuts a producer, as `initProducer` gave it, out of the partitions: its epoch is raised and made known to each
   * partition by an ABORT marker, which takes one offset that no reader sees. Its later batches are refused by the
   * broker (INVALID_PRODUCER_EPOCH). Done when every partition's producer state shows the higher epoch of this very id,
   * also when the brokers have forgotten whose it was. The transactions that the mirror has open in these partitions
   * are aborted: gives the number of further ABORT markers in each, by `partitionKey`, where there are any.
   */
  fenceProducer(
    producer: { readonly transactionalId: string; readonly producerId: bigint; readonly producerEpoch: number },
    partitions: readonly TopicPartition[],
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}
