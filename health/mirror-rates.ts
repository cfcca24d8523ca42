import type { Sighting } from '../state/sightings.ts';

/** How fast a topic is mirrored, by two sightings. */
export interface TopicRate {
  /** Appended at the primary. */
  readonly recordsPerSecond: number;
  readonly mirroredPerSecond: number;
  /** Until nothing is missing, at these rates; 0 when nothing is, absent when the mirror is no faster than the primary. */
  readonly catchUpMs?: number;
}

type SightedTopic = Sighting['topics'][string];

/** The rates between two sightings of a region, by topic; nothing when they are of the same instant. Pure. */
export function mirrorRates(before: Sighting, after: Sighting): Readonly<Record<string, TopicRate>> {
  const seconds = (after.atMs - before.atMs) / 1_000;
  if (seconds <= 0 || before.region !== after.region) return {};
  const rates: Record<string, TopicRate> = {};
  for (const [topic, now] of Object.entries(after.topics)) {
    const was = before.topics[topic];
    if (was) rates[topic] = rateOf(was, now, seconds);
  }
  return rates;
}

function rateOf(was: SightedTopic, now: SightedTopic, seconds: number): TopicRate {
  const missing = sum(now, (p) => (p.logEndOffset > p.mirroredEndOffset ? p.logEndOffset - p.mirroredEndOffset : 0n));
  const perSecond = (offset: (p: SightedTopic['partitions'][number]) => bigint) =>
    Math.max(0, Number(sum(now, offset) - sum(was, offset)) / seconds);
  const recordsPerSecond = perSecond((p) => p.logEndOffset);
  const mirroredPerSecond = perSecond((p) => p.mirroredEndOffset);
  const rates = { recordsPerSecond, mirroredPerSecond };
  if (missing === 0n) return { ...rates, catchUpMs: 0 };
  const faster = mirroredPerSecond - recordsPerSecond;
  return faster <= 0 ? rates : { ...rates, catchUpMs: Math.round((Number(missing) / faster) * 1_000) };
}

function sum(topic: SightedTopic, offset: (p: SightedTopic['partitions'][number]) => bigint): bigint {
  return topic.partitions.reduce((total, p) => total + offset(p), 0n);
}
