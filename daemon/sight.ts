import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import { afterFailure, type Sighting } from '../state/sightings.ts';

/** One look at the primary's Kafka. */
export interface Look {
  /** When the look began. */
  readonly atMs: number;
  readonly ok: boolean;
}

/**
 * The next sighting of the primary. Pure. What the mirror has seen is taken while it is fresh; while the region does not
 * answer, what was last seen stays. The first failure is the earlier of the mirror's and the look's own.
 */
export function nextSighting(
  region: string,
  last: Sighting | undefined,
  look: Look,
  mirror: MirrorStatus | undefined,
): Sighting {
  const fresh = mirror?.source.region === region ? mirror : undefined;
  const seenAtMs = fresh?.source.checkedAtMs;
  const known = last?.region === region ? last : undefined;
  const newer = fresh && seenAtMs !== undefined && seenAtMs > (known?.atMs ?? -1) && fresh.phase !== 'connecting';
  const seen: Sighting = newer
    ? { region, atMs: lastAnswerMs(fresh, seenAtMs), checkedAtMs: look.atMs, topics: sightedTopics(fresh) }
    : { region, atMs: known?.atMs ?? 0, checkedAtMs: look.atMs, topics: known?.topics ?? {} };
  if (look.ok) return seen;
  const first = Math.min(
    known?.firstFailureAtMs ?? Number.POSITIVE_INFINITY,
    fresh?.source.firstFailureAtMs ?? Number.POSITIVE_INFINITY,
    look.atMs,
  );
  return { ...afterFailure(seen, look.atMs), firstFailureAtMs: first };
}

/** A check that failed is no sight: what is known is not newer than the first failure. */
function lastAnswerMs(status: MirrorStatus, checkedAtMs: number): number {
  return Math.min(checkedAtMs, status.source.firstFailureAtMs ?? checkedAtMs);
}

function sightedTopics(status: MirrorStatus): Sighting['topics'] {
  return Object.fromEntries(
    Object.entries(status.topics).map(([topic, t]) => [
      topic,
      {
        recordsPerSecond: t.recordsPerSecond,
        bytesPerSecond: t.bytesPerSecond,
        partitions: t.partitions.map((p) => ({
          partition: p.partition,
          logStartOffset: p.logStartOffset,
          logEndOffset: p.logEndOffset,
          mirroredEndOffset: p.mirroredEndOffset,
          newestTimestampMs: p.newestTimestampMs ?? null,
          mirroredTimestampMs: p.mirroredTimestampMs ?? null,
        })),
      },
    ]),
  );
}
