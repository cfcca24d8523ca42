import type { ObjectStore } from '../regions/objects/object-store.ts';
import { storeAt } from '../regions/objects/store-at.ts';

/**
 * Where drills keep their own lease, journal and records, apart from those of production: a drill never holds the right
 * to act on the regions, so no failover waits for one, and no run of production is decided by what a drill wrote.
 */
export function drillState(state: ObjectStore): ObjectStore {
  return storeAt(state, 'drills/');
}

/** The store in which a run's journal is, by the run's name. */
export function stateOfRun(state: ObjectStore, run: string): ObjectStore {
  return /-drill-[0-9a-f]{4}$/.test(run) ? drillState(state) : state;
}
