import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import type { Sighting } from '../state/sightings.ts';

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
    ),
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
