import type { OpenSinkTransaction, SinkEnds } from '../../domain/checkpoint.ts';
import { ArgusError } from '../../domain/errors.ts';
import { byPartition, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { describeProducers } from '../../regions/kafka/producers-of.ts';
import { lastStableOffsets } from '../topics/end-open-transactions.ts';

/** What one look at the sinks' topics saw; when, and whether a newer checkpoint was complete, is for the caller to say. */
export type SeenSinkEnds = Pick<SinkEnds, 'partitions' | 'open'>;

/** Looks at the topics that a job writes, on the primary. Connections are kept from one look to the next. */
export interface SinkWatch {
  /** Takes `patienceMs` at most. Errors: those of `KafkaCluster`, `KafkaFailed` for a topic that doesn't exist. */
  look(topics: readonly string[], signal?: AbortSignal): Promise<SeenSinkEnds>;
  /** The look for one job; empty for one that declares no topics that it writes. */
  of(job: { readonly writes?: readonly string[] | undefined }): {
    readonly lookAtSinks?: (signal?: AbortSignal) => Promise<SeenSinkEnds>;
  };
  close(): void;
}

/** A checkpoint is not kept waiting for longer by a Kafka that is silent. */
const patienceMs = 2_000;

/** Looks at one region's Kafka: a few small requests to each broker that leads a partition. */
export function sinkWatch(brokers: KafkaEndpoint): SinkWatch {
  const open = () =>
    new KafkaCluster({
      ...brokers,
      clientId: 'argus',
      connectTimeoutMs: patienceMs,
      requestTimeoutMs: patienceMs,
    });
  let cluster = open();
  const watch: SinkWatch = {
    async look(topics, signal) {
      const soon = AbortSignal.timeout(patienceMs);
      try {
        return await readSinkEnds(cluster, topics, signal ? AbortSignal.any([signal, soon]) : soon);
      } catch (error) {
        signal?.throwIfAborted();
        // A connection that hangs would hang the next time, too.
        cluster.close();
        cluster = open();
        if (!soon.aborted) throw error;
        throw new ArgusError('KafkaUnreachable', `${brokers.name}: no answer within ${patienceMs} ms`, {
          cause: error,
          retryable: true,
        });
      }
    },
    of({ writes = [] }) {
      return writes.length === 0 ? {} : { lookAtSinks: (signal) => watch.look(writes, signal) };
    },
    close: () => cluster.close(),
  };
  return watch;
}

/**
 * Log ends, last stable offsets and open transactions of the topics. The order of the questions matters: whatever was
 * open when the stable offsets were asked, or began later, has its first record at or above them; what is not among the
 * open ones had either ended before they were asked for, or begun after; and all that began before lies below the ends.
 */
async function readSinkEnds(
  cluster: KafkaCluster,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<SeenSinkEnds> {
  const partitions = await partitionsOfTopics(cluster, topics, signal);
  const stable = new Map(
    (await lastStableOffsets(cluster, partitions, signal)).map((s) => [partitionKey(s), s.offset]),
  );
  const shown = await describeProducers(cluster, partitions, signal);
  const open = shown.flatMap(({ topic, partition, errorCode, producers }): OpenSinkTransaction[] => {
    if (errorCode !== kafkaError.none) {
      throw partitionError(cluster.name, 'DescribeProducers', { topic, partition }, errorCode);
    }
    return producers
      .filter((p) => p.transactionStart >= 0n)
      .map(({ producerId, producerEpoch, transactionStart }) => ({
        topic,
        partition,
        producerId: producerId.toString(),
        producerEpoch,
        firstOffset: transactionStart.toString(),
      }));
  });
  const ends = await cluster.logEnds(partitions, signal);
  return {
    partitions: partitions.map(({ topic, partition }) => {
      const key = partitionKey({ topic, partition });
      const endOffset = ends.get(key);
      const stableOffset = stable.get(key);
      if (endOffset === undefined || stableOffset === undefined) {
        throw new ArgusError('KafkaFailed', `${cluster.name}: no log end for ${key}`, { retryable: true });
      }
      return { topic, partition, endOffset: endOffset.toString(), stableOffset: stableOffset.toString() };
    }),
    open: open.sort((a, b) => byPartition(a, b) || Number(BigInt(a.firstOffset) - BigInt(b.firstOffset))),
  };
}

async function partitionsOfTopics(
  cluster: KafkaCluster,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<readonly TopicPartition[]> {
  const metadata = await cluster.refresh(topics, signal);
  return [...new Set(topics)]
    .flatMap((topic) => {
      const found = metadata.topics.get(topic)?.partitions ?? [];
      if (found.length === 0) {
        throw new ArgusError('KafkaFailed', `${cluster.name}: topic ${topic} can't be described`, {
          hint: 'check that the topic exists and may be described (jobs.writes)',
        });
      }
      return found.map(({ partition }) => ({ topic, partition }));
    })
    .sort(byPartition);
}
