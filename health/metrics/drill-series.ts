import { flag, type Gauges, seconds } from './gauges.ts';

/** What a scrape tells of drills. */
export interface DrillFacts {
  readonly drills?: {
    /** By kind, the newest that has ended. */
    readonly last: readonly {
      readonly kind: string;
      readonly endedAtMs: number;
      readonly ms: number;
      readonly passed: boolean;
      readonly rtoMs?: number;
      readonly rpoMs?: number;
      /** What it left; absent: it was not looked. */
      readonly leaks?: number;
      /** When the newest that passed ended; absent: none is known. */
      readonly passedAtMs?: number;
    }[];
    /** By kind, when one is due next, or was and waits. */
    readonly next: readonly { readonly kind: string; readonly dueAtMs: number }[];
    /** By kind, those that the newest slots say were left out. */
    readonly skipped: readonly { readonly kind: string; readonly code: string; readonly count: number }[];
    /** How old the newest proof that the standby works may be, by the schedule. */
    readonly longestMs: number;
  };
  /** What fault drills broke whose process is gone, and what could not be healed. */
  readonly faultsLeft?: readonly string[];
}

/** Adds the gauges of drills; the function given sets them. */
export function drillSeries({ gauge }: Gauges): (facts: DrillFacts) => void {
  const of = ['kind'];
  const lastAt = gauge('argus_drill_last_timestamp', 'When the newest drill of the kind ended, in Unix seconds.', of);
  const success = gauge('argus_drill_last_success_timestamp', 'When the newest one that passed ended.', of);
  const passed = gauge('argus_drill_last_passed', '1 when the newest drill of the kind passed, 0 when it did not.', of);
  const took = gauge('argus_drill_last_duration_seconds', 'What the newest drill of the kind took.', of);
  const rto = gauge('argus_drill_last_rto_seconds', 'The RTO that it measured.', of);
  const rpo = gauge('argus_drill_last_rpo_seconds', 'What would have been lost when it began, in time.', of);
  const leaks = gauge('argus_drill_last_leaks', 'What it left behind, counted; 0 is as it should be.', of);
  const next = gauge('argus_drill_next_timestamp', 'When a drill of the kind is due by the schedule.', of);
  const skipped = gauge('argus_drill_skipped', 'Of the newest that were due: how many were left out, and why.', [
    'kind',
    'code',
  ]);
  const longest = gauge('argus_drill_longest_pause_seconds', 'By the schedule, the longest time without a proof.');

  const left = gauge(
    'argus_drill_fault_left',
    '1: a fault drill that is gone broke it, and the daemon could not heal it.',
    ['fault'],
  );

  return ({ drills: facts, faultsLeft = [] }) => {
    for (const fault of faultsLeft) left.set({ fault }, 1);
    if (!facts) return;
    for (const drill of facts.last) {
      const { kind, rtoMs, rpoMs } = drill;
      lastAt.set({ kind }, seconds(drill.endedAtMs));
      passed.set({ kind }, flag(drill.passed));
      took.set({ kind }, seconds(drill.ms));
      if (drill.passedAtMs !== undefined) success.set({ kind }, seconds(drill.passedAtMs));
      if (rtoMs !== undefined) rto.set({ kind }, seconds(rtoMs));
      if (rpoMs !== undefined) rpo.set({ kind }, seconds(rpoMs));
      if (drill.leaks !== undefined) leaks.set({ kind }, drill.leaks);
    }
    for (const { kind, dueAtMs } of facts.next) next.set({ kind }, seconds(dueAtMs));
    for (const { kind, code, count } of facts.skipped) skipped.set({ kind, code }, count);
    longest.set(seconds(facts.longestMs));
  };
}
