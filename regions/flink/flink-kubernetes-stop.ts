import type { CallOptions, KubernetesApi } from '../kubernetes/kubernetes-api.ts';
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

/**
 * Ends what is left of a job without the operator: its Deployment, its pods at once, then the object's finalizers. Gives
 * what was done, in words. A pod of a node that doesn't answer is only forgotten by this: its processes may go on.
 */
export async function forceDeployment(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  call: CallOptions,
): Promise<readonly string[]> {
  const { namespace, deployment: name } = job;
  const { deployment } = await lookAt(kubernetes, job, call);
  const done: string[] = [];
  if (deployment !== undefined && !deployment.deleting) {
    await kubernetes.delete(deploymentRef(job), { ...call, uid: deployment.uid });
    done.push(`deleted the FlinkDeployment ${name}`);
  }
  // Else it would make new pods.
  if ((await kubernetes.delete({ ...deploymentKind, namespace, name }, call)) === 'asked') {
    done.push(`deleted its Deployment`);
  }
  for (const pod of (await lookAt(kubernetes, job, call)).pods) {
    await kubernetes.delete({ ...podKind, namespace, name: pod.name }, { ...call, graceSeconds: 0, uid: pod.uid });
    done.push(`killed pod ${pod.name}${pod.node === undefined ? '' : ` on ${pod.node}`}`);
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
  return done;
}
