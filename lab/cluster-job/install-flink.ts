import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import type { ClusterRegion } from '../cluster/cluster-region.ts';
import type { StartedComponent } from '../components/process.ts';
import { applyCrds, flinkCrds } from '../kubernetes/flink-crds.ts';
import { startFlinkOperator } from '../operator/start-flink-operator.ts';
import type { SetupEvent } from '../setup/part.ts';
import { clusterDrills, drillSurroundings } from './drill-objects.ts';
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
  /** Present: drills have a namespace of their own, whose jobs get these keys to the bucket. */
  readonly drills?: ClusterJobPlace['objects'];
  readonly signal: AbortSignal;
}

/**
 * Gives a region with pods what a FlinkDeployment needs: the operator's definitions, the job's surroundings, and the
 * operator on its node, which looks after the job's namespace. Resolves with the operator, when it is at work.
 */
export async function installFlink(region: ClusterRegion, options: InstallFlinkOptions): Promise<StartedComponent> {
  const { signal, progress, drills } = options;
  const transport = await clientNodeTransport(region.name, { kind: 'kubeconfig', files: [region.kubeconfig] });
  const api = kubernetesClient(transport);
  try {
    await applyCrds(api, await flinkCrds(signal, progress), signal);
    const objects = [...jobSurroundings(options.objects), ...(drills ? drillSurroundings(drills) : [])];
    for (const object of objects) await api.apply(object, { signal });
  } finally {
    await api.close();
  }
  return startOperatorOf(region, { ...options, namespaces: drills ? [clusterDrills.namespace] : [] });
}

/** Starts the operator on a region's node that has its definitions; also again, when it was ended. */
export function startOperatorOf(
  region: ClusterRegion,
  options: OperatorOptions & {
    /** Whose FlinkDeployments it looks after beside those of the job's namespace. */
    readonly namespaces: readonly string[];
  },
): Promise<StartedComponent> {
  const { signal, progress } = options;
  return startFlinkOperator({
    lab: { id: options.labId, dir: region.dir },
    component: `${region.name}/operator`,
    kubeconfig: region.kubeconfig,
    java: options.java,
    namespaces: [clusterJob.namespace, ...options.namespaces],
    onNode: region.onNode,
    ...(signal && { signal }),
    ...(progress && { progress }),
  });
}
