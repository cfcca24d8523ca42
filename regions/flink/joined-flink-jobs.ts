import { ArgusError } from '../../domain/errors.ts';
import type { FlinkJobs, JobHealth } from './flink-jobs.ts';
import { eachOnce } from './flink-kubernetes-versions.ts';

/** One of a region's ways to its jobs. */
export interface FlinkPart {
  readonly flink: FlinkJobs;
  /** Names of the jobs that are started by it. */
  readonly jobs: readonly string[];
}

/** Of a platform that tells nothing beside Flink. */
const noWord: JobHealth = { kind: 'settling', restarts: 0, remake: false, says: {} };

/** Several ways to a region's jobs as one: each job is asked for where it is. */
export function joinedFlinkJobs(parts: readonly FlinkPart[]): FlinkJobs {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only.flink;

  /** Whose the ids are that were seen, the port's and Flink's. */
  const owners = new Map<string, FlinkJobs>();

  /** The part that had the job last, then the others: the first that knows it; throws what the last one said. */
  async function whereKnown<T>(jobId: string, act: (flink: FlinkJobs) => Promise<T>): Promise<T> {
    const owner = owners.get(jobId);
    const others = parts.map(({ flink }) => flink).filter((flink) => flink !== owner);
    let missing: unknown;
    for (const flink of owner === undefined ? others : [owner, ...others]) {
      try {
        return await act(flink);
      } catch (error) {
        if (!(error instanceof ArgusError) || error.code !== 'JobMissing') throw error;
        missing = error;
      }
    }
    throw missing;
  }

  return {
    async list(call) {
      const found = await Promise.all(
        parts.map(async ({ flink }) => {
          const jobs = await flink.list(call);
          for (const { id, flinkId = id } of jobs) owners.set(id, flink).set(flinkId, flink);
          return jobs;
        }),
      );
      return found.flat().sort((a, b) => b.startedAtMs - a.startedAtMs);
    },
    checkpoints: (jobId, call) => whereKnown(jobId, (flink) => flink.checkpoints(jobId, call)),
    snapshots: (jobId, call) => whereKnown(jobId, (flink) => flink.snapshots(jobId, call)),
    settings: (jobId, call) => whereKnown(jobId, (flink) => flink.settings(jobId, call)),
    async slots(call) {
      const found = await Promise.all(parts.map(({ flink }) => flink.slots(call)));
      const sum = (key: 'free' | 'total') => found.reduce((all, each) => all + each[key], 0);
      return { free: sum('free'), total: sum('total') };
    },
    async versions(call) {
      return eachOnce((await Promise.all(parts.map(async ({ flink }) => (await flink.versions?.(call)) ?? []))).flat());
    },
    async clusters(call) {
      return (await Promise.all(parts.map(async ({ flink }) => (await flink.clusters?.(call)) ?? []))).flat();
    },
    async check(call) {
      for (const { flink } of parts) await flink.check?.(call);
    },
    async start(start, call) {
      const part = parts.find(({ jobs }) => start.name !== undefined && jobs.includes(start.name));
      if (part === undefined) throw new ArgusError('JobMissing', `nothing is configured for ${start.name}`);
      const started = await part.flink.start(start, call);
      owners.set(started.jobId, part.flink);
      return started;
    },
    cancel: (jobId, call) => whereKnown(jobId, (flink) => flink.cancel(jobId, call)),
    stopWithSavepoint: (stop, call) => whereKnown(stop.jobId, async (flink) => flink.stopWithSavepoint?.(stop, call)),
    savepointStop: (jobId, triggerId, call) =>
      whereKnown(jobId, async (flink) => (await flink.savepointStop?.(jobId, triggerId, call)) ?? { kind: 'unknown' }),
    settle: (jobId, call) => whereKnown(jobId, async (flink) => flink.settle?.(jobId, call)),
    forceStop: (jobId, call) =>
      whereKnown(jobId, async (flink) => (await flink.forceStop?.(jobId, call)) ?? { done: [], unproven: [] }),
    health: (jobId, call) => whereKnown(jobId, async (flink) => (await flink.health?.(jobId, call)) ?? noWord),
    failureOf: (jobId, call) => whereKnown(jobId, (flink) => flink.failureOf(jobId, call)),
  };
}
