import type { CallOptions, KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import type { ForcedStop } from './flink-jobs.ts';
import { deploymentRef, type KubernetesJob, lookAt } from './flink-kubernetes-look.ts';

const podKind = { apiVersion: 'v1', kind: 'Pod' };
const deploymentKind = { apiVersion: 'apps/v1', kind: 'Deployment' };

/** Asks for the end of a job; what is left of it is observed. */
export async function stopDeployment(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  how: 'delete' | 'suspend',
  call: CallOptions,
): Promise<void> {
  const { deployment } = await lookAt(kubernetes, job, call);
  if (deployment === undefined || deployment.deleting) return;
  if (how === 'delete') await kubernetes.delete(deploymentRef(job), { ...call, uid: deployment.uid });
  else if (deployment.wanted === 'running') {
    const { resourceVersion } = deployment;
    const change = { metadata: { resourceVersion }, spec: { job: { state: 'suspended' } } };
    await kubernetes.patch(deploymentRef(job), change, call);
  }
}

/** What a pod gets to end by itself; its node kills it then, and confirms that. */
const graceSeconds = 5;

/**
 * Ends what is left of a job without the operator: its Deployment, its pods, then the object's finalizers. A pod that
 * was told to end before and didn't, since its node doesn't answer, may go on: it stays, unless it is to be given up.
 */
export async function forceDeployment(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  { giveUp = false, ...call }: CallOptions & { readonly giveUp?: boolean },
): Promise<ForcedStop> {
  const { namespace, deployment: name } = job;
  const { deployment } = await lookAt(kubernetes, job, call);
  const done: string[] = [];
  const unproven: string[] = [];
  if (deployment !== undefined && !deployment.deleting) {
    await kubernetes.delete(deploymentRef(job), { ...call, uid: deployment.uid });
    done.push(`asked for the end of the FlinkDeployment ${name}`);
  }
  // Else it would make new pods.
  if ((await kubernetes.delete({ ...deploymentKind, namespace, name }, call)) === 'asked') {
    done.push(`asked for the end of its Deployment`);
  }
  for (const pod of (await lookAt(kubernetes, job, call)).pods) {
    const where = `pod ${pod.name}${pod.node === undefined ? '' : ` on ${pod.node}`}`;
    if (pod.deleting) unproven.push(where);
    if (pod.deleting && !giveUp) continue;
    const grace = pod.deleting ? 0 : graceSeconds;
    await kubernetes.delete({ ...podKind, namespace, name: pod.name }, { ...call, graceSeconds: grace, uid: pod.uid });
    done.push(pod.deleting ? `gave up ${where}, which was told to end and has not` : `told ${where} to end`);
  }
  const { deployment: left } = await lookAt(kubernetes, job, call);
  if (left?.deleting === true && left.finalizers.length > 0) {
    await kubernetes.patch(
      deploymentRef(job),
      { metadata: { finalizers: null, resourceVersion: left.resourceVersion } },
      call,
    );
    done.push(`took its finalizers away (${left.finalizers.join(', ')})`);
  }
  return { done, unproven };
}
