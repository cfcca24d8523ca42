import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions, KubernetesApi, KubernetesObject, ObjectRef } from '../kubernetes/kubernetes-api.ts';
import { type FlinkDeployment, type FlinkPod, readDeployment } from './flink-deployment.ts';
import type { FlinkJob, FlinkJobs } from './flink-jobs.ts';
import { type KubernetesJob, lookAt, unlessSilent } from './flink-kubernetes-look.ts';
import { brief, operatorError } from './flink-reasons.ts';
import { type FlinkSessionJob, flinkSessionJobKind, readSessionJob } from './flink-session-job.ts';

/** A job and its FlinkSessionJob in one region; `deployment` is the FlinkDeployment of its session cluster. */
export interface KubernetesSessionJob extends KubernetesJob {
  /** Name of the FlinkSessionJob. */
  readonly sessionJob: string;
}

/** What is asked of a session cluster's own REST interface. */
export type SessionRest = Pick<
  FlinkJobs,
  'list' | 'checkpoints' | 'snapshots' | 'settings' | 'slots' | 'cancel' | 'failureOf'
> &
  Pick<FlinkJobs, 'stopWithSavepoint' | 'savepointStop'>;

/** What is there of a session job. */
export interface SessionSeen {
  readonly object: KubernetesObject | undefined;
  readonly job: FlinkSessionJob | undefined;
  /** The FlinkDeployment of the session cluster. */
  readonly cluster: FlinkDeployment | undefined;
  /** It has a job of its own: no session job can be submitted to it. */
  readonly isApplication: boolean;
  /** It starts TaskManagers for a job that needs them; one that the operator makes standalone has a fixed number. */
  readonly grows: boolean;
  /** Of the cluster. */
  readonly pods: readonly FlinkPod[];
  /** All jobs of the cluster; undefined: its REST interface is silent. */
  readonly told: readonly FlinkJob[] | undefined;
}

/** The FlinkSessionJob of a job, as something to ask for. */
export function sessionJobRef({ namespace, sessionJob }: KubernetesSessionJob): ObjectRef {
  return { ...flinkSessionJobKind, namespace, name: sessionJob };
}

/** Reads both objects, the cluster's pods, and what its REST interface says. */
export async function lookAtSession(
  kubernetes: KubernetesApi,
  rest: Pick<FlinkJobs, 'list'>,
  job: KubernetesSessionJob,
  call: { readonly signal?: AbortSignal },
): Promise<SessionSeen> {
  const [object, cluster, told] = await Promise.all([
    kubernetes.get(sessionJobRef(job), call),
    lookAt(kubernetes, job, call),
    unlessSilent(rest.list(call)),
  ]);
  const spec = cluster.object?.spec as { readonly job?: unknown; readonly mode?: unknown } | undefined;
  return {
    object,
    job: object && readSessionJob(object),
    cluster: cluster.object && readDeployment(cluster.object),
    isApplication: (spec?.job ?? undefined) !== undefined,
    grows: spec?.mode !== 'standalone',
    pods: cluster.pods,
    told,
  };
}

const eventKind = { apiVersion: 'v1', kind: 'Event' };

/** Why a session job doesn't run, by its object; undefined: nothing there shows it, and its cluster may be the cause. */
export async function explainSessionJob(
  kubernetes: KubernetesApi,
  place: KubernetesSessionJob,
  { job, cluster, isApplication }: Pick<SessionSeen, 'job' | 'cluster' | 'isApplication'>,
  call?: CallOptions,
): Promise<string | undefined> {
  const name = `the session cluster ${place.namespace}/${place.deployment}`;
  if (job === undefined) return undefined;
  if (job.deleting && job.finalizers.length > 0) {
    return `${place.sessionJob} waits for its finalizer ${job.finalizers.join(', ')}: does the operator run?`;
  }
  if (cluster === undefined) return `${name} is not there`;
  if (isApplication) return `the FlinkDeployment ${place.deployment} has a job of its own: it takes no session job`;
  const said = job.error === undefined ? await lastWarning(kubernetes, place, job.uid, call) : operatorError(job.error);
  if (said !== undefined) return `the operator says: ${said}`;
  if (cluster.jobManager !== 'READY') {
    return `${name} is not ready (${cluster.jobManager ?? 'the operator has not taken it up'})`;
  }
  if (job.ran || job.wanted === 'suspended') return undefined;
  return `the operator has not taken up ${place.sessionJob} yet: does it run, and does it watch this namespace?`;
}

/** The operator notes as an event what it can't submit. Source: `FlinkSessionJobController`, 1.7. */
async function lastWarning(
  kubernetes: KubernetesApi,
  { namespace }: KubernetesSessionJob,
  uid: string,
  call?: CallOptions,
): Promise<string | undefined> {
  const fields = `involvedObject.kind=${flinkSessionJobKind.kind},involvedObject.uid=${uid},type=Warning`;
  const events = await kubernetes.list(eventKind, { namespace, fields }, call).catch((error: unknown) => {
    // Without leave to read them, none: they only say more of what is seen otherwise.
    if (error instanceof ArgusError && error.code === 'KubernetesForbidden') return [];
    throw error;
  });
  const last = events.toSorted((a, b) => seenAt(a).localeCompare(seenAt(b))).at(-1);
  return typeof last?.message === 'string' && last.message !== '' ? brief(last.message) : undefined;
}

const seenAt = (event: KubernetesObject): string => `${event.lastTimestamp ?? event.metadata.creationTimestamp ?? ''}`;
