import { isOfSomeDrill } from '../../domain/bubble.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { listDrillNotes } from '../../state/drill-notes.ts';
import { isTerminal } from './standby-job.ts';

/** A drill in the standby that is at work, or that died and left its jobs. */
export interface OpenDrill {
  readonly run: string;
  /** Flink ids of its jobs that live. */
  readonly jobs: readonly string[];
  /** Task slots that these have in the region's own cluster. */
  readonly slots: number;
}

/** What is needed to know of drills. */
export interface DrillView {
  readonly state: ObjectStore;
  readonly standby: { readonly name: string };
  /** The Flink in which drills run there, with their jobs. Absent: there is none. */
  readonly drillFlink?: Pick<FlinkJobs, 'list' | 'cancel'>;
}

/** The drills whose notes lie in the state, with those of their jobs that live. Reads only. */
export async function openDrills(
  { state, standby, drillFlink }: DrillView,
  signal: AbortSignal,
): Promise<readonly OpenDrill[]> {
  if (drillFlink === undefined) return [];
  const notes = (await listDrillNotes(state, { signal })).filter(({ region }) => region === standby.name);
  if (notes.length === 0) return [];
  const live = new Set((await drillFlink.list({ signal })).filter((job) => !isTerminal(job)).map(({ id }) => id));
  return notes.map(({ run, jobs, ownCluster }) => {
    const running = jobs.filter(({ flinkJobId }) => isOfSomeDrill('flinkJob', flinkJobId) && live.has(flinkJobId));
    return {
      run,
      jobs: running.map(({ flinkJobId }) => flinkJobId),
      slots: ownCluster ? 0 : running.reduce((sum, { slots }) => sum + slots, 0),
    };
  });
}
