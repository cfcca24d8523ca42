import type { Config, RegionConfig } from '../domain/config.ts';
import type { FlinkJobs } from '../regions/flink/flink-jobs.ts';
import type { KubernetesJob } from '../regions/flink/flink-kubernetes-look.ts';
import type { KubernetesApi } from '../regions/kubernetes/kubernetes-api.ts';
import type { KubernetesTransport } from '../regions/kubernetes/kubernetes-requests.ts';
import { pathFrom } from './config/load.ts';

/** A region's API server: for objects, and for services behind it. */
export interface OpenKubernetes {
  readonly client: KubernetesApi;
  readonly transport: KubernetesTransport;
}

interface FlinkParts {
  readonly name: string;
  readonly flink: RegionConfig['flink'];
  readonly kubernetes: OpenKubernetes | undefined;
  readonly jobs: Config['jobs'];
  /** Where relative paths start. */
  readonly folder: string;
}

/** A region's Flink: a session cluster by its REST interface, or a FlinkDeployment for each job. */
export async function openFlink({ name, flink, kubernetes, jobs, folder }: FlinkParts): Promise<FlinkJobs> {
  const { flinkRestJobs } = await import('../regions/flink/flink-rest-jobs.ts');
  if (flink.kubernetes === undefined || kubernetes === undefined) {
    return flinkRestJobs({ region: name, url: flink.rest ?? '' });
  }
  const { stop, rest } = flink.kubernetes;
  const [{ flinkKubernetesJobs }, { serviceProxy }] = await Promise.all([
    import('../regions/flink/flink-kubernetes-jobs.ts'),
    import('../regions/kubernetes/service-proxy.ts'),
  ]);
  return flinkKubernetesJobs({
    region: name,
    kubernetes: kubernetes.client,
    stop,
    jobs: kubernetesJobs(jobs, name, folder),
    rest({ namespace, deployment }) {
      if (rest !== undefined) {
        const url = rest.replaceAll('{namespace}', namespace).replaceAll('{deployment}', deployment);
        return flinkRestJobs({ region: name, url });
      }
      const service = { namespace, service: `${deployment}-rest`, port: 'rest' };
      return flinkRestJobs({ region: name, url: '', fetch: serviceProxy(kubernetes.transport, service) });
    },
  });
}

/** The deployments of these jobs in a region, by the configuration; relative paths start at `folder`. */
export function kubernetesJobs(
  jobs: readonly Config['jobs'][number][],
  region: string,
  folder: string,
): readonly KubernetesJob[] {
  return jobs.flatMap((job) => {
    const place = job.kubernetes?.[region];
    if (place === undefined) return [];
    const { namespace, deployment, manifest, restorePath } = place;
    const source =
      typeof manifest === 'string'
        ? ({ kind: 'path', path: pathFrom(folder, manifest) } as const)
        : manifest && ({ kind: 'config-map', ...manifest } as const);
    return [{ name: job.name, namespace, deployment, manifest: source, restorePath }];
  });
}
