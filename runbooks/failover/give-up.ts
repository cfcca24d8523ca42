import type { JobHealth } from '../../regions/flink/flink-jobs.ts';

/** So long a job may be in trouble, without a break, before waiting for it ends. */
const troubledAtMostMs = 45_000;
/** So often its processes may be started again while one waits. */
const restartsAtMost = 2;

/** What was seen of a job's health since somebody waits for it. */
export interface Watched {
  /** When it was first seen in the trouble that it is in; absent: it is in none. */
  readonly troubledSinceMs?: number;
  /** As it was first seen. */
  readonly restartsBefore: number;
}

/** What is remembered of a look at a job's health. Pure. */
export function watchHealth(before: Watched | undefined, health: JobHealth, nowMs: number): Watched {
  const restartsBefore = before?.restartsBefore ?? health.restarts;
  if (health.kind !== 'troubled' && health.kind !== 'hopeless') return { restartsBefore };
  return { restartsBefore, troubledSinceMs: before?.troubledSinceMs ?? nowMs };
}

/** Why there is no use in waiting for a job any longer; undefined: there may be. Pure. */
export function reasonToGiveUp(watched: Watched, health: JobHealth, nowMs: number): string | undefined {
  const { kind, why = 'it does not come up', restarts } = health;
  if (kind === 'hopeless') return why;
  const again = restarts - watched.restartsBefore;
  if (again > restartsAtMost) return `its processes were started again ${again} times within minutes: ${why}`;
  const forMs = nowMs - (watched.troubledSinceMs ?? nowMs);
  return kind === 'troubled' && forMs >= troubledAtMostMs ? `${why} (for ${Math.round(forMs / 1_000)} s)` : undefined;
}
