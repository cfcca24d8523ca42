import { ArgusError } from '../../domain/errors.ts';
import { type PartitionOffset, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { decodeBody, type RecordBody } from '../../regions/kafka/record-body.ts';
import { decodeRecords } from '../../regions/kafka/record-codec.ts';
import { walkBatches } from '../../replication/topics/walk-batches.ts';
import type { KeyTable } from './collected-records.ts';
import { foldOutput, type ReadPartition } from './fold-output.ts';

const requestTimeoutMs = 10_000;

/** Records of one topic that are held at once, at most: some 24 bytes each, besides one entry for each key. */
export const MOST_RECORDS = 3_000_000;

/** A part of a partition: `[from, to)`. */
export interface OutputRange extends TopicPartition {
  readonly from: bigint;
  readonly to: bigint;
}

/** Reads topics of one cluster, by connections of its own. Errors: those of `KafkaCluster`. */
export interface OutputReader {
  /** The log ends of a topic's partitions. A topic that doesn't exist has none. */
  ends(topic: string, signal: AbortSignal): Promise<readonly PartitionOffset[]>;
  starts(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<ReadonlyMap<string, bigint>>;
  /** By partition. More than {@link MOST_RECORDS} records are `TooManyRecords`. */
  read(
    ranges: readonly OutputRange[],
    by: { readonly keys: KeyTable; readonly ignore: readonly string[] },
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, ReadPartition>>;
  /** One record; undefined: there is none at this offset. */
  record(at: PartitionOffset, signal: AbortSignal): Promise<RecordBody | undefined>;
  close(): void;
}

/** Opens a reader; nothing is asked yet. */
export function outputReader(endpoint: KafkaEndpoint): OutputReader {
  const options = { clientId: 'argus-drill', connectTimeoutMs: requestTimeoutMs, requestTimeoutMs };
  const cluster = new KafkaCluster({ ...endpoint, ...options });
  return {
    async ends(topic, signal) {
      const { topics } = await cluster.refresh([topic], signal);
      const partitions = (topics.get(topic)?.partitions ?? []).map(({ partition }) => ({ topic, partition }));
      const ends = await cluster.logEnds(partitions, signal);
      return partitions.map((at) => ({ ...at, offset: ends.get(partitionKey(at)) ?? 0n }));
    },
    starts: (partitions, signal) => cluster.logStarts(partitions, signal),
    async read(ranges, by, signal) {
      await cluster.refresh([...new Set(ranges.map(({ topic }) => topic))], signal);
      const read = new Map<number, ReadPartition>();
      let size = 0;
      for (const range of ranges) {
        const fold = foldOutput(range.partition, by);
        for await (const batch of walkBatches(cluster, range, range, signal)) {
          fold.add(batch);
          if (size + fold.size > MOST_RECORDS) throw tooMany(range.topic);
        }
        size += fold.size;
        read.set(range.partition, fold.result());
      }
      return read;
    },
    async record({ topic, partition, offset }, signal) {
      await cluster.refresh([topic], signal);
      const range = { from: offset, to: offset + 1n };
      for await (const batch of walkBatches(cluster, { topic, partition }, range, signal)) {
        if (batch.control) continue;
        const found = decodeRecords(batch).find((record) => record.offset === offset);
        if (found !== undefined) return decodeBody(found.body);
      }
      return undefined;
    },
    close: () => cluster.close(),
  };
}

const tooMany = (topic: string) =>
  new ArgusError('TooManyRecords', `${topic} has more than ${MOST_RECORDS} records to compare`, {
    hint: 'drill soon after a checkpoint, or leave the topic out of `drill.compare.topics` of the job',
  });
