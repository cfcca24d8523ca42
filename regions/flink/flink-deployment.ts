import { z } from 'zod';
import type { KubernetesObject, ObjectKind } from '../kubernetes/kubernetes-api.ts';

/** Source: the operator's CRDs, unchanged in name since 1.0. */
export const flinkDeploymentKind: ObjectKind = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment' };

/**
 * The Flink setting that fixes a job's id. The operator makes ids of its own only where it is absent. Source:
 * `PipelineOptionsInternal` of Flink; `ApplicationReconciler.setJobIdIfNecessary` of the operator.
 */
export const jobIdSetting = '$internal.pipeline.job-id';

/**
 * Flink's own way to own or to spare what it restores. Up to 1.19 only the first key is known; later the second one is
 * preferred where both are there, so each is set. Source: `StateRecoveryOptions`, before it `SavepointConfigOptions`.
 */
export const claimSettings = (mode: string) => ({
  'execution.savepoint-restore-mode': mode,
  'execution.state-recovery.claim-mode': mode,
});

/** What Argus reads of a FlinkDeployment. */
export interface FlinkDeployment {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Its end was asked for; finalizers are still to run. */
  readonly deleting: boolean;
  readonly finalizers: readonly string[];
  readonly wanted: 'running' | 'suspended';
  readonly savepointPath?: string;
  readonly redeployNonce?: number;
  /** The job's id as its specification fixes it, else as the operator saw it. */
  readonly jobId?: string;
  /** The operator has deployed it before: it may hold state of its own, which it prefers to any path. */
  readonly ran: boolean;
  /** As the operator saw it last: READY, DEPLOYED_NOT_READY, DEPLOYING, MISSING, ERROR. */
  readonly jobManager?: string;
  /** As the operator saw it last; absent as long as its word is about the job before this one. */
  readonly jobState?: string;
  /** STABLE, SUSPENDED, FAILED … */
  readonly lifecycle?: string;
  /** How far the operator has brought what it was asked for: DEPLOYED, UPGRADING … */
  readonly reconciliation?: string;
  readonly startedAtMs: number;
  readonly createdAtMs: number;
  /** Flink has listed this job once, as the operator noted: it may have run, and written. */
  readonly listed?: true;
  /** The operator's own complaint. */
  readonly error?: string;
}

/** What Argus reads of a pod. */
export interface FlinkPod {
  readonly name: string;
  readonly uid: string;
  readonly component: 'jobmanager' | 'taskmanager' | 'other';
  readonly phase: string;
  readonly deleting: boolean;
  readonly node?: string;
  /** Why no node was found for it. */
  readonly unschedulable?: string;
  readonly containers: readonly PodContainer[];
}

interface PodContainer {
  readonly name: string;
  readonly image: string;
  readonly restarts: number;
  /** ImagePullBackOff, CreateContainerConfigError, CrashLoopBackOff … */
  readonly waiting?: { readonly reason: string; readonly message: string };
  /** How its run before this one ended, or this one. */
  readonly ended?: { readonly exitCode: number; readonly reason: string; readonly message: string };
}

const text = z.string().nullish();
const deploymentShape = z.object({
  spec: z.looseObject({
    flinkConfiguration: z.record(z.string(), z.unknown()).nullish(),
    job: z
      .looseObject({
        state: text,
        initialSavepointPath: text,
        savepointRedeployNonce: z.number().nullish(),
      })
      .nullish(),
  }),
  status: z
    .looseObject({
      error: text,
      lifecycleState: text,
      jobManagerDeploymentStatus: text,
      jobStatus: z.looseObject({ jobId: text, state: text, startTime: text }).nullish(),
      reconciliationStatus: z.looseObject({ state: text, lastReconciledSpec: text }).nullish(),
    })
    .nullish(),
});

/** A FlinkDeployment as the API server gives it. */
export function readDeployment(object: KubernetesObject): FlinkDeployment {
  const { spec, status } = deploymentShape.parse(object);
  const { metadata } = object;
  const fixed = spec.flinkConfiguration?.[jobIdSetting];
  const jobId = typeof fixed === 'string' ? fixed : status?.jobStatus?.jobId;
  const before = typeof fixed === 'string' && (status?.jobStatus?.jobId ?? fixed) !== fixed;
  const createdAtMs = Date.parse(metadata.creationTimestamp ?? '') || 0;
  const startedAtMs = Number(status?.jobStatus?.startTime ?? createdAtMs);
  const ran = [
    status?.reconciliationStatus?.lastReconciledSpec,
    status?.jobStatus?.jobId,
    status?.jobManagerDeploymentStatus,
  ].some((each) => typeof each === 'string' && each !== '');
  return {
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    deleting: metadata.deletionTimestamp !== undefined,
    finalizers: metadata.finalizers ?? [],
    wanted: spec.job?.state === 'suspended' ? 'suspended' : 'running',
    ran,
    startedAtMs: Number.isFinite(startedAtMs) ? startedAtMs : 0,
    createdAtMs,
    ...given('savepointPath', spec.job?.initialSavepointPath),
    ...given('redeployNonce', spec.job?.savepointRedeployNonce),
    ...given('listed', !before && (status?.jobStatus?.startTime ?? '') !== '' ? (true as const) : undefined),
    ...given('jobId', jobId),
    ...given('jobManager', status?.jobManagerDeploymentStatus),
    ...given('jobState', before ? undefined : status?.jobStatus?.state),
    ...given('lifecycle', status?.lifecycleState),
    ...given('reconciliation', status?.reconciliationStatus?.state),
    ...given('error', status?.error === '' ? undefined : status?.error),
  };
}

const containerShape = z.object({
  name: z.string(),
  image: z.string().default(''),
  restartCount: z.number().default(0),
  state: z.looseObject({ waiting: z.looseObject({ reason: text, message: text }).nullish() }).nullish(),
  lastState: z
    .looseObject({
      terminated: z.looseObject({ exitCode: z.number(), reason: text, message: text }).nullish(),
    })
    .nullish(),
});
const podShape = z.object({
  spec: z.looseObject({ nodeName: text }).nullish(),
  status: z
    .looseObject({
      phase: text,
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), reason: text, message: text }))
        .nullish(),
      containerStatuses: z.array(containerShape).nullish(),
      initContainerStatuses: z.array(containerShape).nullish(),
    })
    .nullish(),
});

/** A pod as the API server gives it. */
export function readPod(object: KubernetesObject): FlinkPod {
  const { spec, status } = podShape.parse(object);
  const component = object.metadata.labels?.component;
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return {
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    component: component === 'jobmanager' || component === 'taskmanager' ? component : 'other',
    phase: status?.phase ?? 'Unknown',
    deleting: object.metadata.deletionTimestamp !== undefined,
    ...given('node', spec?.nodeName),
    ...given('unschedulable', scheduled?.status === 'False' ? (scheduled.message ?? scheduled.reason) : undefined),
    containers: containers.map(({ name, image, restartCount, state, lastState }) => {
      const waiting = state?.waiting;
      const ended = lastState?.terminated;
      return {
        name,
        image,
        restarts: restartCount,
        ...(waiting ? { waiting: { reason: waiting.reason ?? '', message: waiting.message ?? '' } } : {}),
        ...(ended
          ? { ended: { exitCode: ended.exitCode, reason: ended.reason ?? '', message: ended.message ?? '' } }
          : {}),
      };
    }),
  };
}

/** All pods of a deployment, whichever mode it has. Source: labels of Flink's `Constants`, 1.20. */
export function podLabels(deployment: string): string {
  return `app=${deployment},type in (flink-native-kubernetes,flink-standalone-kubernetes)`;
}

/** The ConfigMaps in which a job finds its newest checkpoint; as long as one is there, it is preferred to a path. */
export function highAvailabilityLabels(deployment: string): string {
  return `app=${deployment},configmap-type=high-availability`;
}

/** The field, when there is a value: absent and null are one here. */
function given<K extends string, V>(key: K, value: V | null | undefined): { readonly [P in K]?: V } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
