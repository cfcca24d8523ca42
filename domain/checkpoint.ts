import type { PartitionOffset, TopicPartition } from './offsets.ts';

/** A Kafka source split as a checkpoint holds it. A negative offset is a marker: -3 committed group offset, -2 earliest, -1 latest. */
export type SourceOffset = PartitionOffset;

/** A Kafka transaction that a sink had pre-committed when the checkpoint completed. */
export interface PendingTransaction {
  readonly transactionalId: string;
  /** Decimal. */
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** One file of the checkpoint on the replica. */
export interface ReplicaFile {
  /** The key in the replica's bucket. */
  readonly key: string;
  readonly sizeBytes: number;
  /** `exact`: the object has this size; `atLeast`: it may be longer (segments, changelog files). */
  readonly sizeRule: 'exact' | 'atLeast';
  /** The replica's ETag at the end of the copy; it changes when somebody overwrites the object. */
  readonly etag: string;
  /** Of what was read for the copy. Absent in older manifests, and where a store copied by itself. */
  readonly checksum?: FileChecksum | undefined;
}

/** What a file's first bytes are. */
export interface FileChecksum {
  /** In hex. */
  readonly sha256: string;
  /** Of so many bytes from the start: the whole object as it was copied, which an `atLeast` file may outgrow. */
  readonly sizeBytes: number;
}

/** Where one partition of a sink's topic ended on the primary. Decimal strings. */
export interface SinkEnd extends TopicPartition {
  /** Exclusive: every record that a sink had pre-committed with the checkpoint lies below. */
  readonly endOffset: string;
  /** Below it no transaction was open any more; never above `endOffset`. */
  readonly stableOffset: string;
}

/** A transaction that stood open in a partition of a sink's topic on the primary. Ids and offsets in decimal. */
export interface OpenSinkTransaction extends TopicPartition {
  readonly producerId: string;
  readonly producerEpoch: number;
  /** Of its first record in this partition: the standby has it at the same offset, under another producer id. */
  readonly firstOffset: string;
}

/** Whether an open transaction is one of those that a checkpoint's sinks had pre-committed. Pure. */
export function isPendingOne(
  { producerId, producerEpoch }: Pick<OpenSinkTransaction, 'producerId' | 'producerEpoch'>,
  pending: readonly PendingTransaction[],
): boolean {
  return pending.some((p) => p.producerId === producerId && p.producerEpoch === producerEpoch);
}

/** The topics that a job writes, as they were seen on the primary after a checkpoint of it was complete. */
export interface SinkEnds {
  /** When they had been seen. */
  readonly atMs: number;
  /** A newer checkpoint was complete by then: its output may lie below these ends, too. */
  readonly newerComplete: boolean;
  /** Every partition of the topics that exist; ordered by topic and partition. */
  readonly partitions: readonly SinkEnd[];
  /** Of anybody's producers; what is missing here and lies below `endOffset` had ended before. */
  readonly open: readonly OpenSinkTransaction[];
}

/** Where a job's sources would have begun partitions that they had read nothing from since the job's start. */
export interface ResolvedMarkers {
  /** The consumer group whose committed offsets stand in the place of -3, as they were before a newer checkpoint was complete. */
  readonly group: string;
  readonly atMs: number;
  /** Marker and offset in decimal. Ordered by topic and partition. */
  readonly splits: readonly (TopicPartition & { readonly marker: string; readonly offset: string })[];
}

/**
 * The commit mark of a replicated checkpoint: written last, and only when everything it names is on the replica.
 * JSON object `manifest.json` beside the relocated `_metadata`.
 */
export interface CheckpointManifest {
  readonly version: 1;
  readonly job: string;
  readonly flinkJobId: string;
  readonly checkpointId: number;
  /** Absent: a checkpoint. */
  readonly kind?: 'savepoint' | undefined;
  /** When the primary's `_metadata` was written: the checkpoint's completion, from the store's clock. */
  readonly completedAtMs: number;
  /** When the manifest was written. */
  readonly committedAtMs: number;
  /** Flink's `_metadata` version, 3 to 6. */
  readonly metadataVersion: number;
  /** Where Flink wrote it: `s3://<primary bucket>/<prefix>/<job id>/chk-<n>`. */
  readonly sourceUri: string;
  /** What the standby's job is started from: the directory that holds the relocated `_metadata`. */
  readonly replicaUri: string;
  readonly metadata: { readonly key: string; readonly sizeBytes: number; readonly sha256: string };
  readonly files: readonly ReplicaFile[];
  /** Offsets as decimal strings; negative ones are markers. */
  readonly sourceOffsets: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[];
  /** Sink transactions that were left out of the relocated `_metadata`, because their broker is not the standby's. */
  readonly droppedTransactions: readonly PendingTransaction[];
  /**
   * It holds state of the changelog backend, which Flink restores with claim mode CLAIM only: from a copy, since Flink
   * then deletes what it was restored from. Absent: nobody has looked (manifests of before it was kept).
   */
  readonly needsClaim?: boolean | undefined;
  /** Markers in place of source offsets for which offsets were written; absent: there were none, or all stayed. */
  readonly resolvedMarkers?: ResolvedMarkers | undefined;
  /** Absent: the job declares no topics that it writes, the primary's Kafka did not answer, or nobody asked. */
  readonly sinkEnds?: SinkEnds | undefined;
}
