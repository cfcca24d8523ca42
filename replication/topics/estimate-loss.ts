import type { PartitionOffset } from '../../domain/offsets.ts';
import type { SightedPartition, Sighting } from '../../state/sightings.ts';

/** What the standby does not have of one topic, as far as can be told before the old primary's log is read again. */
export interface TopicLoss {
  /** Null: nobody saw the primary, so nobody knows. */
  readonly estimatedRecords: number | null;
  /** If the primary went on at its recent rate until the names had moved. Absent when that is not known. */
  readonly boundRecords?: number;
  /** `estimatedRecords` at the recent average size on the primary, as batches stand in its log. Absent when that is not known. */
  readonly estimatedBytes?: number;
  /**
   * The oldest lost record is at most about this much older than the outage (or than the newest lost one, if the primary
   * went on). Null when that can't be told.
   */
  readonly ms: number | null;
  /** False only for a loss that was counted at the primary itself. */
  readonly estimated: boolean;
  /** The primary's jobs were seen stopped, and its log ends were seen after the names had moved: nothing was missing then. */
  readonly proven?: true;
  /**
   * The estimate builds on a last sight that was this much older than the outage: no daemon watched. Absent when it was
   * seconds.
   */
  readonly unseenMs?: number;
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

/** A daemon sights the primary every second; a look that fails takes a few. */
const freshMs = 10_000;

/** The loss per topic. Pure. */
export function estimateLoss(view: LossView): Readonly<Record<string, TopicLoss>> {
  return Object.fromEntries(view.topics.map((topic) => [topic, withBytes(lossOf(topic, view), topic, view)]));
}

/** In bytes as well, where the last sight tells how large records were. */
function withBytes(loss: TopicLoss, topic: string, { sighting }: LossView): TopicLoss {
  const { recordsPerSecond = 0, bytesPerSecond } = sighting?.topics[topic] ?? {};
  if (loss.estimatedRecords === null || bytesPerSecond === undefined || recordsPerSecond <= 0) return loss;
  return { ...loss, estimatedBytes: Math.round((loss.estimatedRecords * bytesPerSecond) / recordsPerSecond) };
}

function lossOf(topic: string, view: LossView): TopicLoss {
  const { sighting, outageAtMs, namesMovedAtMs } = view;
  const promoted = (partition: number) =>
    view.promotedAt.find((p) => p.topic === topic && p.partition === partition)?.offset ?? 0n;
  const seen = sighting?.topics[topic];
  const ends = view.primaryEnds?.filter((e) => e.topic === topic) ?? [];
  const ratePerMs = (seen?.recordsPerSecond ?? 0) / 1_000;
  if (ends.length > 0) {
    const behind = ends.filter((e) => e.offset > promoted(e.partition));
    const missing = Number(behind.reduce((sum, e) => sum + e.offset - promoted(e.partition), 0n));
    const last = view.endsAreLast === true;
    const partitions = seen?.partitions.filter((p) => behind.some((b) => b.partition === p.partition));
    // The primary lived: its newest lost record is as young as the last look at it.
    const untilMs = Math.max(outageAtMs, (last && namesMovedAtMs) || outageAtMs);
    const ms = missing === 0 ? 0 : partitions?.length === behind.length ? ageMs(partitions, untilMs) : null;
    if (missing === 0 && view.primaryStopped && last)
      return { estimatedRecords: 0, ms, estimated: false, proven: true };
    const unseen = last || namesMovedAtMs === undefined || seen === undefined ? undefined : namesMovedAtMs - outageAtMs;
    const bound = unseen === undefined ? {} : { boundRecords: missing + Math.ceil(ratePerMs * Math.max(0, unseen)) };
    return { estimatedRecords: missing, ...bound, ms, estimated: true };
  }
  if (seen === undefined || sighting === undefined) return { estimatedRecords: null, ms: null, estimated: true };
  // What was on the primary at the last sight and is not on the standby is missing for certain.
  const certain = Number(
    seen.partitions.reduce((sum, p) => sum + positive(p.logEndOffset - promoted(p.partition)), 0n),
  );
  const difference = Number(seen.partitions.reduce((sum, p) => sum + p.logEndOffset - promoted(p.partition), 0n));
  // Records that came after the last sight and were mirrored all the same are in the difference, as negative numbers.
  const expected = (untilMs: number) =>
    Math.max(certain, difference + ratePerMs * Math.max(0, untilMs - sighting.atMs));
  const estimatedRecords = Math.round(expected(outageAtMs));
  const bound = namesMovedAtMs === undefined ? {} : { boundRecords: Math.ceil(expected(namesMovedAtMs)) };
  const ms = estimatedRecords === 0 ? 0 : ageMs(seen.partitions, outageAtMs);
  const unseenMs = outageAtMs - sighting.atMs;
  return { estimatedRecords, ...bound, ms, estimated: true, ...(unseenMs > freshMs ? { unseenMs } : {}) };

  function ageMs(partitions: readonly SightedPartition[], untilMs: number): number | null {
    const unseen = Math.max(0, untilMs - (sighting?.atMs ?? untilMs));
    let oldest = unseen;
    for (const p of partitions) {
      // Nothing was behind when last seen: only what came unseen is lost.
      if (p.logEndOffset <= promoted(p.partition)) continue;
      // Behind, and nobody knows how old the standby's newest record is.
      if (p.mirroredTimestampMs === null) return null;
      // An outage that is stated may lie before the last records that were seen.
      oldest = Math.max(oldest, Math.max(untilMs, p.newestTimestampMs ?? 0) - p.mirroredTimestampMs);
    }
    return Math.round(oldest);
  }
}

const positive = (n: bigint) => (n > 0n ? n : 0n);
