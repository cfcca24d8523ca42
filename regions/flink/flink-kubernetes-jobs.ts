import { ArgusError } from '../../domain/errors.ts';
import type { KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import type { FlinkJob, FlinkJobs } from './flink-jobs.ts';
import { deploymentHealth, explainJob } from './flink-kubernetes-health.ts';
import { isSilence, type KubernetesJob, lookAt, toJobs, unlessSilent } from './flink-kubernetes-look.ts';
import { manifestOf, parallelismOf, startDeployment, tryDeployment } from './flink-kubernetes-start.ts';
import { forceDeployment, stopDeployment } from './flink-kubernetes-stop.ts';
import { deploymentReleases } from './flink-kubernetes-versions.ts';
import { refuseRestoredElsewhere } from './flink-start-route.ts';

export interface FlinkKubernetesOptions {
  readonly region: string;
  readonly kubernetes: KubernetesApi;
  readonly jobs: readonly KubernetesJob[];
  /** The REST interface of a job's deployment. */
  readonly rest: (
    job: KubernetesJob,
  ) => Pick<
    FlinkJobs,
    'list' | 'checkpoints' | 'snapshots' | 'settings' | 'failureOf' | 'stopWithSavepoint' | 'savepointStop'
  >;
  /** How a job is ended; default `delete`. A suspended deployment can be resumed by anybody who may change it. */
  readonly stop?: 'delete' | 'suspend';
  /** Deadline of `start`, the end of an earlier object included; default 100 s. */
  readonly startTimeoutMs?: number;
}

/** So long a reason is good for: who waits asks several times a second, and it takes all events of a namespace. */
const reasonForMs = 2_000;

interface JobsCall {
  readonly signal?: AbortSignal;
}

/**
 * Jobs that each have a FlinkDeployment of their own (application mode), by the objects of the Flink Kubernetes Operator.
 * The job's own REST interface is the truth wherever it answers: the object's status is the operator's opinion. Besides
 * the port's own errors, those of `KubernetesApi` and `ManifestInvalid`.
 */
export function flinkKubernetesJobs(options: FlinkKubernetesOptions): FlinkJobs {
  const { kubernetes, jobs } = options;
  const restOf = new Map(jobs.map((job) => [job, options.rest(job)]));
  /** Whose the ids are that were seen; ids are never used again. */
  const owners = new Map<string, KubernetesJob>();

  const reasons = new Map<KubernetesJob, { readonly atMs: number; readonly why: string | undefined }>();

  /** Why a job doesn't run, as of two seconds ago at most. */
  async function reasonOf(job: KubernetesJob, call: JobsCall): Promise<string | undefined> {
    const known = reasons.get(job);
    if (known !== undefined && performance.now() - known.atMs < reasonForMs) return known.why;
    const why = await explainJob(kubernetes, job, call);
    reasons.set(job, { atMs: performance.now(), why });
    return why;
  }

  const rest = (job: KubernetesJob) => restOf.get(job) ?? options.rest(job);

  async function jobsOf(job: KubernetesJob, call: JobsCall): Promise<readonly FlinkJob[]> {
    const [seen, told] = await Promise.all([lookAt(kubernetes, job, call), unlessSilent(rest(job).list(call))]);
    const found = toJobs(job.name, seen, told);
    for (const { id } of found) owners.set(id, job);
    return found;
  }

  async function ownerOf(jobId: string, call: JobsCall): Promise<KubernetesJob> {
    if (!owners.has(jobId)) await port.list(call);
    const owner = owners.get(jobId);
    if (owner !== undefined) return owner;
    throw new ArgusError('JobMissing', `no FlinkDeployment of ${options.region} has the job ${jobId}`);
  }

  /** A question to the job's REST interface; when that doesn't answer, why. */
  async function ask<T>(jobId: string, call: JobsCall, question: (flink: ReturnType<typeof rest>) => Promise<T>) {
    const owner = await ownerOf(jobId, call);
    try {
      return await question(rest(owner));
    } catch (error) {
      if (!isSilence(error)) throw error;
      const why = await reasonOf(owner, call);
      const text = `the JobManager of ${owner.namespace}/${owner.deployment} has no job yet that could be asked`;
      throw new ArgusError('FlinkUnreachable', why === undefined ? text : `${text}: ${why}`, {
        cause: error,
        hint: `see: kubectl -n ${owner.namespace} describe flinkdeployment ${owner.deployment}`,
        retryable: true,
      });
    }
  }

  const port: FlinkJobs = {
    async list(call = {}) {
      const found = await Promise.all(jobs.map((job) => jobsOf(job, call)));
      return found.flat().sort((a, b) => b.startedAtMs - a.startedAtMs);
    },

    async checkpoints(jobId, call = {}) {
      const told = await ask(jobId, call, (flink) => flink.checkpoints(jobId, call));
      const { deployment } = await lookAt(kubernetes, await ownerOf(jobId, call), call);
      const wanted = deployment?.jobId === jobId ? deployment.savepointPath : undefined;
      refuseRestoredElsewhere(told, { jobId, flinkId: jobId, wanted });
      return told;
    },

    snapshots: (jobId, call = {}) => ask(jobId, call, (flink) => flink.snapshots(jobId, call)),
    settings: (jobId, call = {}) => ask(jobId, call, (flink) => flink.settings(jobId, call)),

    async slots(call = {}) {
      // A deployment brings its own slots; whether nodes have room for its pods only they know.
      const brought = await Promise.all(
        jobs.map(async (job) => {
          const [manifest, seen] = await Promise.all([
            manifestOf(kubernetes, job, call),
            lookAt(kubernetes, job, call),
          ]);
          const found = toJobs(job.name, seen, undefined);
          const total = parallelismOf(manifest?.deployment ?? seen.object);
          return { total, free: found.every(({ state }) => state === 'SUSPENDED') ? total : 0 };
        }),
      );
      const sum = (key: 'free' | 'total') => brought.reduce((all, each) => all + each[key], 0);
      return { free: sum('free'), total: sum('total') };
    },

    versions: (call = {}) =>
      deploymentReleases(kubernetes, jobs, async (j) => (await manifestOf(kubernetes, j, call))?.deployment, call),

    async check(call = {}) {
      for (const job of jobs) await tryDeployment(kubernetes, job, call);
    },

    async start(start, call = {}) {
      const job = jobs.find(({ name }) => name === start.name);
      if (job === undefined) {
        throw new ArgusError('JobMissing', `no FlinkDeployment of ${options.region} is configured for ${start.name}`);
      }
      const started = await startDeployment(kubernetes, job, start, {
        signal: call.signal,
        timeoutMs: options.startTimeoutMs ?? 100_000,
      });
      owners.set(started.jobId, job);
      return started;
    },

    // By the job itself: the operator's own way would upgrade the object, and not tell of a failure for long.
    stopWithSavepoint: (stop, call = {}) =>
      ask(stop.jobId, call, async (flink) => flink.stopWithSavepoint?.(stop, call)),
    savepointStop: (jobId, triggerId, call = {}) =>
      ask(jobId, call, async (flink) => (await flink.savepointStop?.(jobId, triggerId, call)) ?? { kind: 'unknown' }),

    async cancel(jobId, call = {}) {
      await stopDeployment(kubernetes, await ownerOf(jobId, call), options.stop ?? 'delete', call);
    },

    // A JobManager's pod that is made anew would run a finished job again from its start.
    async settle(jobId, call = {}) {
      await stopDeployment(kubernetes, await ownerOf(jobId, call), options.stop ?? 'delete', call);
    },

    async forceStop(jobId, call = {}) {
      return await forceDeployment(kubernetes, await ownerOf(jobId, call), call);
    },

    async health(jobId, call = {}) {
      const owner = await ownerOf(jobId, call);
      const told = await unlessSilent(rest(owner).list(call));
      const own = told?.find(({ id }) => id === jobId);
      return await deploymentHealth(kubernetes, owner, own, call);
    },

    async failureOf(jobId, call = {}) {
      const owner = await ownerOf(jobId, call);
      const told = await unlessSilent(rest(owner).failureOf(jobId, call));
      return told ?? (await explainJob(kubernetes, owner, call));
    },
  };
  return port;
}
