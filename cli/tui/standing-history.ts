import type { Look } from '../watch/look.ts';

/** What was seen of lags and checkpoints, look by look, the newest last. */
export interface StandingHistory {
  /** Mirror lag in records, by topic; undefined where it could not be told. */
  readonly lagRecords: ReadonlyMap<string, readonly (number | undefined)[]>;
  /** Age of the newest usable checkpoint, by job. */
  readonly ageMs: ReadonlyMap<string, readonly (number | undefined)[]>;
}

/** Before the first look. */
export const noHistory: StandingHistory = { lagRecords: new Map(), ageMs: new Map() };

/** So many looks are kept: as wide as the widest plot. */
const kept = 120;

/** The history with one more look. Topics and jobs that are gone are forgotten. Pure. */
export function remember(history: StandingHistory, { status }: Look): StandingHistory {
  return {
    lagRecords: new Map(status.mirror.map((m) => [m.topic, added(history.lagRecords.get(m.topic), m.lagRecords)])),
    ageMs: new Map(status.recoveryPoints.map((p) => [p.job, added(history.ageMs.get(p.job), p.ageMs)])),
  };
}

const added = (before: readonly (number | undefined)[] = [], value: number | undefined) =>
  [...before, value].slice(-kept);
