import { isOfSomeDrill } from '../../domain/bubble.ts';
import type { FlinkJobs } from './flink-jobs.ts';

/**
 * A region's Flink as production sees it: jobs of drills aren't listed, so that nobody takes one for the job that it
 * stands in for, fences it or counts it. What asks about one by its id gets its answer.
 */
export function withoutDrills(flink: FlinkJobs): FlinkJobs {
  return {
    ...flink,
    list: async (call) => (await flink.list(call)).filter(({ id }) => !isOfSomeDrill('flinkJob', id)),
  };
}
