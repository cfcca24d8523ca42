import { ArgusError, describeError } from '../../domain/errors.ts';
import type { CallOptions, KubernetesApi, KubernetesObject } from '../kubernetes/kubernetes-api.ts';
import { type FlinkPod, highAvailabilityLabels } from './flink-deployment.ts';
import { holdsCheckpoint, judgeHealth } from './flink-health.ts';
import type { FlinkJob, JobHealth } from './flink-jobs.ts';
import { type KubernetesJob, lookAt, type Seen } from './flink-kubernetes-look.ts';
import { type Trouble, troubleOf } from './flink-reasons.ts';
import { rootCause } from './flink-rest-jobs.ts';

const eventKind = { apiVersion: 'v1', kind: 'Event' };
const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' };
/** A restore that finds nothing at its path ends the JobManager, each time anew. Source: `AbstractFsCheckpointStorageAccess`. */
const pathMissing =
  /Cannot find checkpoint or savepoint|Could not find any metadata|_metadata.*(No such file|not exist)/;

/** Why a job of these doesn't run, from all that the cluster tells of it; undefined: nothing shows it. */
export async function explainJob(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  options?: CallOptions,
): Promise<string | undefined> {
  const [seen, events] = await Promise.all([lookAt(kubernetes, job, options), eventsOf(kubernetes, job, options)]);
  return (await diagnose(kubernetes, job, seen, events, options))?.why;
}

/** A deployment's health; `told` is what its REST interface says of the job, undefined where it says nothing. */
export async function deploymentHealth(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  told: FlinkJob | undefined,
  options?: CallOptions,
): Promise<JobHealth> {
  const labels = highAvailabilityLabels(job.deployment);
  const [seen, events, kept] = await Promise.all([
    lookAt(kubernetes, job, options),
    eventsOf(kubernetes, job, options),
    kubernetes.list(configMapKind, { namespace: job.namespace, labels }, options),
  ]);
  const trouble = await diagnose(kubernetes, job, seen, events, options);
  const hasState = kept.some(holdsCheckpoint);
  const { deployment, pods } = seen;
  return judgeHealth({ deployment, pods, trouble, told, hasState, remembers: kept.length > 0 });
}

async function diagnose(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  seen: Seen,
  events: readonly KubernetesObject[],
  options?: CallOptions,
): Promise<Trouble | undefined> {
  // Those of an earlier object of that name are not about this one.
  const since = seen.deployment?.createdAtMs ?? 0;
  const own = events.flatMap((event) => {
    const about = event.involvedObject as { readonly name?: string } | undefined;
    const { reason, message, type } = event as unknown as Record<'reason' | 'message' | 'type', string | undefined>;
    const ours = about?.name === job.deployment || about?.name?.startsWith(`${job.deployment}-`);
    const at = timeOf(event);
    return ours && at >= since ? [{ reason: reason ?? '', message: message ?? '', type: type ?? '', at }] : [];
  });
  const signs = { name: job.deployment, ...seen, events: own.sort((a, b) => a.at - b.at) };
  const trouble = troubleOf(signs);
  const manager = seen.pods.find((pod) => pod.component === 'jobmanager');
  if (trouble === undefined) return manager && (await noWorkers(kubernetes, job, seen.pods, manager, options));
  if (trouble.restarts !== true) return trouble;
  const last = manager?.containers.some((c) => c.restarts > 0)
    ? await lastWords(kubernetes, job, manager, options)
    : undefined;
  const why = last === undefined ? trouble.why : `${trouble.why}: ${last}`;
  return { ...trouble, why, hope: pathMissing.test(why) ? 'none' : trouble.hope };
}

/** Without leave to read them, none: they only say more of what is seen otherwise. */
async function eventsOf(kubernetes: KubernetesApi, { namespace }: KubernetesJob, options?: CallOptions) {
  try {
    return await kubernetes.list(eventKind, { namespace }, options);
  } catch (error) {
    if (error instanceof ArgusError && error.code === 'KubernetesForbidden') return [];
    throw error;
  }
}

/** What the JobManager wrote before it ended: the operator tells nothing of it. */
async function lastWords(
  kubernetes: KubernetesApi,
  { namespace }: KubernetesJob,
  pod: FlinkPod,
  options?: CallOptions,
): Promise<string | undefined> {
  const container = pod.containers.find((each) => each.restarts > 0)?.name;
  try {
    const from = { namespace, name: pod.name, ...(container === undefined ? {} : { container }) };
    const text = await kubernetes.logs(from, { ...options, previous: true });
    const cause = text.split('\n').findLast((line) => /^(Caused by: )?[\w.$]+(Exception|Error)\b/.test(line.trim()));
    return cause === undefined ? undefined : rootCause(cause);
  } catch (error) {
    options?.signal?.throwIfAborted();
    // The reason without its details is better than none.
    return `its log can't be read (${describeError(error)})`;
  }
}

/**
 * Why there is no TaskManager beside a JobManager that is up: in Flink's native mode it asks for those pods itself, and
 * only its log says what became of that.
 */
async function noWorkers(
  kubernetes: KubernetesApi,
  { namespace }: KubernetesJob,
  pods: readonly FlinkPod[],
  manager: FlinkPod,
  options?: CallOptions,
): Promise<Trouble | undefined> {
  if (manager.phase !== 'Running' || pods.some(({ component }) => component === 'taskmanager')) return undefined;
  try {
    const container = manager.containers[0]?.name;
    const from = { namespace, name: manager.name, ...(container === undefined ? {} : { container }) };
    const text = await kubernetes.logs(from, options);
    const said = text
      .split('\n')
      .flatMap((line) => /is forbidden: (.*?)(?:\. Received status|$)/.exec(line)?.[1] ?? []);
    const last = said.at(-1);
    return last === undefined
      ? undefined
      : { why: `no TaskManager can be made: ${last.slice(0, 400)}`, hope: 'little' };
  } catch {
    options?.signal?.throwIfAborted();
    // Without its log nothing is known against it.
    return undefined;
  }
}

function timeOf(event: KubernetesObject): number {
  const { lastTimestamp, eventTime, firstTimestamp } = event as unknown as Record<string, string | null | undefined>;
  const at = Date.parse(lastTimestamp ?? eventTime ?? firstTimestamp ?? '');
  return Number.isNaN(at) ? 0 : at;
}
