import type { PendingTransaction, SourceOffset } from '../../domain/checkpoint.ts';
import { byPartition, type TopicPartition } from '../../domain/offsets.ts';
import { hasChangelog } from '../../regions/flink/changelog-state.ts';
import type { EnumeratedPartition } from '../../regions/flink/kafka-enumerator.ts';
import { fileReferences, resolve, transform } from '../../regions/flink/metadata-files.ts';
import type { CheckpointMetadata } from '../../regions/flink/metadata-reader.ts';
import type { KafkaDetails } from './kafka-details.ts';
import type { KafkaStates } from './kafka-states.ts';
import { keyInBucket } from './locations.ts';

/** What a checkpoint is made of, as far as it decides where it can be restored. */
export interface CheckpointContents {
  readonly checkpointId: number;
  readonly metadataVersion: number;
  readonly completedAtMs: number;
  readonly files: number;
  readonly bytes: number;
  /** Files named by their whole URI: a plain copy of the folder still reads them where they were. */
  readonly absoluteFiles: number;
  /** Files that lie in another bucket, or on something else than S3. */
  readonly outside: readonly string[];
  readonly changelog: boolean;
  readonly fileMerging: boolean;
  /** Records in flight are part of the state. */
  readonly unaligned: boolean;
  readonly sourceOffsets: readonly SourceOffset[];
  readonly transactions: readonly PendingTransaction[];
  /** Names of all operators that have state, and of those with Kafka's; empty before metadata version 5. */
  readonly operators: readonly string[];
  readonly kafkaOperators: readonly string[];
  /** Operators that hold offsets of Kafka, and sinks that hold its transactions or tell that they make some. */
  readonly kafkaSources: number;
  readonly kafkaSinks: number;
  /** Partitions that the sources know of and have given to no reader yet. */
  readonly unassigned: readonly EnumeratedPartition[];
  /** Partitions that were given to a reader and that no reader holds. */
  readonly unheld: readonly TopicPartition[];
}

/** Describes a checkpoint whose `_metadata` lies in `directoryUri`; pure. */
export function describeContents(
  metadata: CheckpointMetadata,
  at: { readonly directoryUri: string; readonly bucketUri: string; readonly completedAtMs: number },
  kafka: KafkaStates,
  details: KafkaDetails,
): CheckpointContents {
  const files = fileReferences(metadata, at.directoryUri);
  const relative = new Set<string>();
  let fileMerging = false;
  transform(metadata, {
    stream(handle) {
      if (handle?.tag === 6) relative.add(resolve(at.directoryUri, handle.path));
      if (handle?.tag === 15 || handle?.tag === 16) fileMerging = true;
      return handle;
    },
    operator: (handle) => handle,
  });
  const states = metadata.operators.flatMap(({ subtasks }) =>
    subtasks === 'finished' ? [] : subtasks.flatMap((s) => (s.kind === 'state' ? [s] : [])),
  );
  // Version 1 of a writer's state is kept by sinks without transactions, too.
  const writers = new Set(
    details.writers.flatMap(({ operatorId, owned }) => (owned === undefined ? [] : [operatorId])),
  );
  const ofKafka = new Set([...kafka.sources, ...kafka.committers, ...writers]);
  const named = metadata.operators.filter(({ name }) => name !== '');
  return {
    checkpointId: Number(metadata.checkpointId),
    metadataVersion: metadata.version,
    completedAtMs: at.completedAtMs,
    files: files.length,
    bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    absoluteFiles: files.filter(({ uri }) => !relative.has(uri)).length,
    outside: files.map(({ uri }) => uri).filter((uri) => keyInBucket(uri, at.bucketUri) === undefined),
    changelog: hasChangelog(metadata),
    fileMerging,
    unaligned: states.some((s) => s.inputChannels.length + s.outputChannels.length > 0),
    sourceOffsets: kafka.offsets,
    transactions: kafka.transactions,
    operators: named.map(({ name }) => name),
    kafkaOperators: named.filter(({ id }) => ofKafka.has(id)).map(({ name }) => name),
    kafkaSources: kafka.sources.size,
    kafkaSinks: Math.max(kafka.committers.size, writers.size),
    unassigned: details.enumerators
      .flatMap(({ partitions }) => partitions.filter(({ assigned }) => !assigned))
      .sort(byPartition),
    unheld: details.enumerators.flatMap(({ unheld }) => unheld).sort(byPartition),
  };
}
