import type { KubernetesObject, ObjectKind } from '../kubernetes/kubernetes-api.ts';
import { type FlinkDeployment, type FlinkPod, readDeployment } from './flink-deployment.ts';
import type { FlinkJob } from './flink-jobs.ts';

/** Source: the operator's CRDs, unchanged in name since 1.0. */
export const flinkSessionJobKind: ObjectKind = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkSessionJob' };

/**
 * Where the id stands under which Argus started a session job. The operator gives the job another one, which can't be
 * chosen: 1.7 makes it of the object's uid and generation, later ones at random.
 */
export const jobIdAnnotation = 'argus.dev/job-id';

/** What Argus reads of a FlinkSessionJob: as of a FlinkDeployment, and both ids. */
export interface FlinkSessionJob extends FlinkDeployment {
  /** The id that Flink knows, as the operator says; absent until it has submitted the job. */
  readonly flinkId?: string;
}

/** A FlinkSessionJob as the API server gives it. `jobId` is the id that Argus asked for, else Flink's. */
export function readSessionJob(object: KubernetesObject): FlinkSessionJob {
  const { jobId: flinkId, ...seen } = readDeployment(object);
  const jobId = object.metadata.annotations?.[jobIdAnnotation] ?? flinkId;
  return {
    ...seen,
    ...(flinkId === undefined ? {} : { flinkId }),
    ...(jobId === undefined ? {} : { jobId }),
  };
}

/** What is there of a session job and of its cluster. */
export interface SessionSigns {
  readonly job: FlinkSessionJob | undefined;
  /** Of the session cluster. */
  readonly pods: readonly FlinkPod[];
  /** All jobs of the session cluster; undefined: its REST interface is silent. */
  readonly told: readonly FlinkJob[] | undefined;
  /** Ids by which Flink knew this job before. */
  readonly before: ReadonlySet<string>;
}

/** A job, and the id by which Flink knows it; absent while Flink doesn't. */
export interface SessionJobSeen {
  readonly job: FlinkJob;
  readonly flinkId?: string;
  /** Its name in Flink, where that isn't the configured one. */
  readonly otherName?: string;
}

const ended = new Set(['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED']);

/**
 * What a session job is as jobs. It has ended only when its object doesn't want it and the cluster's REST interface says
 * so: the operator lets an object go also when it couldn't cancel the job (an error of its REST client, a job whose id it
 * hasn't noted yet). `unknown`: the object is gone, and nobody tells whether the job is. Pure.
 */
export function sessionJobsOf(name: string, signs: SessionSigns): readonly SessionJobSeen[] | 'unknown' {
  const { job, pods, told } = signs;
  if (told === undefined) {
    if (job !== undefined) return seenBySilence(name, job, pods);
    return pods.length === 0 ? [] : 'unknown';
  }
  const own = job === undefined ? undefined : ownOf(job, told);
  const others = told.filter(
    (each) => each !== own && !ended.has(each.state) && (each.name === name || signs.before.has(each.id)),
  );
  const strays = others.map((each) => ({ job: { ...each, name }, flinkId: each.id }));
  if (job === undefined) return strays;
  if (own !== undefined) return [withOwn(name, job, own), ...strays];
  const absent = seenWithoutJob(name, job);
  return absent === undefined ? strays : [absent, ...strays];
}

/** The object's job among those of the cluster: one that goes on before one that ended, the newest first. */
function ownOf(job: FlinkSessionJob, told: readonly FlinkJob[]): FlinkJob | undefined {
  // Source: `FlinkUtils.generateSessionJobFixedJobID`, 1.7: the upper half of the uid, then the generation.
  const half = job.uid.replaceAll('-', '').slice(0, 16);
  const own = told.filter(({ id }) => id === job.flinkId || (half.length === 16 && id.startsWith(half)));
  return own.find(({ state }) => !ended.has(state)) ?? own.find(({ id }) => id === job.flinkId) ?? own[0];
}

function withOwn(name: string, job: FlinkSessionJob, own: FlinkJob): SessionJobSeen {
  const over = ended.has(own.state);
  const state = over && job.deleting ? 'CANCELLING' : over && job.wanted === 'suspended' ? 'SUSPENDED' : own.state;
  return {
    job: { ...own, id: job.jobId ?? own.id, name, state },
    flinkId: own.id,
    ...(own.name === name ? {} : { otherName: own.name }),
  };
}

/** The cluster answers and doesn't know the job. */
function seenWithoutJob(name: string, job: FlinkSessionJob): SessionJobSeen | undefined {
  if (job.deleting) return known(name, job, 'CANCELLING');
  if (job.wanted === 'suspended') return job.ran ? known(name, job, 'SUSPENDED') : undefined;
  const { jobState = 'INITIALIZING' } = job;
  // A JobManager without high availability has forgotten it; the operator submits it anew, or says why not.
  return known(name, job, jobState === 'RUNNING' ? 'RECONCILING' : jobState);
}

function seenBySilence(name: string, job: FlinkSessionJob, pods: readonly FlinkPod[]): readonly SessionJobSeen[] {
  if (job.deleting) return [known(name, job, 'CANCELLING')];
  if (job.wanted === 'suspended') {
    return job.ran ? [known(name, job, pods.length > 0 ? 'CANCELLING' : 'SUSPENDED')] : [];
  }
  const { jobState = 'INITIALIZING' } = job;
  return [known(name, job, ended.has(jobState) && pods.length > 0 ? 'INITIALIZING' : jobState)];
}

function known(name: string, job: FlinkSessionJob, state: string): SessionJobSeen {
  const id = job.jobId ?? job.uid.replaceAll('-', '');
  return { job: { id, name, state, startedAtMs: job.startedAtMs } };
}
