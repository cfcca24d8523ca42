import { ArgusError } from '../../domain/errors.ts';
import type { FlinkDeployment, FlinkPod } from './flink-deployment.ts';
import type { FlinkCheckpoints } from './flink-jobs.ts';

/** What is known before a job is started. */
export interface StartSituation {
  readonly name: string;
  /** Undefined: there is no object of that name. */
  readonly deployment: FlinkDeployment | undefined;
  readonly pods: readonly Pick<FlinkPod, 'name'>[];
  /** ConfigMaps of its high availability. */
  readonly leftovers: readonly string[];
  /** One of them names a checkpoint. */
  readonly leftoversHoldState: boolean;
  /** Whether the installed definition has `spec.job.savepointRedeployNonce`. */
  readonly hasRedeployNonce: boolean;
}

/** How a deployment comes to restore exactly the given path. */
export type StartRoute =
  | { readonly kind: 'create' }
  /** It was made suspended and has never run: it takes the path. */
  | { readonly kind: 'apply' }
  /** With a changed nonce the operator takes the path, whatever state the job has of its own. */
  | { readonly kind: 'redeploy'; readonly nonce: number }
  /** Deleted, waited for, created anew. */
  | { readonly kind: 'replace'; readonly because: string }
  /** Deleted: what high availability left without any checkpoint, as after a job that never came up. */
  | { readonly kind: 'clear'; readonly leftovers: readonly string[] }
  | { readonly kind: 'wait'; readonly waitingFor: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly hint: string };

const ended = new Set(['FAILED', 'CANCELED', 'FINISHED']);

/**
 * The route on which the operator really restores the path. Everywhere else it starts from the job's own state, or
 * empty, says nothing, and shows our path in its status all the same. Seen with operator 1.7.0 and Flink 1.20.5:
 *
 * | there is                            | with path and `state: running`           | so                     |
 * | ----------------------------------- | ---------------------------------------- | ---------------------- |
 * | nothing                             | restores it                              | create                 |
 * | an object that has never run        | restores it                              | apply                  |
 * | a suspended one, last-state         | restores its own checkpoint              | replace, or the nonce  |
 * | a suspended one, savepoint          | restores its own savepoint               | replace, or the nonce  |
 * | a suspended one, stateless          | starts empty                             | replace, or the nonce  |
 * | a running one                       | goes on as it is                         | refused                |
 *
 * The nonce is of later operators; what it does there is their documentation's word.
 */
export function decideStartRoute(situation: StartSituation): StartRoute {
  const { name, deployment, pods, leftovers, hasRedeployNonce } = situation;
  if (deployment === undefined) {
    if (pods.length > 0) return waitForPods(name, pods);
    if (leftovers.length === 0) return { kind: 'create' };
    if (!situation.leftoversHoldState) return { kind: 'clear', leftovers };
    return {
      kind: 'refused',
      code: 'FlinkLeftovers',
      message: `${leftovers.join(', ')} of an earlier ${name} are still there: a new one would restore from them`,
      hint: `see that no ${name} runs, then: kubectl delete configmap ${leftovers.join(' ')}`,
    };
  }
  if (deployment.deleting) return { kind: 'wait', waitingFor: `the FlinkDeployment ${name} is being deleted` };
  if (deployment.wanted === 'running') {
    const { jobState = 'not known', jobId = 'not known' } = deployment;
    if (ended.has(jobState)) return { kind: 'replace', because: `its job is ${jobState}` };
    return {
      kind: 'refused',
      code: 'FlinkRefused',
      message: `the FlinkDeployment ${name} is running already (job ${jobId}, ${jobState}): a path would be ignored`,
      hint: 'stop it first; two jobs would write the same output',
    };
  }
  if (!deployment.ran) {
    if (leftovers.length > 0) return { kind: 'replace', because: 'state of an earlier one is there' };
    return pods.length > 0 ? waitForPods(name, pods) : { kind: 'apply' };
  }
  if (hasRedeployNonce) return { kind: 'redeploy', nonce: (deployment.redeployNonce ?? 0) + 1 };
  return { kind: 'replace', because: 'it has run before and would restore its own state' };
}

function waitForPods(name: string, pods: readonly Pick<FlinkPod, 'name'>[]): StartRoute {
  return {
    kind: 'wait',
    waitingFor: `pods of an earlier ${name} are still there: ${pods.map((pod) => pod.name).join(', ')}`,
  };
}

/**
 * What a job was restored from, when that isn't the path that was asked for; undefined when all is well. A job that has
 * checkpoints of its own restores from those after a failure: their path holds its id.
 */
export function restoredElsewhere(
  wanted: string | undefined,
  jobId: string,
  restored: { readonly path: string } | undefined,
): string | undefined {
  if (wanted === undefined) return undefined;
  if (restored === undefined) return 'nothing: it started empty';
  if (plain(restored.path) === plain(wanted) || restored.path.includes(`/${jobId}/`)) return undefined;
  return restored.path;
}

/** `RestoredElsewhere` when a job's checkpoints tell so. `flinkId`: the job's id in Flink, where that is another. */
export function refuseRestoredElsewhere(
  told: Pick<FlinkCheckpoints, 'restored' | 'completedCount'>,
  job: { readonly jobId: string; readonly flinkId: string; readonly wanted: string | undefined },
): void {
  const { jobId, flinkId, wanted } = job;
  const elsewhere = restoredElsewhere(wanted, flinkId, told.restored);
  // Before it has completed anything it may still be about to restore.
  if (elsewhere === undefined || (told.restored === undefined && told.completedCount === 0)) return;
  throw new ArgusError('RestoredElsewhere', `job ${jobId} was to restore ${wanted} and restored ${elsewhere}`, {
    hint: 'stop it: the operator took its own state in place of the path; what it writes does not follow from the recovery point',
  });
}

const plain = (path: string): string => path.replace(/\/*(\/_?metadata)?\/*$/, '');
