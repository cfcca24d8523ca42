import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { LogIndex } from './log-index.ts';

/** What is known of a job's sinks besides its checkpoints. */
export interface SinkView {
  /** The topics that its exactly-once sinks write; empty: nobody declared them. */
  readonly writes: readonly string[];
  /** A person took it upon himself that output is missing on the standby. */
  readonly acceptOutputGap: boolean;
}

export type SinkRefusalCode =
  /** The mirror ends before the sinks' output of this checkpoint may end. */
  | 'SinkNotMirrored'
  /** Nobody saw where the sinks' topics ended after this checkpoint. */
  | 'SinkEndsUnknown'
  /** The standby's log shows a transaction of this checkpoint as aborted. */
  | 'TransactionAborted';

export type SinkNoteCode =
  /** Which topics the sinks write is not declared. */
  | 'SinkNotDeclared'
  /** The topic isn't mirrored: what the standby should have of it is not known. */
  | 'SinkTopicNotMirrored'
  /** Reading the standby's log took too long: how the transactions ended there is not known. */
  | 'SinkLogNotRead';

/** What can't be verified of a checkpoint's sinks; no reason against it. */
export interface SinkNote {
  readonly code: SinkNoteCode;
  readonly message: string;
}

/** Output of a checkpoint that the standby lacks in one partition, or may lack. */
export interface SinkGap extends TopicPartition {
  readonly mirroredEnd: bigint;
  /** Up to where it may go on the primary; null: nobody knows. */
  readonly sinkEnd: bigint | null;
}

/** A checkpoint's sinks as far as ends and mirror tell. */
export interface JudgedSinks {
  /** Why the checkpoint can't be used; empty: it can, or the gap was accepted. */
  readonly reasons: readonly { readonly code: SinkRefusalCode; readonly message: string }[];
  readonly notes: readonly SinkNote[];
  /** Partitions whose output is not proven to be whole; ordered as the checkpoint has them. */
  readonly gap: readonly SinkGap[];
}

/** Nothing is pending. */
const nothing: JudgedSinks = { reasons: [], notes: [], gap: [] };

/**
 * Whether the output that a checkpoint's sinks had pre-committed is on the standby. All of its records lie below the
 * ends that were seen after it was complete, so that a mirror which got as far has them; how their transactions ended
 * there is a question of its own (`judgeOutput`). What was committed with earlier checkpoints lies below these ends, too,
 * so that a sink without pending transactions is asked for the same, as far as its ends are known. Pure.
 */
export function judgeSinks(
  manifest: Pick<CheckpointManifest, 'droppedTransactions' | 'sinkEnds'>,
  sinks: SinkView,
  log: LogIndex,
): JudgedSinks {
  const pending = manifest.droppedTransactions.length;
  if (pending === 0 && (sinks.writes.length === 0 || manifest.sinkEnds === undefined)) return nothing;
  if (sinks.writes.length === 0) {
    const message = `which topics its ${pending} pending transactions wrote is not declared (jobs.writes): whether the standby has their output can't be told`;
    return { ...nothing, notes: [{ code: 'SinkNotDeclared', message }] };
  }
  const reasons: { code: SinkRefusalCode; message: string }[] = [];
  const notes: SinkNote[] = [];
  const gap: SinkGap[] = [];
  for (const topic of new Set(sinks.writes)) {
    const held = log.topics.get(topic);
    if (held === undefined) {
      const message = `${topic} is not mirrored: whether a reader on the standby finds the job's output there can't be told`;
      notes.push({ code: 'SinkTopicNotMirrored', message });
      continue;
    }
    const ends = manifest.sinkEnds?.partitions.filter((end) => end.topic === topic) ?? [];
    if (ends.length === 0) {
      if (pending === 0) continue;
      const message = `${topic}: where the sinks' output ended is not known, since the primary's Kafka was not seen after this checkpoint`;
      reasons.push({ code: 'SinkEndsUnknown', message });
      for (const { partition, logEndOffset } of held) {
        gap.push({ topic, partition, mirroredEnd: logEndOffset, sinkEnd: null });
      }
      continue;
    }
    for (const end of ends) {
      const sinkEnd = BigInt(end.endOffset);
      const mirroredEnd = log.partitions.get(partitionKey(end))?.logEndOffset ?? 0n;
      if (mirroredEnd >= sinkEnd) continue;
      const message = `${partitionKey(end)}: the sinks' output may go up to ${sinkEnd}, the mirror ends at ${mirroredEnd}`;
      reasons.push({ code: 'SinkNotMirrored', message });
      gap.push({ topic, partition: end.partition, mirroredEnd, sinkEnd });
    }
  }
  return { reasons: sinks.acceptOutputGap ? [] : reasons, notes, gap };
}
