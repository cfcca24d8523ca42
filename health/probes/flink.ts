import type { FlinkCheckpoints, FlinkJob, FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

export interface FlinkFacts {
  readonly slots: { readonly free: number; readonly total: number };
  /** The newest start of each asked job that the cluster knows. */
  readonly jobs: ReadonlyMap<string, FlinkJob & { readonly checkpoints?: FlinkCheckpoints }>;
  /** The names of all that run, asked or not. */
  readonly running: ReadonlySet<string>;
}

/** Does one region's Flink answer, and how are the named jobs? */
export function probeFlink(
  flink: FlinkJobs,
  jobNames: readonly string[],
  options: ProbeOptions,
): Promise<ProbeOf<FlinkFacts>> {
  return probe(async (call) => {
    const [all, slots] = await Promise.all([flink.list(call), flink.slots(call)]);
    const jobs = new Map<string, FlinkJob & { checkpoints?: FlinkCheckpoints }>();
    await Promise.all(
      jobNames.map(async (name) => {
        const job = all.find((j) => j.name === name);
        if (!job) return;
        // A job that ended in between has no checkpoints to show; its state already says so.
        const checkpoints = await flink.checkpoints(job.id, call).catch(() => undefined);
        jobs.set(name, { ...job, ...(checkpoints ? { checkpoints } : {}) });
      }),
    );
    return { slots, jobs, running: new Set(all.filter((j) => j.state === 'RUNNING').map((j) => j.name)) };
  }, options);
}
