import type { TopicPartition } from '../../domain/offsets.ts';
import type { OrphanRecord, RescueOrigin } from './orphan-record.ts';

/** A topic whose orphans are to be kept. */
export interface KeptTopic {
  readonly topic: string;
  readonly partitions: number;
}

/**
 * Where rescued records are kept: topics on the active side, or files in its bucket. What is appended is durable, in
 * order, and never there twice: also when its writer was killed in the midst, or another writes at the same time.
 */
export interface OrphanStore {
  /** For people: `topic argus.orphans.<topic>` or `s3://bucket/prefix/`. */
  describe(topic: string): string;
  /** Makes what is needed, and shuts out whoever wrote before. Idempotent. */
  open(topics: readonly KeptTopic[], signal: AbortSignal): Promise<void>;
  /** Everything that is kept of a partition of this origin, in the order in which it was appended. */
  read(tp: TopicPartition, origin: RescueOrigin, signal: AbortSignal): AsyncIterable<OrphanRecord>;
  /** Appends; when it resolves, they are durable. Only after `open`. One call a partition at a time. */
  append(
    tp: TopicPartition,
    origin: RescueOrigin,
    records: readonly OrphanRecord[],
    signal: AbortSignal,
  ): Promise<void>;
  close(): void;
}
