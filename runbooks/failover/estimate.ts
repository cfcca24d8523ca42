import type { PartitionOffset } from '../../domain/offsets.ts';
import type { SightedPartition, Sighting } from '../../state/sightings.ts';

/** What the standby does not have of one topic, as far as can be told before the old primary's log is read again. */
export interface TopicLoss {
  /** Null: nobody saw the primary, so nobody knows. */
  readonly estimatedRecords: number | null;
  /** If the primary went on at its recent rate until the names had moved. Absent when that is not known. */
  readonly boundRecords?: number;
  /** The oldest lost record is at most about this much older than the outage. Null like the records. */
  readonly ms: number | null;
  /** False only for a loss that was counted at the primary itself. */
  readonly estimated: boolean;
  /** The primary's jobs were seen stopped, and its log ends were seen after the names had moved: nothing is missing. */
  readonly proven?: true;
}

export interface LossView {
  readonly topics: readonly string[];
  readonly sighting: Sighting | undefined;
  /** Where mirrored data ends. */
  readonly promotedAt: readonly PartitionOffset[];
  readonly outageAtMs: number;
  /** When no client could reach the primary by name any more; undefined: not known yet. */
  readonly namesMovedAtMs?: number;
  /** The primary's ends as seen after the mirror had stopped. */
  readonly primaryEnds?: readonly PartitionOffset[];
  /** Those were seen when the names had moved already. */
  readonly endsAreLast?: boolean;
  readonly primaryStopped: boolean;
}

/** The loss per topic. Pure. */
export function estimateLoss(view: LossView): Readonly<Record<string, TopicLoss>> {
  return Object.fromEntries(view.topics.map((topic) => [topic, lossOf(topic, view)]));
}

function lossOf(topic: string, view: LossView): TopicLoss {
  const promoted = (partition: number) =>
    view.promotedAt.find((p) => p.topic === topic && p.partition === partition)?.offset ?? 0n;
  const seen = view.sighting?.topics[topic];
  const ends = view.primaryEnds?.filter((e) => e.topic === topic) ?? [];
  if (ends.length > 0) {
    const behind = ends.filter((e) => e.offset > promoted(e.partition));
    const missing = Number(behind.reduce((sum, e) => sum + e.offset - promoted(e.partition), 0n));
    const ms = seen
      ? ageMs(
          seen.partitions.filter((p) => behind.some((b) => b.partition === p.partition)),
          view,
        )
      : 0;
    const common = { estimatedRecords: missing, ms: missing === 0 ? 0 : ms };
    return missing === 0 && view.primaryStopped && view.endsAreLast === true
      ? { ...common, estimated: false, proven: true }
      : { ...common, estimated: true };
  }
  if (seen === undefined || view.sighting === undefined) return { estimatedRecords: null, ms: null, estimated: true };
  // What was on the primary at the last sight and is not on the standby is missing for certain.
  const certain = Number(
    seen.partitions.reduce((sum, p) => sum + positive(p.logEndOffset - promoted(p.partition)), 0n),
  );
  const difference = Number(seen.partitions.reduce((sum, p) => sum + p.logEndOffset - promoted(p.partition), 0n));
  const expected = (untilMs: number) => {
    const seconds = Math.max(0, untilMs - view.sighting!.atMs) / 1_000;
    // Records that came after the last sight and were mirrored all the same are in the difference, as negative numbers.
    return Math.max(certain, difference + seen.recordsPerSecond * seconds);
  };
  const estimatedRecords = Math.round(expected(view.outageAtMs));
  const bound = view.namesMovedAtMs === undefined ? {} : { boundRecords: Math.ceil(expected(view.namesMovedAtMs)) };
  const ms = estimatedRecords === 0 ? 0 : ageMs(seen.partitions, view);
  return { estimatedRecords, ...bound, ms, estimated: true };

  function ageMs(partitions: readonly SightedPartition[], { sighting, outageAtMs }: LossView): number {
    const unseen = Math.max(0, outageAtMs - (sighting?.atMs ?? outageAtMs));
    const ages = partitions.map((p) =>
      // Behind at the last sight: everything after the standby's newest record is lost. Else only what came unseen.
      p.logEndOffset > promoted(p.partition) && p.mirroredTimestampMs !== null
        ? Math.max(unseen, outageAtMs - p.mirroredTimestampMs)
        : unseen,
    );
    return Math.round(Math.max(0, ...ages));
  }
}

const positive = (n: bigint) => (n > 0n ? n : 0n);
