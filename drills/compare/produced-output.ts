import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { ownership } from '../../replication/recovery-point/judge-output.ts';
import { append, noRecords } from './collected-records.ts';
import type { ProducedRecords } from './compare-records.ts';
import type { ReadPartition } from './fold-output.ts';

/** The checkpoints of production that an output is measured by; of each it is known where its sinks had ended. */
export interface OutputBounds {
  /** The drill was restored from it. */
  readonly from: CheckpointManifest;
  /** An older one, whose sinks' ends are exact. Only where those of `from` are not. */
  readonly before?: CheckpointManifest | undefined;
  /** All output up to it is expected of the drill; absent: all that was committed. */
  readonly until?: CheckpointManifest | undefined;
  /** The drill got no further than this one. */
  readonly past?: CheckpointManifest | undefined;
}

/** Whether a checkpoint's sink ends tell exactly which output is its own, and which a later one's. Pure. */
export const isExact = ({ sinkEnds }: CheckpointManifest): boolean => sinkEnds !== undefined && !sinkEnds.newerComplete;

/**
 * A partition's output of production from the restored checkpoint on, by what the drill has to do with it. A transaction
 * that a checkpoint had pre-committed counts although its marker isn't there yet: it will be committed. One that is
 * aborted, or that nobody knows the end of, is no output. Pure.
 */
export function producedOutput(at: TopicPartition, log: ReadPartition, bounds: OutputBounds): ProducedRecords {
  const { from, before, until, past } = bounds;
  const [byFrom, byBefore, byUntil, byPast] = [from, before, until, past].map((m) => m && ownership(m, at));
  const [maybe, expected, further] = [noRecords(at.partition), noRecords(at.partition), noRecords(at.partition)];
  for (const transaction of log.transactions) {
    const { outcome } = transaction;
    const own = [byUntil, byPast].some((whose) => whose?.(transaction) === 'own');
    if (outcome === 'abort' || (outcome === 'open' && !own)) continue;
    const whose = byFrom?.(transaction);
    if (whose === 'own') continue;
    if (whose === 'earlier') {
      if (isExact(from) || (byBefore?.(transaction) ?? 'later') !== 'later') continue;
      append(maybe, transaction.records);
    } else if (until === undefined || byUntil?.(transaction) !== 'later') append(expected, transaction.records);
    else append(further, transaction.records);
  }
  return { partition: at.partition, maybe, expected, further };
}
