import type { Config, RegionConfig } from '../domain/config.ts';
import { ArgusError } from '../domain/errors.ts';
import type { FlinkJobs } from '../regions/flink/flink-jobs.ts';
import type { DrillFlink } from '../regions/flink/flink-kubernetes-drills.ts';
import type { KubernetesJob } from '../regions/flink/flink-kubernetes-look.ts';
import type { KubernetesSessionJob } from '../regions/flink/flink-session-look.ts';
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

/** Whether drills' jobs are FlinkDeployments in a region: the operator's, where drills have no session cluster. */
export function drillsInDeployments(name: string, { drill, regions, jobs }: Config): boolean {
  const ofOperator = drill.regions[name]?.flink === undefined && regions[name]?.flink.kubernetes !== undefined;
  return ofOperator && jobs.some((job) => job.drill?.kubernetes?.[name] !== undefined);
}

/**
 * A region's Flink as its drills use it, with their jobs: the session cluster that is set aside for them, the region's
 * own, or FlinkDeployments in namespaces for drills.
 */
export async function openDrillFlink(
  name: string,
  config: Config,
  kubernetes: OpenKubernetes | undefined,
): Promise<DrillFlink> {
  const { drill, regions, jobs } = config;
  const flink = regions[name]?.flink;
  if (drillsInDeployments(name, config) && kubernetes !== undefined) {
    const { flinkKubernetesDrills } = await import('../regions/flink/flink-kubernetes-drills.ts');
    const namespaces = [...new Set(jobs.flatMap((job) => job.drill?.kubernetes?.[name]?.namespace ?? []))];
    const rest = await openRest(name, flink?.kubernetes?.rest, kubernetes);
    return flinkKubernetesDrills({ region: name, kubernetes: kubernetes.client, namespaces, rest });
  }
  const { flinkRestJobs } = await import('../regions/flink/flink-rest-jobs.ts');
  const rest = drill.regions[name]?.flink?.rest ?? flink?.rest;
  if (rest !== undefined) return flinkRestJobs({ region: name, url: rest });
  throw noDrillFlink(name);
}

/** No drill can take place in a region. */
export const noDrillFlink = (name: string): ArgusError =>
  new ArgusError('NoDrillFlink', `drills have no Flink in ${name}: its jobs are the Flink operator's`, {
    hint: `give a manifest for drills, jobs[].drill.kubernetes.${name}, or a session cluster: drill.regions.${name}.flink.rest`,
    exitCode: 3,
  });

/** A Flink that is opened when it is asked. */
export function laterFlink(open: () => Promise<FlinkJobs>): Pick<FlinkJobs, 'list' | 'cancel'> {
  return {
    list: async (call) => (await open()).list(call),
    cancel: async (id, call) => (await open()).cancel(id, call),
  };
}

/** A region's Flink: a session cluster by its REST interface, or objects of the Flink operator for each job. */
export async function openFlink(parts: FlinkParts): Promise<FlinkJobs> {
  const { withoutDrills } = await import('../regions/flink/without-drills.ts');
  return withoutDrills(await openWithDrills(parts));
}

async function openWithDrills({ name, flink, kubernetes, jobs, folder }: FlinkParts): Promise<FlinkJobs> {
  const { flinkRestJobs } = await import('../regions/flink/flink-rest-jobs.ts');
  if (flink.kubernetes === undefined || kubernetes === undefined) {
    return flinkRestJobs({ region: name, url: flink.rest ?? '' });
  }
  const { stop } = flink.kubernetes;
  const [{ flinkKubernetesJobs }, { flinkSessionJobs }, { joinedFlinkJobs }] = await Promise.all([
    import('../regions/flink/flink-kubernetes-jobs.ts'),
    import('../regions/flink/flink-session-jobs.ts'),
    import('../regions/flink/joined-flink-jobs.ts'),
  ]);
  const deployments = kubernetesJobs(jobs, name, folder);
  const sessions = kubernetesSessionJobs(jobs, name, folder);
  const options = {
    region: name,
    kubernetes: kubernetes.client,
    stop,
    rest: await openRest(name, flink.kubernetes.rest, kubernetes),
  };
  const parts = [
    { flink: flinkKubernetesJobs({ ...options, jobs: deployments }), jobs: deployments.map((job) => job.name) },
    { flink: flinkSessionJobs({ ...options, jobs: sessions }), jobs: sessions.map((job) => job.name) },
  ];
  const used = parts.filter((part) => part.jobs.length > 0);
  return joinedFlinkJobs(used.length > 0 ? used : parts.slice(0, 1));
}

/** The REST interfaces of deployments: by the URLs of a pattern, else through the API server. */
async function openRest(region: string, pattern: string | undefined, { transport }: OpenKubernetes) {
  const [{ flinkRestJobs }, { serviceProxy }] = await Promise.all([
    import('../regions/flink/flink-rest-jobs.ts'),
    import('../regions/kubernetes/service-proxy.ts'),
  ]);
  return ({ namespace, deployment }: KubernetesJob) => {
    if (pattern !== undefined) {
      const url = pattern.replaceAll('{namespace}', namespace).replaceAll('{deployment}', deployment);
      return flinkRestJobs({ region, url });
    }
    const service = { namespace, service: `${deployment}-rest`, port: 'rest' };
    return flinkRestJobs({ region, url: '', fetch: serviceProxy(transport, service) });
  };
}

/** Those of these jobs that have a deployment of their own in a region; relative paths start at `folder`. */
export function kubernetesJobs(
  jobs: readonly Config['jobs'][number][],
  region: string,
  folder: string,
): readonly KubernetesJob[] {
  return jobs.flatMap((job) => {
    const place = job.kubernetes?.[region];
    return place === undefined || place.sessionJob !== undefined ? [] : [placeOf(job.name, place, folder)];
  });
}

/** Those of these jobs that run in a session cluster of the operator in a region. */
export function kubernetesSessionJobs(
  jobs: readonly Config['jobs'][number][],
  region: string,
  folder: string,
): readonly KubernetesSessionJob[] {
  return jobs.flatMap((job) => {
    const place = job.kubernetes?.[region];
    if (place?.sessionJob === undefined) return [];
    return [{ ...placeOf(job.name, place, folder), sessionJob: place.sessionJob }];
  });
}

type Place = NonNullable<Config['jobs'][number]['kubernetes']>[string];

function placeOf(name: string, { namespace, deployment, manifest, restorePath }: Place, folder: string): KubernetesJob {
  const source =
    typeof manifest === 'string'
      ? ({ kind: 'path', path: pathFrom(folder, manifest) } as const)
      : manifest && ({ kind: 'config-map', ...manifest } as const);
  return { name, namespace, deployment, manifest: source, restorePath };
}
