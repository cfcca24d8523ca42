import type { KubernetesTransport } from '../../regions/kubernetes/kubernetes-requests.ts';
import { serviceProxy } from '../../regions/kubernetes/service-proxy.ts';
import { clusterJob } from '../cluster-job/job-objects.ts';
import type { AskFlink } from '../components/flink-job.ts';

const requestMs = 10_000;

/** Asks the REST interface of a FlinkDeployment, through the region's API server. */
export function askThroughApi(transport: KubernetesTransport, deployment: string): AskFlink {
  const { namespace } = clusterJob;
  const send = serviceProxy(transport, { namespace, service: `${deployment}-rest`, port: 'rest' }, requestMs);
  return async (path, signal = AbortSignal.timeout(requestMs)) => {
    const answer = await send(path, { signal });
    const text = await answer.text();
    if (answer.status >= 400) throw new Error(`Flink refused ${path}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
}
