import { z } from 'zod';
import type { FlinkJobs } from '../regions/flink/flink-jobs.ts';
import { type KubernetesJob, lookAt } from '../regions/flink/flink-kubernetes-look.ts';
import { manifestOf, startRouteOf, tryManifest } from '../regions/flink/flink-kubernetes-start.ts';
import type { FlinkManifest } from '../regions/flink/flink-manifest.ts';
import type { KubernetesSessionJob } from '../regions/flink/flink-session-look.ts';
import type { CallOptions, KubernetesApi, KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import { parseQuantity } from '../regions/kubernetes/quantity.ts';
import { lookAtSessionJob, type PrimaryJobs, primaryObject } from './gather-standby-session.ts';
import { look, lookAtReferences, missing } from './look-kubernetes.ts';
import type {
  Looked,
  OperatorSeen,
  StandbyJob,
  StandbyKubernetes,
  StandbyNamespace,
  UsedVerb,
} from './standby-check.ts';
import type { NodeRoom, PodLimits, Quota } from './standby-room.ts';

export interface StandbySources {
  readonly kubernetes: KubernetesApi;
  readonly jobs: readonly KubernetesJob[];
  /** Jobs in session clusters; they are asked for by `flink`. */
  readonly sessionJobs?: readonly KubernetesSessionJob[];
  readonly flink?: Pick<FlinkJobs, 'list' | 'clusters'>;
  /** Names of the jobs whose standby is to be warm. */
  readonly warm?: ReadonlySet<string>;
  /** Jobs' REST interfaces are reached through the API server. */
  readonly serviceProxy: boolean;
  /** The primary's API server and the jobs there; absent: it has none. */
  readonly primary?: PrimaryJobs;
  readonly signal?: AbortSignal;
}

/** Of the operator's Helm chart. */
const operatorLabels = 'app.kubernetes.io/name=flink-kubernetes-operator';

/**
 * Looks at everything that a failover would need of a standby with FlinkDeployments. Changes nothing: what is written is
 * a dry run. Throws when the standby's API server doesn't answer or refuses the credentials.
 */
export async function gatherStandbyKubernetes(sources: StandbySources): Promise<StandbyKubernetes> {
  const { kubernetes, jobs, signal } = sources;
  const call = signal === undefined ? {} : { signal };
  // Who can't be reached is told once, not once for each question.
  await kubernetes.user(call);
  const { sessionJobs = [], flink, warm = new Set() } = sources;
  // All session jobs are judged by one answer.
  let listed: ReturnType<FlinkJobs['list']> | undefined;
  const asked = flink && { ...sources, flink: { list: () => (listed ??= flink.list(call)) } };
  const namespaces = [...new Set([...jobs, ...sessionJobs].map(({ namespace }) => namespace))];
  const [judged, inSession, clusters, rooms, nodes, operator] = await Promise.all([
    Promise.all(jobs.map((job) => lookAtJob(sources, job, call))),
    Promise.all(sessionJobs.map((job) => lookAtSessionJob(asked ?? sources, job, call))),
    look(async () => (await flink?.clusters?.(call)) ?? [], call),
    Promise.all(namespaces.map((namespace) => lookAtNamespace(kubernetes, namespace, call))),
    look(() => nodeRooms(kubernetes, call), call),
    look(async () => (await operatorDeployments(kubernetes, call)).map(operatorSeen), call),
  ]);
  return { jobs: [...judged, ...inSession], warm, clusters, namespaces: rooms, nodes, operator };
}

async function lookAtJob(sources: StandbySources, job: KubernetesJob, call: CallOptions): Promise<StandbyJob> {
  const { kubernetes, serviceProxy } = sources;
  const [manifest, there] = await Promise.all([
    look(() => manifestOf(kubernetes, job, call), call),
    look(() => lookAt(kubernetes, job, call), call),
  ]);
  const seenManifest = 'seen' in manifest ? manifest.seen : undefined;
  // What would be applied; without a manifest, what is there.
  const object = ((): Looked<KubernetesObject | undefined> => {
    if ('unseen' in manifest) return manifest;
    if (manifest.seen !== undefined) return { seen: manifest.seen.deployment };
    return 'unseen' in there ? there : { seen: there.seen.object };
  })();
  const [dryRun, route, missingVerbs, references, primary] = await Promise.all([
    'unseen' in manifest
      ? manifest
      : 'unseen' in there
        ? there
        : look(async () => {
            await tryManifest(kubernetes, job, { manifest: manifest.seen, seen: there.seen }, call);
            return true as const;
          }, call),
    'unseen' in there ? there : look(() => startRouteOf(kubernetes, job, there.seen, call), call),
    look(() => missing(kubernetes, verbsOf(job, seenManifest, serviceProxy), call), call),
    lookAtReferences(kubernetes, job.namespace, { object, brought: seenManifest?.configMaps }, call),
    primaryObject(sources.primary, job, call),
  ]);
  const { name, namespace, deployment } = job;
  const hasManifest = job.manifest !== undefined;
  return { job: name, namespace, deployment, object, hasManifest, dryRun, route, missingVerbs, references, primary };
}

const notForced = 'a job that never came up, and does not end by itself, could not be made anew';

/** What the adapter does in the region where it starts a job (fixtures/kubernetes/rbac-standby.yaml). */
function verbsOf(job: KubernetesJob, manifest: FlinkManifest | undefined, serviceProxy: boolean): readonly UsedVerb[] {
  const { namespace } = job;
  const flink = { group: 'flink.apache.org', resource: 'flinkdeployments', namespace, optional: false };
  const core = (resource: string, verb: string, optional = false, subresource?: string): UsedVerb => ({
    group: '',
    resource,
    verb,
    subresource,
    namespace,
    optional,
  });
  const brings = (manifest?.configMaps.length ?? 0) > 0;
  const verbs = job.manifest === undefined ? ['get', 'patch'] : ['get', 'create', 'patch', 'delete'];
  return [
    ...verbs.map((verb) => ({ ...flink, verb })),
    core('pods', 'list'),
    { ...core('pods', 'delete', true), without: notForced },
    { ...core('deployments', 'delete', true), group: 'apps', without: notForced },
    core('configmaps', 'list'),
    ...(job.manifest?.kind === 'config-map' ? [core('configmaps', 'get')] : []),
    ...(brings || job.restorePath !== undefined ? [core('configmaps', 'patch')] : []),
    ...(brings ? [core('configmaps', 'create')] : []),
    ...(serviceProxy ? [core('services', 'get', false, 'proxy')] : []),
    core('events', 'list', true),
    core('pods', 'get', true, 'log'),
  ];
}

const numbers = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .nullish()
  .transform((of) =>
    Object.fromEntries(Object.entries(of ?? {}).map(([key, each]) => [key, parseQuantity(each) ?? 0])),
  );
const quotaShape = z.object({
  spec: z
    .looseObject({ hard: numbers, scopes: z.array(z.string()).nullish(), scopeSelector: z.unknown().optional() })
    .prefault({}),
  status: z.looseObject({ hard: numbers, used: numbers }).prefault({}),
});
const limitsShape = z.object({
  spec: z.looseObject({
    limits: z.array(z.looseObject({ type: z.string(), min: numbers, max: numbers })).default([]),
  }),
});

/** What a namespace's quotas and LimitRanges allow. */
export async function lookAtNamespace(
  kubernetes: KubernetesApi,
  namespace: string,
  call: CallOptions,
): Promise<StandbyNamespace> {
  const all = (kind: string) => kubernetes.list({ apiVersion: 'v1', kind }, { namespace }, call);
  const [quotas, limits] = await Promise.all([
    look(async () => (await all('ResourceQuota')).flatMap(readQuota), call),
    look(async () => (await all('LimitRange')).flatMap(readLimits), call),
  ]);
  return { namespace, quotas, limits };
}

/** Quotas of pods that end by themselves, or that ask for nothing, don't count those of Flink. */
const notFlink = new Set(['BestEffort', 'Terminating']);
const everyFlink = new Set(['NotBestEffort', 'NotTerminating']);

function readQuota(object: KubernetesObject): readonly Quota[] {
  const { spec, status } = quotaShape.parse(object);
  const scopes = spec.scopes ?? [];
  if (scopes.some((scope) => notFlink.has(scope))) return [];
  const scoped = Boolean(spec.scopeSelector) || scopes.some((scope) => !everyFlink.has(scope));
  return [{ name: object.metadata.name, hard: { ...spec.hard, ...status.hard }, used: status.used, scoped }];
}

function readLimits(object: KubernetesObject): readonly PodLimits[] {
  const { spec } = limitsShape.parse(object);
  return spec.limits
    .filter(({ type }) => type === 'Pod' || type === 'Container')
    .map(({ type, min, max }) => ({ name: object.metadata.name, type, min, max }));
}

const nodeShape = z.object({
  spec: z
    .looseObject({
      unschedulable: z.boolean().nullish(),
      taints: z.array(z.object({ key: z.string(), value: z.string().optional(), effect: z.string() })).nullish(),
    })
    .prefault({}),
  status: z
    .looseObject({
      allocatable: numbers,
      conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).nullish(),
      images: z.array(z.looseObject({ names: z.array(z.string()).nullish() })).nullish(),
    })
    .prefault({}),
});
const podShape = z.object({
  spec: z.looseObject({
    nodeName: z.string().nullish(),
    containers: z.array(z.looseObject({ resources: z.looseObject({ requests: numbers }).prefault({}) })).default([]),
  }),
});

/** What the pods on each node have left. What a pod's first containers ask for is not counted: they have ended. */
export async function nodeRooms(kubernetes: KubernetesApi, call: CallOptions): Promise<readonly NodeRoom[]> {
  const fields = 'status.phase!=Succeeded,status.phase!=Failed';
  const [nodes, pods] = await Promise.all([
    kubernetes.list({ apiVersion: 'v1', kind: 'Node' }, {}, call),
    kubernetes.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: '*', fields }, call),
  ]);
  const taken = pods.map((pod) => podShape.parse(pod).spec);
  return nodes.map((node) => {
    const { spec, status } = nodeShape.parse(node);
    const { name, labels = {} } = node.metadata;
    const here = taken.filter(({ nodeName }) => nodeName === name);
    const requested = (key: string) =>
      here
        .flatMap(({ containers }) => containers)
        .reduce((sum, { resources }) => sum + (resources.requests[key] ?? 0), 0);
    const free = (key: string) => (status.allocatable[key] ?? 0) - requested(key);
    return {
      name,
      labels,
      ready: status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false,
      unschedulable: spec.unschedulable === true,
      taints: (spec.taints ?? []).map(({ key, value, effect }) =>
        value === undefined ? { key, effect } : { key, value, effect },
      ),
      free: { cpu: free('cpu'), memory: free('memory') },
      freePods: (status.allocatable.pods ?? 0) - here.length,
      images: (status.images ?? []).flatMap(({ names }) => names ?? []),
      imagesTold: status.images?.length ?? 0,
    };
  });
}

const availableShape = z.object({ status: z.looseObject({ availableReplicas: z.number().default(0) }).prefault({}) });

/** What there is of the operator in the whole cluster, as its Helm chart labels it. */
export function operatorDeployments(
  kubernetes: KubernetesApi,
  call: CallOptions,
): Promise<readonly KubernetesObject[]> {
  return kubernetes.list(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { namespace: '*', labels: operatorLabels },
    call,
  );
}

/** What one of these tells of itself. */
export function operatorSeen(deployment: KubernetesObject): OperatorSeen[number] {
  const { namespace, name } = deployment.metadata;
  return { name: `${namespace}/${name}`, available: availableShape.parse(deployment).status.availableReplicas };
}
