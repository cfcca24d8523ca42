import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { PartitionOffset, TopicPartition } from '../../domain/offsets.ts';
import { partitionKey } from '../../domain/offsets.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import type { Region } from '../../regions/region.ts';
import type { DecidedTransaction, OpenTransaction } from '../../replication/topics/decide-transactions.ts';
import { allowWrites, denyWrites, lookAtDenial, type WriteDenial } from '../../replication/topics/deny-writes.ts';
import {
  closeIdleIds,
  type EndedTransaction,
  endTransaction,
  heldPartitions,
  idsAtOnce,
  lastStableOffsets,
} from '../../replication/topics/end-open-transactions.ts';
import { openTransactions, type ToldTransaction } from '../../replication/topics/open-transactions.ts';

/** What a mirror leaves at the standby's brokers when it has stopped, and how it is kept from writing more. */
export interface StandbyRemains {
  /** Everything that stands open in these partitions; `told`: what the mirror said of it. Reads only. */
  openTransactions(
    partitions: readonly TopicPartition[],
    told: readonly ToldTransaction[],
    signal: AbortSignal,
  ): Promise<readonly OpenTransaction[]>;
  /** Ends the mirror's as decided; `check` throws before each when it may not be. Gives their markers as the log has them. */
  endTransactions(
    decided: readonly DecidedTransaction[],
    promotedAt: readonly PartitionOffset[],
    check: () => void,
    signal: AbortSignal,
  ): Promise<readonly EndedTransaction[]>;
  /** Partitions in which read_committed readers don't get to the log's end, with the offset where they wait. */
  heldPartitions(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<readonly PartitionOffset[]>;
  /** Refuses what a stopped mirror still has under way for its transactional ids; gives how many ids. Can be gone on after. */
  closeIdleIds(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<number>;
  denyWrites(principal: string, topics: readonly string[], signal: AbortSignal): Promise<'made' | 'no-authorizer'>;
  allowWrites(principal: string, topics: readonly string[], signal: AbortSignal): Promise<void>;
  /** Whether brokers refuse this login's writes. */
  lookAtDenial(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<WriteDenial>;
}

const timeoutMs = 5_000;

/** The real ones: each call has connections of its own. */
export function standbyRemains(primary: Pick<Region, 'brokers'>, standby: Region): StandbyRemains {
  const open = (endpoint: KafkaEndpoint) =>
    new KafkaCluster({ ...endpoint, clientId: 'argus', connectTimeoutMs: timeoutMs, requestTimeoutMs: timeoutMs });
  async function withTarget<T>(call: (target: KafkaCluster) => Promise<T>): Promise<T> {
    const target = open(standby.brokers);
    try {
      return await call(target);
    } finally {
      target.close();
    }
  }
  return {
    openTransactions: (partitions, told, signal) =>
      withTarget(async (target) => {
        if (partitions.length === 0) return [];
        const source = open(primary.brokers);
        try {
          return await openTransactions(target, partitions, { told, source }, signal);
        } finally {
          source.close();
        }
      }),
    endTransactions: (decided, promotedAt, check, signal) =>
      withTarget(async (target) => {
        const ends = new Map(promotedAt.map((p) => [partitionKey(p), p.offset]));
        await target.refresh([...new Set(decided.map((d) => d.transaction.topic))], signal);
        return eachAtOnce(decided, idsAtOnce, (each) => {
          check();
          return endTransaction(target, each, ends.get(partitionKey(each.transaction)) ?? 0n, signal);
        });
      }),
    heldPartitions: (partitions, signal) =>
      withTarget(async (target) => {
        if (partitions.length === 0) return [];
        // The ends first: what is appended in between is then no reader that waits.
        const ends = (await standby.kafka.logRanges(partitions, { signal })).map((r) => ({
          topic: r.topic,
          partition: r.partition,
          offset: r.logEndOffset,
        }));
        return heldPartitions(await lastStableOffsets(target, partitions, signal), ends);
      }),
    closeIdleIds: (partitions, signal) =>
      withTarget(async (target) => (partitions.length === 0 ? 0 : closeIdleIds(target, partitions, signal))),
    denyWrites: (principal, topics, signal) => denyWrites(standby, principal, topics, signal),
    allowWrites: (principal, topics, signal) => allowWrites(standby, principal, topics, signal),
    lookAtDenial: (partitions, signal) => lookAtDenial(standby, partitions, signal),
  };
}
