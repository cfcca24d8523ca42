import type { Config } from '../../domain/config.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type DrillSlot, newestSlots, type ScheduledKind } from '../../state/drill-slots.ts';
import { drillState } from '../../state/drills.ts';

const kinds: readonly ScheduledKind[] = ['isolated', 'tabletop', 'switchover'];
/** Of each kind. */
const shown = 30;

/** The newest slots of all kinds, the newest first. */
export async function readSlots(state: ObjectStore, signal: AbortSignal): Promise<readonly DrillSlot[]> {
  const drills = drillState(state);
  const read = await Promise.all(kinds.map((kind) => newestSlots(drills, kind, shown, { signal })));
  return read
    .flat()
    .map(({ value }) => value)
    .toSorted((a, b) => b.dueAtMs - a.dueAtMs);
}

/** The schedule in the configuration; empty: no drill begins by itself. */
export const scheduleOf = ({ drill }: Pick<Config, 'drill'>) => drill.schedule ?? [];
