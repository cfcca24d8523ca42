import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions, KubernetesApi, KubernetesObject, ObjectRef } from '../kubernetes/kubernetes-api.ts';
import {
  type FlinkDeployment,
  type FlinkPod,
  flinkDeploymentKind,
  podLabels,
  readDeployment,
  readPod,
} from './flink-deployment.ts';
import type { FlinkJob } from './flink-jobs.ts';
import type { ManifestSource } from './flink-manifest-source.ts';

/** A job and its FlinkDeployment in one region. */
export interface KubernetesJob {
  /** The job's name in Flink. */
  readonly name: string;
  readonly namespace: string;
  /** Name of the FlinkDeployment. */
  readonly deployment: string;
  /** Absent: the object that is there, made suspended, is started. */
  readonly manifest?: ManifestSource | undefined;
  /** A ConfigMap's key that also gets the path. */
  readonly restorePath?: { readonly configMap: string; readonly key: string } | undefined;
}

/** What is there of a job. */
export interface Seen {
  readonly object: KubernetesObject | undefined;
  readonly deployment: FlinkDeployment | undefined;
  readonly pods: readonly FlinkPod[];
}

const podKind = { apiVersion: 'v1', kind: 'Pod' };

/** The FlinkDeployment of a job, as something to ask for. */
export function deploymentRef({ namespace, deployment }: KubernetesJob): ObjectRef {
  return { ...flinkDeploymentKind, namespace, name: deployment };
}

/** Reads the object and the pods of a job. */
export async function lookAt(kubernetes: KubernetesApi, job: KubernetesJob, options?: CallOptions): Promise<Seen> {
  const [object, pods] = await Promise.all([
    kubernetes.get(deploymentRef(job), options),
    kubernetes.list(podKind, { namespace: job.namespace, labels: podLabels(job.deployment) }, options),
  ]);
  return { object, deployment: object && readDeployment(object), pods: pods.map(readPod) };
}

const ended = new Set(['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED']);

/**
 * What a deployment is as jobs, by what Kubernetes has of it and what its REST interface says (undefined: it is silent).
 * A job is only told to have ended when nothing is left that could write: no pods, and no object that is being deleted.
 * Pure.
 */
export function toJobs(
  name: string,
  { deployment, pods }: Pick<Seen, 'deployment' | 'pods'>,
  inFlink: readonly FlinkJob[] | undefined,
): readonly FlinkJob[] {
  // Whatever it calls itself: the deployment has no other.
  const told = inFlink?.map((job) => ({ ...job, name }));
  if (deployment === undefined && pods.length === 0) return told?.filter((job) => !ended.has(job.state)) ?? [];
  const stopping = deployment === undefined || deployment.deleting;
  if (told !== undefined && told.length > 0) {
    return stopping ? told.map((job) => (ended.has(job.state) ? { ...job, state: 'CANCELLING' } : job)) : told;
  }
  const id = handleOf(deployment, pods);
  const known = { id, name, startedAtMs: deployment?.startedAtMs ?? 0 };
  if (stopping) return [{ ...known, state: 'CANCELLING' }];
  const { jobState = 'INITIALIZING', wanted, ran } = deployment;
  if (wanted === 'suspended') {
    // In one of its ways to suspend, the operator leaves the JobManager, which then has no job and answers so.
    const quiet = pods.length === 0 || (told !== undefined && pods.every((pod) => pod.component === 'jobmanager'));
    if (!quiet) return [{ ...known, state: 'CANCELLING' }];
    return ran ? [{ ...known, state: 'SUSPENDED' }] : [];
  }
  // The operator's word that it ended counts only when nothing runs.
  return [{ ...known, state: ended.has(jobState) && pods.length > 0 ? 'INITIALIZING' : jobState }];
}

/** The job's id; while none is known, that of the object, which has the same form. */
function handleOf(deployment: FlinkDeployment | undefined, pods: readonly FlinkPod[]): string {
  return deployment?.jobId ?? (deployment?.uid ?? pods[0]?.uid ?? '').replaceAll('-', '');
}

/** The answer; undefined when there is nobody to give it. */
export async function unlessSilent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isSilence(error)) return undefined;
    throw error;
  }
}

/** No JobManager answers, or it doesn't know a job of that id. */
export function isSilence(error: unknown): boolean {
  return error instanceof ArgusError && (error.code === 'FlinkUnreachable' || error.code === 'JobMissing');
}
