import { ArgusError } from '../domain/errors.ts';
import { flinkDeploymentKind } from '../regions/flink/flink-deployment.ts';
import type { FlinkJobs } from '../regions/flink/flink-jobs.ts';
import { deploymentRef, type KubernetesJob } from '../regions/flink/flink-kubernetes-look.ts';
import { type KubernetesSessionJob, sessionJobRef } from '../regions/flink/flink-session-look.ts';
import type { FlinkSessionManifest } from '../regions/flink/flink-session-manifest.ts';
import { sessionManifestOf, sessionRouteOf, trySessionJob } from '../regions/flink/flink-session-start.ts';
import type { CallOptions, KubernetesApi, KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import { look, lookAtReferences, missing } from './look-kubernetes.ts';
import type { Looked, StandbyJob, UsedVerb } from './standby-check.ts';

/** Where a job may be in the primary. */
export interface PrimaryJobs {
  readonly kubernetes: KubernetesApi;
  readonly jobs: readonly KubernetesJob[];
  readonly sessionJobs?: readonly KubernetesSessionJob[];
}

interface SessionSources {
  readonly kubernetes: KubernetesApi;
  readonly flink?: Pick<FlinkJobs, 'list'>;
  readonly serviceProxy: boolean;
  readonly primary?: PrimaryJobs;
}

/** The primary may be dead, and only its versions are asked for. */
const primaryTimeoutMs = 5_000;

/** What a failover would meet for a job in a session cluster. Changes nothing. */
export async function lookAtSessionJob(
  sources: SessionSources,
  job: KubernetesSessionJob,
  { signal }: CallOptions,
): Promise<StandbyJob> {
  const call = signal === undefined ? {} : { signal };
  const { kubernetes, serviceProxy } = sources;
  const asked = { kubernetes, rest: { list: listOf(sources.flink) } };
  const [manifest, cluster] = await Promise.all([
    look(() => sessionManifestOf(kubernetes, job, call), call),
    look(() => kubernetes.get(deploymentRef(job), call), call),
  ]);
  const seenManifest = 'seen' in manifest ? manifest.seen : undefined;
  const object =
    'unseen' in manifest ? manifest : await look(() => sessionAsDeployment(kubernetes, job, seenManifest, call), call);
  const [dryRun, route, missingVerbs, references, primary] = await Promise.all([
    look(() => trySessionJob(asked, job, call).then(() => true as const), call),
    look(() => sessionRouteOf(asked, job, call), call),
    look(() => missing(kubernetes, verbsOf(job, seenManifest, serviceProxy), call), call),
    lookAtReferences(kubernetes, job.namespace, { object, brought: seenManifest?.configMaps }, call),
    primaryObject(sources.primary, job, call),
  ]);
  return {
    job: job.name,
    namespace: job.namespace,
    deployment: job.deployment,
    session: job.sessionJob,
    object,
    podsAreThere: 'seen' in cluster && cluster.seen !== undefined,
    hasManifest: job.manifest !== undefined,
    dryRun,
    route,
    missingVerbs,
    references,
    primary,
  };
}

/**
 * A session cluster with the job in it, as the one FlinkDeployment that it amounts to: the objects that are there, else
 * those of the manifest. Undefined: one of them is in neither.
 */
export async function sessionAsDeployment(
  kubernetes: KubernetesApi,
  job: KubernetesSessionJob,
  manifest: FlinkSessionManifest | undefined,
  call: CallOptions,
): Promise<KubernetesObject | undefined> {
  const [cluster, sessionJob] = await Promise.all([
    kubernetes.get(deploymentRef(job), call).then((found) => found ?? manifest?.cluster),
    manifest?.job ?? kubernetes.get(sessionJobRef(job), call),
  ]);
  if (cluster === undefined || sessionJob === undefined) return undefined;
  const spec = { ...(cluster.spec as object), job: (sessionJob.spec as { readonly job?: unknown }).job };
  return { ...flinkDeploymentKind, metadata: cluster.metadata, spec };
}

/** Who has no word from Flink takes its clusters for silent. */
function listOf(flink: SessionSources['flink']): FlinkJobs['list'] {
  return async (call) => {
    if (flink !== undefined) return await flink.list(call);
    throw new ArgusError('FlinkUnreachable', 'the session clusters were not asked', { retryable: true });
  };
}

/** What the adapter does in the region where it starts a session job (fixtures/kubernetes/rbac-session-standby.yaml). */
function verbsOf(
  { namespace, manifest: source, restorePath }: KubernetesSessionJob,
  manifest: FlinkSessionManifest | undefined,
  serviceProxy: boolean,
): readonly UsedVerb[] {
  const of = (group: string, resource: string, verb: string, optional = false, subresource?: string): UsedVerb => ({
    group,
    resource,
    verb,
    subresource,
    namespace,
    optional,
  });
  const flink = 'flink.apache.org';
  const brings = (manifest?.configMaps.length ?? 0) > 0;
  const verbs = source === undefined ? ['get', 'patch'] : ['get', 'create', 'patch', 'delete'];
  return [
    ...verbs.map((verb) => of(flink, 'flinksessionjobs', verb)),
    of(flink, 'flinkdeployments', 'get'),
    ...(manifest?.cluster === undefined ? [] : [of(flink, 'flinkdeployments', 'create')]),
    of('', 'pods', 'list'),
    ...(source?.kind === 'config-map' ? [of('', 'configmaps', 'get')] : []),
    ...(brings || restorePath !== undefined ? [of('', 'configmaps', 'patch')] : []),
    ...(brings ? [of('', 'configmaps', 'create')] : []),
    ...(serviceProxy ? [of('', 'services', 'get', false, 'proxy')] : []),
    of('', 'events', 'list', true),
  ];
}

/** What the primary has of a job: its FlinkDeployment, or its session cluster's with the job in it. */
export async function primaryObject(
  primary: PrimaryJobs | undefined,
  { name }: Pick<KubernetesJob, 'name'>,
  call: CallOptions,
): Promise<Looked<KubernetesObject | undefined>> {
  const there = primary?.jobs.find((job) => job.name === name);
  const inSession = primary?.sessionJobs?.find((job) => job.name === name);
  if (primary !== undefined && inSession !== undefined) {
    const quick = { ...call, timeoutMs: primaryTimeoutMs };
    return look(() => sessionAsDeployment(primary.kubernetes, inSession, undefined, quick), call, new Set());
  }
  if (primary === undefined || there === undefined) {
    const message = 'the primary has no FlinkDeployment of this job';
    return {
      unseen: { code: 'PrimaryIsOther', message, hint: 'compare the versions of Flink and of the job by hand' },
    };
  }
  const ref = { ...flinkDeploymentKind, namespace: there.namespace, name: there.deployment };
  return look(() => primary.kubernetes.get(ref, { ...call, timeoutMs: primaryTimeoutMs }), call, new Set());
}
