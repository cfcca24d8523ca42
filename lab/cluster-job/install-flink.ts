import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import type { ClusterRegion } from '../cluster/cluster-region.ts';
import type { StartedComponent } from '../components/process.ts';
import { applyCrds, flinkCrds } from '../kubernetes/flink-crds.ts';
import { startFlinkOperator } from '../operator/start-flink-operator.ts';
import type { SetupEvent } from '../setup/part.ts';
import { type ClusterJobPlace, clusterJob, jobSurroundings } from './job-objects.ts';

export interface OperatorOptions {
  readonly labId: string;
  readonly java: string;
  readonly signal?: AbortSignal;
  readonly progress?: (event: SetupEvent) => void;
}

export interface InstallFlinkOptions extends OperatorOptions {
  /** The bucket whose keys the job gets. */
  readonly objects: ClusterJobPlace['objects'];
  readonly signal: AbortSignal;
}

/**
 * Gives a region with pods what a FlinkDeployment needs: the operator's definitions, the job's surroundings, and the
 * operator on its node, which looks after the job's namespace. Resolves with the operator, when it is at work.
 */
export async function installFlink(region: ClusterRegion, options: InstallFlinkOptions): Promise<StartedComponent> {
  const { signal, progress } = options;
  const transport = await clientNodeTransport(region.name, { kind: 'kubeconfig', files: [region.kubeconfig] });
  const api = kubernetesClient(transport);
  try {
    await applyCrds(api, await flinkCrds(signal, progress), signal);
    for (const object of jobSurroundings(options.objects)) await api.apply(object, { signal });
  } finally {
    await api.close();
  }
  return startOperatorOf(region, options);
}

/** Starts the operator on a region's node that has its definitions; also again, when it was ended. */
export function startOperatorOf(region: ClusterRegion, options: OperatorOptions): Promise<StartedComponent> {
  const { signal, progress } = options;
  return startFlinkOperator({
    lab: { id: options.labId, dir: region.dir },
    component: `${region.name}/operator`,
    kubeconfig: region.kubeconfig,
    java: options.java,
    namespaces: [clusterJob.namespace],
    onNode: region.onNode,
    ...(signal && { signal }),
    ...(progress && { progress }),
  });
}
