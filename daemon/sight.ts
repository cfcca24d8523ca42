import type { MirrorStatus, TopicStatus } from '../replication/topics/mirror-status.ts';
import type { Sighting } from '../state/sightings.ts';

type SightedTopic = Sighting['topics'][string];

/** The sighting after news of the mirror, pure: what an answering primary showed is taken, anything else changes nothing. */
export function sightMirror(last: Sighting | undefined, region: string, status: MirrorStatus): Sighting | undefined {
  const known = last?.region === region ? last : undefined;
  const { source } = status;
  if (source.region !== region || !source.reachable || source.checkedAtMs === undefined) return known;
  if (source.checkedAtMs <= (known?.atMs ?? -1)) return known;
  const { firstFailureAtMs } = known ?? {};
  return {
    region,
    atMs: source.checkedAtMs,
    checkedAtMs: Math.max(known?.checkedAtMs ?? 0, source.checkedAtMs),
    ...(firstFailureAtMs === undefined ? {} : { firstFailureAtMs }),
    topics: Object.fromEntries(
      Object.entries(status.topics).map(([topic, t]) => [topic, sightTopic(known?.topics[topic], t)]),
    ),
  };
}

/** A mirror that has just begun knows less than the one before it: what it did not see yet stays as it was. */
function sightTopic(before: SightedTopic | undefined, now: TopicStatus): SightedTopic {
  const bytesPerSecond = now.bytesPerSecond ?? before?.bytesPerSecond;
  return {
    recordsPerSecond: now.recordsPerSecond ?? before?.recordsPerSecond ?? 0,
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    partitions: now.partitions.flatMap((p) => {
      const earlier = before?.partitions.find((b) => b.partition === p.partition);
      if (!p.seen) return earlier ? [earlier] : [];
      return [
        {
          partition: p.partition,
          logStartOffset: p.logStartOffset,
          logEndOffset: p.logEndOffset,
          mirroredEndOffset: p.mirroredEndOffset,
          newestTimestampMs: p.newestTimestampMs ?? null,
          mirroredTimestampMs: p.mirroredTimestampMs ?? null,
        },
      ];
    }),
  };
}

/** One look of the daemon's own at the primary's Kafka. */
export interface Look {
  /** When the look began. */
  readonly atMs: number;
  readonly ok: boolean;
  /** The mirror's own first failure, if it has one. */
  readonly mirrorFailedAtMs?: number;
}

/**
 * The sighting after a look, pure. While the region does not answer, what was last seen stays, and the first failure is
 * the earliest that anybody met; an answer clears it.
 */
export function sightLook(last: Sighting | undefined, region: string, look: Look): Sighting {
  const known = last?.region === region ? last : { region, atMs: 0, topics: {} };
  const { firstFailureAtMs: before, ...seen } = known as Sighting;
  if (look.ok) return { ...seen, checkedAtMs: look.atMs };
  const firstFailureAtMs = before ?? Math.min(look.atMs, look.mirrorFailedAtMs ?? look.atMs);
  return { ...seen, checkedAtMs: look.atMs, firstFailureAtMs };
}
