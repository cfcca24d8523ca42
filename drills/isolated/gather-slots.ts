import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { isTerminal } from '../../runbooks/failover/standby-job.ts';
import { listDrillNotes } from '../../state/drill-notes.ts';
import type { DrillSite } from '../bubble-region.ts';

/** The slots of the cluster that drills run in: those that jobs of a dead drill hold are free, since it is cleaned up first. */
export async function gatherSlots(
  { name, flink, ownCluster }: Pick<DrillSite, 'name' | 'flink' | 'ownCluster'>,
  state: ObjectStore,
  signal: AbortSignal,
): Promise<{ readonly free: number; readonly total: number }> {
  const [{ free, total }, jobs, notes] = await Promise.all([
    flink.slots({ signal }),
    flink.list({ signal }),
    listDrillNotes(state, { signal }),
  ]);
  const live = new Set(jobs.filter((job) => !isTerminal(job)).map(({ id }) => id));
  const held = notes
    .filter((note) => note.region === name && note.ownCluster === ownCluster)
    .flatMap((note) => note.jobs.filter(({ flinkJobId }) => live.has(flinkJobId)))
    .reduce((sum, { slots }) => sum + slots, 0);
  return { free: Math.min(total, free + held), total };
}
