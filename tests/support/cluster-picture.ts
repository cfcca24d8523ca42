import { clusterDrills } from '../../lab/cluster-job/drill-objects.ts';
import { clusterJob } from '../../lab/cluster-job/job-objects.ts';
import { clusterPlaceOf } from '../../lab/cluster-lab/places.ts';
import type { LabInfo, RegionName } from '../../lab/lab-info.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';

const flinkSessionJobKind = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkSessionJob' };
const looked = [
  flinkDeploymentKind,
  flinkSessionJobKind,
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  ...['Pod', 'Service', 'ConfigMap', 'Secret', 'ServiceAccount', 'ResourceQuota'].map((kind) => ({
    apiVersion: 'v1',
    kind,
  })),
];

interface PodStatus {
  readonly containerStatuses?: readonly { readonly restartCount: number }[];
}

/**
 * What a region with pods has in production's namespace and in that of drills, a line an object: which one it is (a new one
 * of the same name has another uid), how often what is wanted of it was changed, and how often a pod's containers began
 * anew. What its own controllers note in it all the time is left out.
 */
export async function pictureOfCluster(
  info: LabInfo,
  region: RegionName,
): Promise<readonly (readonly [string, string])[]> {
  const { kubeconfig } = clusterPlaceOf(info, region);
  const api = kubernetesClient(await clientNodeTransport(region, { kind: 'kubeconfig', files: [kubeconfig] }));
  try {
    const lines = [clusterJob.namespace, clusterDrills.namespace].flatMap((namespace) =>
      looked.map(async (kind) =>
        (await api.list(kind, { namespace })).map((object) => {
          const what = `${region} ${kind.kind} ${namespace}/${object.metadata.name}`;
          return [what, stateOf(object)] as const;
        }),
      ),
    );
    return (await Promise.all(lines)).flat();
  } finally {
    await api.close();
  }
}

function stateOf({ metadata, status }: KubernetesObject): string {
  const restarts = (status as PodStatus | undefined)?.containerStatuses?.map(({ restartCount }) => restartCount);
  const ending = metadata.deletionTimestamp === undefined ? '' : ', ending';
  return `uid ${metadata.uid}, generation ${metadata.generation}, restarts ${restarts?.join(' ')}${ending}`;
}
