import type { KubernetesEvent } from '../kubernetes/kubernetes-api.ts';
import type { FlinkDeployment, FlinkPod } from './flink-deployment.ts';

/** What is there to explain a deployment that doesn't run. */
export interface DeploymentSigns {
  readonly name: string;
  readonly deployment: FlinkDeployment | undefined;
  readonly pods: readonly FlinkPod[];
  /** Of the object, its Deployment, ReplicaSet and pods, since it was made, oldest first. */
  readonly events: readonly Pick<KubernetesEvent, 'reason' | 'message' | 'type'>[];
}

/** What stands against a deployment. */
export interface Trouble {
  /** In one sentence. */
  readonly why: string;
  /**
   * `none`: it will not run as it is. `little`: it passes only when somebody mends it, or in a moment. `time`: it may
   * pass by itself, as when a cluster adds a node.
   */
  readonly hope: 'none' | 'little' | 'time';
  /** The operator has done nothing about the object yet: to make it anew would mend nothing. */
  readonly untouched?: true;
  /** It is about containers that were started again: no trouble any more once the job runs. */
  readonly restarts?: true;
}

const pullFailures = new Set(['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName']);
const hopelessPulls = new Set(['ErrImageNeverPull', 'InvalidImageName']);
const configFailures = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);
/** Long texts of quotas and runtimes are cut after this. */
const longest = 400;

/**
 * Why a deployment doesn't run; undefined when nothing shows it. First what can't mend itself, last that nobody has
 * begun: the operator writes nothing at all in several of these cases. Pure.
 */
export function troubleOf({ name, deployment, pods, events }: DeploymentSigns): Trouble | undefined {
  return (
    pods.map(podTrouble).find((each) => each !== undefined) ??
    little(eventTrouble(events, pods)) ??
    little(deployment?.error === undefined ? undefined : `the operator says: ${operatorError(deployment.error)}`) ??
    pods.map(restarts).find((each) => each !== undefined) ??
    unschedulable(pods) ??
    untouched(name, deployment, pods)
  );
}

const little = (why: string | undefined): Trouble | undefined =>
  why === undefined ? undefined : { why, hope: 'little' };

function podTrouble({ name, containers }: FlinkPod): Trouble | undefined {
  for (const { image, waiting } of containers) {
    if (waiting === undefined) continue;
    const message = brief(waiting.message);
    const details = `(${waiting.reason}${message === '' ? '' : `: ${message}`})`;
    if (pullFailures.has(waiting.reason)) {
      const hope = hopelessPulls.has(waiting.reason) ? 'none' : 'little';
      return { why: `the image ${image} can't be pulled ${details}`, hope };
    }
    if (configFailures.has(waiting.reason)) return { why: `pod ${name} can't be made ${details}`, hope: 'little' };
  }
  return undefined;
}

/** The latest that names a quota or a volume. What was refused before there were pods has passed. */
function eventTrouble(events: DeploymentSigns['events'], pods: readonly FlinkPod[]): string | undefined {
  const waiting = pods.some(({ phase }) => phase === 'Pending');
  if (pods.length > 0 && !waiting) return undefined;
  const mount = events.findLast(({ reason, message }) => reason === 'FailedMount' && message.includes('not found'));
  if (pods.length > 0) return mount && `a volume can't be mounted: ${brief(after(mount.message, ' : '))}`;
  const quota = events.findLast(({ message }) => message.includes('exceeded quota'));
  if (quota !== undefined) return `no pod can be made: ${brief(after(quota.message, 'forbidden: '))}`;
  const refused = events.findLast(({ reason, message }) => reason === 'FailedCreate' && message.includes('forbidden'));
  return refused && `no pod can be made: ${brief(after(refused.message, 'forbidden: '))}`;
}

/** A JobManager that starts again and again: most often its path or its settings. */
function restarts({ name, component, containers }: FlinkPod): Trouble | undefined {
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
  const why = `${what} has restarted ${times === 1 ? 'once' : `${times} times`}${how}`;
  return { why, hope: 'little', restarts: true };
}

function unschedulable(pods: readonly FlinkPod[]): Trouble | undefined {
  const waiting = pods.find((pod) => pod.unschedulable !== undefined);
  return waiting && { why: `no node takes pod ${waiting.name}: ${brief(waiting.unschedulable ?? '')}`, hope: 'time' };
}

function untouched(
  name: string,
  deployment: FlinkDeployment | undefined,
  pods: readonly FlinkPod[],
): Trouble | undefined {
  if (deployment === undefined || pods.length > 0) return undefined;
  if (deployment.deleting) {
    const waiting = deployment.finalizers.join(', ');
    const why = `${name} waits for its finalizer ${waiting}: does the operator run?`;
    return { why, hope: 'little', untouched: true };
  }
  if (deployment.ran || deployment.wanted === 'suspended') return undefined;
  const why = `the operator has not taken up ${name} yet: does it run, and does it watch this namespace?`;
  return { why, hope: 'little', untouched: true };
}

/**
 * The operator's complaint in one line: it stores an exception as JSON. Source: `FlinkResourceException`,
 * `ReconciliationUtils.updateReconciliationMetadata…`, operator 1.7.
 */
export function operatorError(error: string): string {
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

/** In one line, long texts cut. */
export function brief(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
