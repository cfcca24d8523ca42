import { type DrillScheduleEntry, drillSchedule } from '../../../../domain/drill-schedule-config.ts';
import { decideDrill } from '../../../../drills/schedule/decide.ts';
import type { DrillStanding } from '../../../../drills/schedule/standing.ts';
import type { DrillSlot } from '../../../../state/drill-slots.ts';

/** Nothing speaks against a drill. */
export const calm: DrillStanding = {
  replication: 'active',
  verdicts: 'none',
  readiness: { status: 'green', sentence: '' },
};
export const minute = 60_000;
/** An instant in milliseconds. */
export const at = (text: string) => Date.parse(text);

/** A line of the schedule for isolated drills, unless told otherwise. */
export function entryOf(more: object): DrillScheduleEntry {
  const [entry] = drillSchedule.parse([{ kind: 'isolated', ...more }]);
  if (entry === undefined) throw new Error('no entry');
  return entry;
}

/** Lines of a schedule that are followed over any clock, with what is kept of them. */
export function followed(schedule: DrillScheduleEntry | readonly DrillScheduleEntry[], sinceMs: number) {
  const lines = [schedule].flat();
  const slots = new Map<string, DrillSlot>();
  const runs: string[] = [];
  let writes = 0;
  const change = (slot: string, to: Partial<DrillSlot>) => {
    const before = slots.get(slot);
    if (before === undefined) throw new Error(`unknown: ${slot}`);
    writes += 1;
    slots.set(slot, { ...before, ...to });
  };
  function lookAt(entry: DrillScheduleEntry, nowMs: number, standing: DrillStanding): string {
    for (let step = 0; step < 10; step++) {
      const decision = decideDrill({ nowMs, entry, lines, sinceMs, slots: [...slots.values()], standing });
      if (decision.kind === 'open') {
        if (slots.has(decision.slot.slot)) throw new Error(`opened again: ${decision.slot.slot}`);
        slots.set(decision.slot.slot, decision.slot);
      } else if (decision.kind === 'run') {
        runs.push(decision.slot);
        change(decision.slot, { status: 'ended' });
      } else if (decision.kind === 'skip')
        change(decision.slot, { status: 'skipped', skipped: { ...decision.reason, atMs: nowMs } });
      else if (decision.kind === 'wait') {
        // Told once for each reason, as the daemon does.
        if (slots.get(decision.slot)?.putOff?.code !== decision.reason.code)
          change(decision.slot, { putOff: { ...decision.reason, sinceMs: nowMs } });
        return `wait ${decision.reason.code}`;
      } else return decision.kind;
    }
    throw new Error('it never comes to rest');
  }
  return {
    slots,
    runs,
    writes: () => writes,
    /** What is done at this instant, line by line, until nothing is to be done. */
    look: (nowMs: number, standing: DrillStanding = calm): string =>
      lines.map((entry) => lookAt(entry, nowMs, standing)).join(' / '),
  };
}
