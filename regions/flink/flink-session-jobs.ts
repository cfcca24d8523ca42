import { ArgusError } from '../../domain/errors.ts';
import type { KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import type { FlinkJob, FlinkJobs, SessionCluster } from './flink-jobs.ts';
import { isSilence, unlessSilent } from './flink-kubernetes-look.ts';
import { parallelismOf } from './flink-kubernetes-start.ts';
import { deploymentReleases } from './flink-kubernetes-versions.ts';
import { judgeSessionHealth } from './flink-session-health.ts';
import { sessionJobsOf } from './flink-session-job.ts';
import {
  explainSessionJob,
  type KubernetesSessionJob,
  lookAtSession,
  type SessionRest,
  type SessionSeen,
  sessionJobRef,
} from './flink-session-look.ts';
import { sessionManifestOf, startSessionJob, trySessionJob } from './flink-session-start.ts';
import { forceSessionJob, stopSessionJob } from './flink-session-stop.ts';
import { refuseRestoredElsewhere } from './flink-start-route.ts';

export interface FlinkSessionOptions {
  readonly region: string;
  readonly kubernetes: KubernetesApi;
  readonly jobs: readonly KubernetesSessionJob[];
  /** The REST interface of a job's session cluster. */
  readonly rest: (job: KubernetesSessionJob) => SessionRest;
  /** How a job is ended; default `delete`. A suspended one can be resumed by anybody who may change it. */
  readonly stop?: 'delete' | 'suspend';
  /** Deadline of `start`, the end of an earlier object included; default 100 s. */
  readonly startTimeoutMs?: number;
}

interface Call {
  readonly signal?: AbortSignal;
}

/**
 * Jobs in session clusters, each with a FlinkSessionJob, by the objects of the Flink Kubernetes Operator. The port's ids
 * are those that were asked for, noted at the object; Flink's own are found by them. The cluster's REST interface is the
 * truth wherever it answers. Besides the port's own errors, those of `KubernetesApi`, `ManifestInvalid` and
 * `JobNameDiffers`.
 */
export function flinkSessionJobs(options: FlinkSessionOptions): FlinkJobs {
  const { kubernetes, jobs, region } = options;
  const restOf = new Map(jobs.map((job) => [job, options.rest(job)]));
  const rest = (job: KubernetesSessionJob) => restOf.get(job) ?? options.rest(job);
  const sources = (job: KubernetesSessionJob) => ({ kubernetes, rest: rest(job) });
  /** Whose the ids are that were seen, the port's and Flink's; ids are never used again. */
  const owners = new Map<string, KubernetesSessionJob>();
  /** Flink's ids by the port's, as last seen. */
  const flinkIds = new Map<string, string>();
  const idsBefore = new Map(jobs.map((job) => [job, new Set<string>()]));
  const before = (job: KubernetesSessionJob): Set<string> => idsBefore.get(job) ?? new Set();

  async function jobsOf(place: KubernetesSessionJob, call: Call): Promise<readonly FlinkJob[]> {
    const seen = await lookAtSession(kubernetes, rest(place), place, call);
    const found = sessionJobsOf(place.name, { ...seen, before: before(place) });
    if (found === 'unknown') throw notTold(region, place);
    for (const { job, flinkId, otherName } of found) {
      if (otherName !== undefined) throw nameDiffers(place, otherName);
      owners.set(job.id, place);
      if (flinkId === undefined) continue;
      owners.set(flinkId, place);
      flinkIds.set(job.id, flinkId);
      // Who knows a job by its folder of checkpoints asks by Flink's own.
      flinkIds.set(flinkId, flinkId);
      before(place).add(flinkId);
    }
    return found.map(({ job, flinkId = job.id }) => (flinkId === job.id ? job : { ...job, flinkId }));
  }

  async function ownerOf(jobId: string, call: Call): Promise<KubernetesSessionJob> {
    if (!owners.has(jobId)) await port.list(call);
    const owner = owners.get(jobId);
    if (owner !== undefined) return owner;
    throw new ArgusError('JobMissing', `no FlinkSessionJob of ${region} has the job ${jobId}`);
  }

  async function why(place: KubernetesSessionJob, seen: SessionSeen, call: Call): Promise<string | undefined> {
    return await explainSessionJob(kubernetes, place, seen, call);
  }

  /** A question to the cluster's REST interface, by Flink's id; when nobody can answer it, why. */
  async function ask<T>(jobId: string, call: Call, question: (flink: SessionRest, flinkId: string) => Promise<T>) {
    const owner = await ownerOf(jobId, call);
    const asked = flinkIds.get(jobId);
    try {
      if (asked !== undefined) return await question(rest(owner), asked);
    } catch (error) {
      if (!isSilence(error)) throw error;
    }
    // The operator may have submitted it anew since.
    await jobsOf(owner, call);
    const flinkId = flinkIds.get(jobId);
    try {
      if (flinkId !== undefined && flinkId !== asked) return await question(rest(owner), flinkId);
    } catch (error) {
      if (!isSilence(error)) throw error;
    }
    const because = await why(owner, await lookAtSession(kubernetes, rest(owner), owner, call), call);
    const text = `the session cluster ${owner.namespace}/${owner.deployment} has no job yet that could be asked`;
    throw new ArgusError('FlinkUnreachable', because === undefined ? text : `${text}: ${because}`, {
      hint: `see: kubectl -n ${owner.namespace} describe flinksessionjob ${owner.sessionJob}`,
      retryable: true,
    });
  }

  const port: FlinkJobs = {
    async list(call = {}) {
      const found = await Promise.all(jobs.map((job) => jobsOf(job, call)));
      return found.flat().sort((a, b) => b.startedAtMs - a.startedAtMs);
    },

    async checkpoints(jobId, call = {}) {
      const [told, flinkId] = await ask(
        jobId,
        call,
        async (flink, id) => [await flink.checkpoints(id, call), id] as const,
      );
      const owner = await ownerOf(jobId, call);
      const { job } = await lookAtSession(kubernetes, rest(owner), owner, call);
      const wanted = job?.jobId === jobId ? job.savepointPath : undefined;
      refuseRestoredElsewhere(told, { jobId, flinkId, wanted });
      return told;
    },

    snapshots: (jobId, call = {}) => ask(jobId, call, (flink, id) => flink.snapshots(id, call)),
    settings: (jobId, call = {}) => ask(jobId, call, (flink, id) => flink.settings(id, call)),

    async slots(call = {}) {
      const slots = await Promise.all(clusterJobs().map((inIt) => slotsOf(inIt, call)));
      const sum = (key: 'free' | 'total') => slots.reduce((all, each) => all + each[key], 0);
      return { free: sum('free'), total: sum('total') };
    },

    versions: (call = {}) =>
      deploymentReleases(kubernetes, jobs, async (j) => (await sessionManifestOf(kubernetes, j, call))?.cluster, call),

    clusters: (call = {}) => Promise.all(clusterJobs().map((inIt) => clusterOf(inIt, call))),

    async check(call = {}) {
      for (const job of jobs) await trySessionJob(sources(job), job, call);
    },

    async start(start, call = {}) {
      const job = jobs.find(({ name }) => name === start.name);
      if (job === undefined) {
        throw new ArgusError('JobMissing', `no FlinkSessionJob of ${region} is configured for ${start.name}`);
      }
      const timeoutMs = options.startTimeoutMs ?? 100_000;
      const started = await startSessionJob(sources(job), job, start, { ...call, timeoutMs });
      owners.set(started.jobId, job);
      return started;
    },

    stopWithSavepoint: (stop, call = {}) =>
      ask(stop.jobId, call, async (flink, jobId) => flink.stopWithSavepoint?.({ ...stop, jobId }, call)),
    savepointStop: (jobId, triggerId, call = {}) =>
      ask(jobId, call, async (flink, id) => (await flink.savepointStop?.(id, triggerId, call)) ?? { kind: 'unknown' }),

    async cancel(jobId, call = {}) {
      const owner = await ownerOf(jobId, call);
      const { job } = await lookAtSession(kubernetes, rest(owner), owner, call);
      const ofObject =
        job !== undefined && (job.jobId === jobId || job.flinkId === jobId || flinkIds.get(jobId) !== jobId);
      if (ofObject) return await stopSessionJob(sources(owner), owner, options.stop ?? 'delete', call);
      // The object is gone, or is another job's: nobody but Flink can end this one.
      const flinkId = flinkIds.get(jobId);
      if (flinkId !== undefined) await rest(owner).cancel(flinkId, call);
    },

    async settle(jobId, call = {}) {
      const owner = await ownerOf(jobId, call);
      await stopSessionJob(sources(owner), owner, options.stop ?? 'delete', call);
    },

    async forceStop(jobId, call = {}) {
      const owner = await ownerOf(jobId, call);
      return await forceSessionJob(sources(owner), owner, before(owner), call);
    },

    async health(jobId, call = {}) {
      const owner = await ownerOf(jobId, call);
      const seen = await lookAtSession(kubernetes, rest(owner), owner, call);
      return judgeSessionHealth(owner.name, seen, await why(owner, seen, call));
    },

    async failureOf(jobId, call = {}) {
      const owner = await ownerOf(jobId, call);
      await jobsOf(owner, call);
      const flinkId = flinkIds.get(jobId);
      if (flinkId !== undefined) {
        try {
          const told = await rest(owner).failureOf(flinkId, call);
          if (told !== undefined) return told;
        } catch (error) {
          if (!isSilence(error)) throw error;
        }
      }
      return await why(owner, await lookAtSession(kubernetes, rest(owner), owner, call), call);
    },
  };

  /** The jobs by their clusters. */
  function clusterJobs(): readonly (readonly [KubernetesSessionJob, ...KubernetesSessionJob[]])[] {
    const found = new Map<string, [KubernetesSessionJob, ...KubernetesSessionJob[]]>();
    for (const job of jobs) {
      const key = `${job.namespace}/${job.deployment}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, [job]);
      else known.push(job);
    }
    return [...found.values()];
  }

  async function parallelism(job: KubernetesSessionJob, call: Call): Promise<number> {
    const manifest = await sessionManifestOf(kubernetes, job, call);
    return parallelismOf(manifest?.job ?? (await kubernetes.get(sessionJobRef(job), call)));
  }

  /** A cluster that isn't ready, or that grows, has what its jobs lack. */
  async function slotsOf(
    inIt: readonly [KubernetesSessionJob, ...KubernetesSessionJob[]],
    call: Call,
  ): Promise<{ readonly free: number; readonly total: number }> {
    const [first] = inIt;
    const seen = await lookAtSession(kubernetes, rest(first), first, call);
    const told = seen.cluster && (await unlessSilent(rest(first).slots(call)));
    if (told !== undefined && !seen.grows) return told;
    const idle = await Promise.all(
      inIt.map(async (job) => ((await jobsOf(job, call)).some(isLive) ? 0 : await parallelism(job, call))),
    );
    const { free, total } = told ?? { free: 0, total: 0 };
    const more = Math.max(0, idle.reduce((sum, each) => sum + each, 0) - free);
    return { free: free + more, total: total + more };
  }

  async function clusterOf(
    inIt: readonly [KubernetesSessionJob, ...KubernetesSessionJob[]],
    call: Call,
  ): Promise<SessionCluster> {
    const [first] = inIt;
    const { cluster } = await lookAtSession(kubernetes, rest(first), first, call);
    const wanted = (await Promise.all(inIt.map((job) => parallelism(job, call)))).reduce((sum, each) => sum + each, 0);
    const known = { namespace: first.namespace, name: first.deployment, jobs: inIt.map(({ name }) => name), wanted };
    if (cluster === undefined || cluster.deleting) return { ...known, state: 'absent' };
    const slots = await unlessSilent(rest(first).slots(call));
    const state = cluster.jobManager === 'READY' && slots !== undefined ? 'ready' : 'starting';
    return { ...known, state, ...(slots === undefined ? {} : { slots }) };
  }

  return port;
}

const isLive = ({ state }: FlinkJob): boolean => !['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED'].includes(state);

function notTold(region: string, { name, namespace, deployment }: KubernetesSessionJob): ArgusError {
  const text = `whether ${name} runs in the session cluster ${namespace}/${deployment} of ${region} is not told: its pods are there, and its REST interface is silent`;
  return new ArgusError('FlinkUnreachable', text, {
    hint: `see: kubectl -n ${namespace} get pods -l app=${deployment}; where it must end, delete the session cluster`,
    retryable: true,
  });
}

function nameDiffers({ name, namespace, sessionJob }: KubernetesSessionJob, inFlink: string): ArgusError {
  const text = `the job of the FlinkSessionJob ${namespace}/${sessionJob} is called "${inFlink}" in Flink, and "${name}" in the configuration`;
  return new ArgusError('JobNameDiffers', text, {
    hint: 'give jobs[].name the name that the job has in Flink: a session job that outlived its object is found by nothing else',
    exitCode: 2,
  });
}
