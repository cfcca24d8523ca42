import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import type { KubernetesApi, KubernetesObject } from '../kubernetes/kubernetes-api.ts';
import type { StartJob } from './flink-jobs.ts';
import { mayBeMade, unlessChanged } from './flink-kubernetes-start.ts';
import { manifestError } from './flink-manifest.ts';
import { manifestFiles } from './flink-manifest-source.ts';
import { jobIdAnnotation } from './flink-session-job.ts';
import {
  type KubernetesSessionJob,
  lookAtSession,
  type SessionRest,
  type SessionSeen,
  sessionJobRef,
} from './flink-session-look.ts';
import { type FlinkSessionManifest, readSessionManifest } from './flink-session-manifest.ts';
import { decideSessionRoute, type SessionRoute } from './flink-session-route.ts';

const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' };
const pollMs = 500;

interface Sources {
  readonly kubernetes: KubernetesApi;
  readonly rest: Pick<SessionRest, 'list'>;
}
interface Call {
  readonly signal?: AbortSignal;
}

/** The manifest of a session job; undefined where the configuration names none. */
export async function sessionManifestOf(
  kubernetes: KubernetesApi,
  job: KubernetesSessionJob,
  call?: Call,
): Promise<FlinkSessionManifest | undefined> {
  if (job.manifest === undefined) return undefined;
  return readSessionManifest(await manifestFiles(job.manifest, job.namespace, kubernetes, call), job);
}

/**
 * Starts a session job so that it restores the given path and nothing else. Everything is tried by a dry run before the
 * first change; a session cluster that isn't there is made where the manifest has it. An object that would prefer its own
 * state is deleted and made anew.
 */
export async function startSessionJob(
  sources: Sources,
  job: KubernetesSessionJob,
  start: StartJob,
  options: Call & { readonly timeoutMs: number },
): Promise<{ readonly jobId: string }> {
  const { kubernetes, rest } = sources;
  const call = options.signal === undefined ? {} : { signal: options.signal };
  if (start.claimMode === 'CLAIM') throw notClaimed(job);
  if (Object.keys(start.configuration ?? {}).length > 0) throw notConfigured(job);
  const jobId = start.jobId ?? randomBytes(16).toString('hex');
  const manifest = await sessionManifestOf(kubernetes, job, call);
  const before = await lookAtSession(kubernetes, rest, job, call);
  const change = changeOf(jobId, start.savepointPath);
  await dryRun(kubernetes, job, manifest, before, change, call);
  for (const endsAt = performance.now() + options.timeoutMs; ; ) {
    const seen = await lookAtSession(kubernetes, rest, job, call);
    const route = routeOf(job, manifest, seen);
    switch (route.kind) {
      case 'refused':
        throw new ArgusError(route.code, `start ${job.name}: ${route.message}`, { hint: route.hint });
      case 'wait':
        if (performance.now() > endsAt) {
          const message = `start ${job.name}: not within ${options.timeoutMs / 1000} s: ${route.waitingFor}`;
          const hint = "see the operator's log; `argus failover` again goes on from here";
          throw new ArgusError('FlinkRefused', message, { hint });
        }
        await sleep(pollMs, undefined, call);
        continue;
      case 'replace': {
        if (manifest === undefined) throw notReplaced(job, route.because);
        await mayBeMade(kubernetes, changed(manifest.job, change), call);
        const ref = sessionJobRef(job);
        await unlessChanged(endsAt, () => kubernetes.delete(ref, { ...call, ...preconditions(seen) }));
        continue;
      }
      case 'create':
      case 'apply':
        if (await unlessChanged(endsAt, () => makeIt(kubernetes, job, manifest, route, seen, change, call))) {
          return { jobId };
        }
        continue;
    }
  }
}

/** Whether a start of this job would be refused, tried without any change: throws what stands against it. */
export async function trySessionJob(sources: Sources, job: KubernetesSessionJob, call: Call): Promise<void> {
  const { kubernetes, rest } = sources;
  const manifest = await sessionManifestOf(kubernetes, job, call);
  const seen = await lookAtSession(kubernetes, rest, job, call);
  const change = changeOf('0'.repeat(32), 's3://argus/dry-run');
  await dryRun(kubernetes, job, manifest, seen, change, call);
  if (manifest !== undefined) await mayBeMade(kubernetes, changed(manifest.job, change), call);
  const route = routeOf(job, manifest, seen);
  if (route.kind === 'refused' && route.always) throw new ArgusError(route.code, route.message, { hint: route.hint });
}

/** The way that a start of this job would take as things are. Changes nothing. */
export async function sessionRouteOf(sources: Sources, job: KubernetesSessionJob, call: Call): Promise<SessionRoute> {
  const manifest = await sessionManifestOf(sources.kubernetes, job, call);
  return routeOf(job, manifest, await lookAtSession(sources.kubernetes, sources.rest, job, call));
}

function routeOf(
  job: KubernetesSessionJob,
  manifest: FlinkSessionManifest | undefined,
  seen: SessionSeen,
): SessionRoute {
  return decideSessionRoute({ place: job, ...seen, clusterInManifest: manifest?.cluster !== undefined });
}

type Change = ReturnType<typeof changeOf>;

function changeOf(jobId: string, path: string | undefined) {
  return {
    annotations: { [jobIdAnnotation]: jobId },
    job: { state: 'running', ...(path === undefined ? {} : { initialSavepointPath: path }) },
  };
}

/** The manifest's object with what this start changes in it. */
function changed(object: KubernetesObject, change: Change): KubernetesObject {
  const spec = object.spec as { readonly job?: Record<string, unknown> };
  const { initialSavepointPath: _, ...job } = spec.job ?? {};
  const annotations = { ...object.metadata.annotations, ...change.annotations };
  return {
    ...object,
    metadata: { ...object.metadata, annotations },
    spec: { ...spec, job: { ...job, ...change.job } },
  };
}

/** What of an object without manifest is changed: a path that it has from before goes, where there is none now. */
function patchOf(change: Change, resourceVersion?: string) {
  return {
    metadata: { annotations: change.annotations, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: { job: { initialSavepointPath: null, ...change.job } },
  };
}

async function dryRun(
  kubernetes: KubernetesApi,
  job: KubernetesSessionJob,
  manifest: FlinkSessionManifest | undefined,
  seen: SessionSeen,
  change: Change,
  call: Call,
): Promise<void> {
  const trial = { ...call, dryRun: true };
  if (manifest === undefined) {
    if (seen.object === undefined) throw nothingToStart(job);
    await kubernetes.patch(sessionJobRef(job), patchOf(change), trial);
  } else {
    for (const each of manifest.configMaps) await kubernetes.apply(each, trial);
    if (seen.cluster === undefined && manifest.cluster !== undefined)
      await mayBeMade(kubernetes, manifest.cluster, call);
    await kubernetes.apply(changed(manifest.job, change), trial);
  }
  const path = change.job.initialSavepointPath;
  const { restorePath } = job;
  const brought = manifest?.configMaps.some(({ metadata }) => metadata.name === restorePath?.configMap) ?? false;
  if (restorePath === undefined || path === undefined || brought) return;
  await kubernetes.patch(configMapRef(job, restorePath.configMap), { data: { [restorePath.key]: path } }, trial);
}

/** The ConfigMaps and the cluster first: the operator submits the job when the cluster is ready. */
async function makeIt(
  kubernetes: KubernetesApi,
  job: KubernetesSessionJob,
  manifest: FlinkSessionManifest | undefined,
  route: Extract<SessionRoute, { readonly kind: 'create' | 'apply' }>,
  seen: SessionSeen,
  change: Change,
  call: Call,
): Promise<void> {
  for (const each of manifest?.configMaps ?? []) await kubernetes.apply(each, call);
  const path = change.job.initialSavepointPath;
  const { restorePath } = job;
  if (restorePath !== undefined && path !== undefined) {
    await kubernetes.patch(configMapRef(job, restorePath.configMap), { data: { [restorePath.key]: path } }, call);
  }
  if (route.makeCluster && manifest?.cluster !== undefined) await makeCluster(kubernetes, manifest.cluster, call);
  const { resourceVersion } = preconditions(seen);
  if (manifest === undefined) await kubernetes.patch(sessionJobRef(job), patchOf(change, resourceVersion), call);
  else if (route.kind === 'create') await kubernetes.create(changed(manifest.job, change), call);
  else {
    const object = changed(manifest.job, change);
    // A path that somebody else set would stay: what is applied takes away only what Argus applied.
    if (path === undefined && seen.job?.savepointPath !== undefined) {
      const none = { metadata: { resourceVersion }, spec: { job: { initialSavepointPath: null } } };
      const { metadata } = await kubernetes.patch(sessionJobRef(job), none, call);
      await kubernetes.apply(withVersion(object, metadata.resourceVersion), call);
    } else await kubernetes.apply(withVersion(object, resourceVersion), call);
  }
}

async function makeCluster(kubernetes: KubernetesApi, cluster: KubernetesObject, call: Call): Promise<void> {
  try {
    await kubernetes.create(cluster, call);
  } catch (error) {
    // Somebody made it meanwhile: it does.
    if (!(error instanceof ArgusError) || error.code !== 'KubernetesExists') throw error;
  }
}

function withVersion(object: KubernetesObject, resourceVersion: string | undefined): KubernetesObject {
  return resourceVersion === undefined ? object : { ...object, metadata: { ...object.metadata, resourceVersion } };
}

function preconditions({ job }: SessionSeen): { readonly uid?: string; readonly resourceVersion?: string } {
  return job === undefined ? {} : { uid: job.uid, resourceVersion: job.resourceVersion };
}

function configMapRef({ namespace }: KubernetesSessionJob, name: string) {
  return { ...configMapKind, namespace, name };
}

/** Source: `AbstractFlinkService.runJar` of the operator, 1.7 to 1.15: it submits with NO_CLAIM whatever is configured. */
function notClaimed({ name, namespace, sessionJob }: KubernetesSessionJob): ArgusError {
  return new ArgusError(
    'ClaimImpossible',
    `start ${name}: its point can only be claimed (changelog state), and the operator submits the FlinkSessionJob ${namespace}/${sessionJob} without a claim`,
    { hint: 'use a FlinkDeployment with spec.job for this job, or switch the changelog backend off' },
  );
}

/** Source: `DefaultValidator.validateSessionJob` of the operator: keys that don't begin with `kubernetes.operator.` are refused. */
function notConfigured({ name, namespace, sessionJob }: KubernetesSessionJob): ArgusError {
  return new ArgusError(
    'SettingsImpossible',
    `start ${name}: the FlinkSessionJob ${namespace}/${sessionJob} can't have settings of Flink of its own`,
    { hint: 'use a FlinkDeployment with spec.job for this job' },
  );
}

function nothingToStart({ namespace, sessionJob }: KubernetesSessionJob): ArgusError {
  return manifestError(`there is no FlinkSessionJob ${namespace}/${sessionJob}, and no manifest to make it of`);
}

function notReplaced({ namespace, sessionJob }: KubernetesSessionJob, because: string): ArgusError {
  return new ArgusError(
    'ManifestMissing',
    `the FlinkSessionJob ${namespace}/${sessionJob} must be deleted and made anew (${because}), and nothing but it says how`,
    { hint: 'keep its manifest in a file and name it in jobs[].kubernetes', exitCode: 2 },
  );
}
