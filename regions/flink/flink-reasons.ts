import type { KubernetesEvent } from '../kubernetes/kubernetes-api.ts';
import type { FlinkDeployment, FlinkPod } from './flink-deployment.ts';

/** What is there to explain a deployment that doesn't run. */
export interface DeploymentSigns {
  readonly name: string;
  readonly deployment: FlinkDeployment | undefined;
  readonly pods: readonly FlinkPod[];
  /** Of the object, its Deployment, ReplicaSet and pods, oldest first. */
  readonly events: readonly Pick<KubernetesEvent, 'reason' | 'message' | 'type'>[];
}

const pullFailures = new Set(['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName']);
const configFailures = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);
/** Long texts of quotas and runtimes are cut after this. */
const longest = 400;

/**
 * Why a deployment doesn't run, in one sentence; undefined when nothing shows it. First what can't mend itself, last
 * that nobody has begun: the operator writes nothing at all in several of these cases.
 */
export function explainDeployment({ name, deployment, pods, events }: DeploymentSigns): string | undefined {
  return (
    pods.map(podTrouble).find((each) => each !== undefined) ??
    eventTrouble(events) ??
    (deployment?.error === undefined ? undefined : `the operator says: ${operatorError(deployment.error)}`) ??
    pods.map(restarts).find((each) => each !== undefined) ??
    unschedulable(pods) ??
    untouched(name, deployment, pods)
  );
}

function podTrouble({ name, containers }: FlinkPod): string | undefined {
  for (const { image, waiting } of containers) {
    if (waiting === undefined) continue;
    const message = brief(waiting.message);
    if (pullFailures.has(waiting.reason)) {
      return `the image ${image} can't be pulled (${waiting.reason}${message === '' ? '' : `: ${message}`})`;
    }
    if (configFailures.has(waiting.reason)) {
      return `pod ${name} can't be made (${waiting.reason}${message === '' ? '' : `: ${message}`})`;
    }
  }
  return undefined;
}

/** The latest that names a quota or a volume. */
function eventTrouble(events: DeploymentSigns['events']): string | undefined {
  const quota = events.findLast(({ message }) => message.includes('exceeded quota'));
  if (quota !== undefined) return `no pod can be made: ${brief(after(quota.message, 'forbidden: '))}`;
  const refused = events.findLast(({ reason, message }) => reason === 'FailedCreate' && message.includes('forbidden'));
  if (refused !== undefined) return `no pod can be made: ${brief(after(refused.message, 'forbidden: '))}`;
  const mount = events.findLast(({ reason, message }) => reason === 'FailedMount' && message.includes('not found'));
  return mount === undefined ? undefined : `a volume can't be mounted: ${brief(after(mount.message, ' : '))}`;
}

/** A JobManager that starts again and again: most often its path or its settings. */
function restarts({ name, component, containers }: FlinkPod): string | undefined {
  const again = containers.find((each) => each.restarts > 0);
  if (again === undefined) return undefined;
  const { ended, restarts: times } = again;
  const how =
    ended === undefined
      ? ''
      : ended.reason === 'OOMKilled'
        ? ': it was killed for taking more memory than its limit'
        : `: it ended with exit code ${ended.exitCode}${ended.message === '' ? '' : ` (${brief(ended.message)})`}`;
  const what = component === 'other' ? `pod ${name}` : component === 'jobmanager' ? 'the JobManager' : 'a TaskManager';
  return `${what} has restarted ${times === 1 ? 'once' : `${times} times`}${how}`;
}

function unschedulable(pods: readonly FlinkPod[]): string | undefined {
  const waiting = pods.find((pod) => pod.unschedulable !== undefined);
  return waiting && `no node takes pod ${waiting.name}: ${brief(waiting.unschedulable ?? '')}`;
}

function untouched(name: string, deployment: FlinkDeployment | undefined, pods: readonly FlinkPod[]) {
  if (deployment === undefined || pods.length > 0) return undefined;
  if (deployment.deleting) {
    const waiting = deployment.finalizers.join(', ');
    return `${name} waits for its finalizer ${waiting}: does the operator run?`;
  }
  return deployment.ran || deployment.wanted === 'suspended'
    ? undefined
    : `the operator has not taken up ${name} yet: does it run, and does it watch this namespace?`;
}

/**
 * The operator stores an exception as JSON. Source: `ReconciliationUtils.updateReconciliationMetadata…`,
 * `FlinkResourceException`, operator 1.7.
 */
function operatorError(error: string): string {
  try {
    const parsed = JSON.parse(error) as { message?: unknown; throwableList?: { message?: unknown }[] } | null;
    const inner = parsed?.throwableList?.findLast(({ message }) => typeof message === 'string' && message !== '');
    const said = inner?.message ?? parsed?.message;
    if (typeof said === 'string' && said !== '') return brief(said);
  } catch {
    // Plain text, as before 1.2.
  }
  return brief(error);
}

function after(message: string, mark: string): string {
  const at = message.indexOf(mark);
  return at < 0 ? message : message.slice(at + mark.length);
}

function brief(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
