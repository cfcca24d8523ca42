import { nextDue } from '../../domain/cron.ts';
import type { DrillScheduleEntry } from '../../domain/drill-schedule-config.ts';
import { type DrillSlot, type ScheduledKind, slotName } from '../../state/drill-slots.ts';
import { dueBy, termsOf } from './decide.ts';
import type { DrillReason } from './standing.ts';

/** A drill that is due, or will be. */
export interface ComingDrill {
  readonly slot: string;
  readonly kind: ScheduledKind;
  readonly dueAtMs: number;
  /** When it may begin, and from when on no more; absent: never, as all is blacked out. */
  readonly opensAtMs?: number;
  readonly closesAtMs?: number;
  readonly needsApproval: boolean;
  readonly approvedBy?: string;
  /** Why it has not begun though it is due. */
  readonly waits?: DrillReason;
  /** It is being carried out. */
  readonly underWay?: true;
}

/** What waits now, and of each line of the schedule the next so many; the soonest first. Pure. */
export function comingDrills(view: {
  readonly nowMs: number;
  readonly schedule: readonly DrillScheduleEntry[];
  readonly slots: readonly DrillSlot[];
  readonly count: number;
}): readonly ComingDrill[] {
  const { nowMs, slots, count } = view;
  const entries = view.schedule.filter((e) => e.enabled);
  const waiting = slots
    .filter((s) => entries.some((e) => e.kind === s.kind))
    .filter((s) => s.status === 'claimed' || (s.status === 'open' && nowMs < s.closesAtMs))
    .map(knownOf);
  const known = new Set(slots.map((s) => s.slot));
  const due = entries.flatMap((entry) =>
    nextDue(entry, nowMs, count)
      .map((dueAtMs): ComingDrill => {
        const { kind } = entry;
        const lines = entries.filter((e) => e.kind === kind);
        const { opening, needsApproval } = termsOf(dueBy(lines, dueAtMs), dueAtMs);
        return { slot: slotName(kind, dueAtMs), kind, dueAtMs, needsApproval, ...opening };
      })
      .filter((drill) => !known.has(drill.slot)),
  );
  const bySlot = new Map([...due, ...waiting].map((drill) => [drill.slot, drill]));
  return [...bySlot.values()].toSorted((a, b) => (a.opensAtMs ?? a.dueAtMs) - (b.opensAtMs ?? b.dueAtMs));
}

function knownOf({
  slot,
  kind,
  dueAtMs,
  opensAtMs,
  closesAtMs,
  needsApproval,
  approval,
  putOff,
  status,
}: DrillSlot): ComingDrill {
  return {
    ...{ slot, kind, dueAtMs, opensAtMs, closesAtMs, needsApproval },
    ...(approval === undefined ? {} : { approvedBy: approval.by }),
    ...(putOff === undefined || status === 'claimed' ? {} : { waits: { code: putOff.code, message: putOff.message } }),
    ...(status === 'claimed' ? { underWay: true } : {}),
  };
}

const dayMs = 86_400_000;

/**
 * How old the newest proof that the standby works may be: as long as the schedule leaves between two drills that restore
 * or move, and three days. 35 days where it has none. Pure.
 */
export function longestWithoutProof(schedule: readonly DrillScheduleEntry[], nowMs: number): number {
  const gaps = schedule
    .filter((e) => e.enabled && e.kind !== 'tabletop')
    .map((entry) => {
      const due = nextDue(entry, nowMs, 13);
      return Math.max(0, ...due.slice(1).map((ms, i) => ms - (due[i] ?? ms)));
    })
    .filter((ms) => ms > 0);
  return gaps.length === 0 ? 35 * dayMs : Math.min(...gaps) + 3 * dayMs;
}
