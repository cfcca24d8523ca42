/** The instant from which the outage counts, and who says so. */
export interface Outage {
  readonly atMs: number;
  readonly source: 'operator' | 'first-failed-probe' | 'run-start';
}

/** When the outage began: what the operator states, else the daemon's first failed probe, else the run's start. Pure. */
export function outageOf(known: {
  readonly statedAtMs?: number;
  readonly firstFailureAtMs?: number;
  readonly runStartedAtMs: number;
}): Outage {
  if (known.statedAtMs !== undefined) return { atMs: known.statedAtMs, source: 'operator' };
  if (known.firstFailureAtMs !== undefined) return { atMs: known.firstFailureAtMs, source: 'first-failed-probe' };
  return { atMs: known.runStartedAtMs, source: 'run-start' };
}
