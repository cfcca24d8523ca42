import { sessionJobsOf } from './flink-session-job.ts';
import type { KubernetesSessionJob, SessionSeen } from './flink-session-look.ts';

/** What is known before a session job is started. */
export interface SessionSituation extends Pick<SessionSeen, 'job' | 'cluster' | 'isApplication' | 'pods' | 'told'> {
  readonly place: Pick<KubernetesSessionJob, 'name' | 'namespace' | 'deployment' | 'sessionJob'>;
  readonly clusterInManifest: boolean;
}

/** How a session job comes to restore exactly the given path. */
export type SessionRoute =
  | {
      /** `apply`: it was made suspended and has never run: it takes the path. */
      readonly kind: 'create' | 'apply';
      /** Its session cluster isn't there. */
      readonly makeCluster: boolean;
    }
  /** Deleted, waited for, created anew. */
  | { readonly kind: 'replace'; readonly because: string }
  | { readonly kind: 'wait'; readonly waitingFor: string }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly hint: string;
      /** Nothing that a failover does changes it. */
      readonly always: boolean;
    };

const ended = new Set(['FAILED', 'CANCELED', 'FINISHED']);

/**
 * The route on which the operator really restores the path, by its sources (1.7.0, `AbstractFlinkResourceReconciler`,
 * `AbstractJobReconciler`): only the first deployment of an object takes it; a change of it alone changes nothing; a
 * suspended one resumes from its own savepoint, or empty. Pure.
 */
export function decideSessionRoute(situation: SessionSituation): SessionRoute {
  const { place, job, cluster, isApplication } = situation;
  const clusterName = `${place.namespace}/${place.deployment}`;
  if (cluster === undefined && !situation.clusterInManifest) {
    const hint = 'apply the FlinkDeployment of the session cluster, or bring it along in the manifest';
    return refused('SessionClusterMissing', `the session cluster ${clusterName} is not there`, hint, true);
  }
  if (cluster !== undefined && isApplication) {
    const message = `the FlinkDeployment ${clusterName} has a job of its own: it takes no session job`;
    return refused('NotASessionCluster', message, 'correct jobs[].kubernetes: deployment, or sessionJob', true);
  }
  if (cluster?.deleting) return { kind: 'wait', waitingFor: `the session cluster ${clusterName} is being deleted` };
  const makeCluster = cluster === undefined;
  if (job === undefined) {
    if (situation.told !== undefined) return unlessStray(situation, makeCluster);
    // Whether a job of it goes on there nobody tells yet, nor could another be submitted.
    if (situation.pods.length > 0) return { kind: 'wait', waitingFor: `${clusterName} does not answer` };
    return { kind: 'create', makeCluster };
  }
  const name = `the FlinkSessionJob ${place.sessionJob}`;
  if (job.deleting) return { kind: 'wait', waitingFor: `${name} is being deleted` };
  if (job.wanted === 'running') {
    const state = ownState(situation) ?? job.jobState ?? 'not known';
    if (ended.has(state)) return { kind: 'replace', because: `its job is ${state}` };
    const message = `${name} is running already (job ${job.jobId ?? 'not known'}, ${state}): a path would be ignored`;
    return refused('FlinkRefused', message, 'stop it first; two jobs would write the same output', false);
  }
  if (job.ran) return { kind: 'replace', because: 'it has run before and would restore its own state' };
  return { kind: 'apply', makeCluster };
}

/** Flink's own word for the object's job, which the operator's follows after a while. */
function ownState({ place, job, pods, told }: SessionSituation): string | undefined {
  const found = told && sessionJobsOf(place.name, { job, pods, told, before: new Set() });
  return found === undefined || found === 'unknown' ? undefined : found[0]?.job.state;
}

/** A job of that name may go on without its object. */
function unlessStray({ place, job, pods, told }: SessionSituation, makeCluster: boolean): SessionRoute {
  const strays = sessionJobsOf(place.name, { job, pods, told, before: new Set() });
  const [stray] = strays === 'unknown' ? [] : strays;
  if (stray === undefined) return { kind: 'create', makeCluster };
  const what = `a job called ${place.name} (${stray.job.id}) is ${stray.job.state} in ${place.namespace}/${place.deployment}`;
  if (stray.job.state === 'CANCELLING') return { kind: 'wait', waitingFor: what };
  const hint = 'cancel it there first; two jobs would write the same output';
  return refused('FlinkRefused', `${what}, and belongs to no FlinkSessionJob ${place.sessionJob}`, hint, false);
}

function refused(code: string, message: string, hint: string, always: boolean): SessionRoute {
  return { kind: 'refused', code, message, hint, always };
}
