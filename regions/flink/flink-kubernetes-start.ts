import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions, KubernetesApi, KubernetesObject } from '../kubernetes/kubernetes-api.ts';
import { claimSettings, highAvailabilityLabels, jobIdSetting } from './flink-deployment.ts';
import { holdsCheckpoint } from './flink-health.ts';
import type { StartJob } from './flink-jobs.ts';
import { deploymentRef, type KubernetesJob, lookAt, type Seen } from './flink-kubernetes-look.ts';
import { type FlinkManifest, manifestError, readManifest } from './flink-manifest.ts';
import { manifestFiles } from './flink-manifest-source.ts';
import { decideStartRoute, type StartRoute } from './flink-start-route.ts';

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: 'flinkdeployments.flink.apache.org',
};
const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' };
const pollMs = 500;

/** The manifest of a job; undefined where the configuration names none. */
export async function manifestOf(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  options?: CallOptions,
): Promise<FlinkManifest | undefined> {
  if (job.manifest === undefined) return undefined;
  return readManifest(await manifestFiles(job.manifest, job.namespace, kubernetes, options), job);
}

/**
 * Starts a job so that it restores the given path and nothing else. Everything is tried by a dry run before the first
 * change. An object that would prefer its own state is deleted and made anew.
 */
export async function startDeployment(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  start: StartJob,
  options: CallOptions & { readonly timeoutMs: number },
): Promise<{ readonly jobId: string }> {
  const call = { signal: options.signal };
  const jobId = start.jobId ?? randomBytes(16).toString('hex');
  const manifest = await manifestOf(kubernetes, job, call);
  const before = await lookAt(kubernetes, job, call);
  if (manifest === undefined && before.object === undefined) throw nothingToStart(job);
  const change = specOf(start, jobId);
  await dryRun(kubernetes, job, manifest, change, start.savepointPath, call);
  const hasRedeployNonce = before.deployment?.ran === true && (await definesNonce(kubernetes, call));
  for (const endsAt = performance.now() + options.timeoutMs; ; ) {
    const seen = await lookAt(kubernetes, job, call);
    const route = await routeFor(kubernetes, job, seen, hasRedeployNonce, call);
    switch (route.kind) {
      case 'refused':
        throw new ArgusError(route.code, `start ${job.name}: ${route.message}`, { hint: route.hint });
      case 'wait':
        if (performance.now() > endsAt) throw tooLate(job, route.waitingFor, options.timeoutMs);
        await sleep(pollMs, undefined, call.signal ? { signal: call.signal } : {});
        continue;
      case 'replace':
        if (manifest === undefined) throw notReplaced(job, route.because);
        await mayBeMade(kubernetes, changed(manifest.deployment, change), call);
        await unlessChanged(endsAt, () => kubernetes.delete(deploymentRef(job), { ...call, ...preconditions(seen) }));
        continue;
      case 'clear':
        for (const name of route.leftovers) await kubernetes.delete(configMapRef(job, name), call);
        continue;
      case 'create':
      case 'apply':
      case 'redeploy':
        if (
          await unlessChanged(endsAt, () =>
            makeIt(kubernetes, job, manifest, route, seen, change, start.savepointPath, call),
          )
        )
          return { jobId };
        continue;
    }
  }
}

/** Whether it was done; not, when the object had changed since the look that it was decided by: look again. */
export async function unlessChanged(endsAt: number, act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    // The operator writes into its objects all the time: its finalizer, its notes.
    const conflict = error instanceof ArgusError && error.code === 'KubernetesConflict';
    if (conflict && performance.now() < endsAt) return false;
    throw error;
  }
}

/**
 * Whether a start of this job would be refused, tried without any change: throws what stands against it. An object that
 * is there may have to be made anew, so that is tried, too.
 */
export async function tryDeployment(kubernetes: KubernetesApi, job: KubernetesJob, call: CallOptions): Promise<void> {
  const [manifest, seen] = await Promise.all([manifestOf(kubernetes, job, call), lookAt(kubernetes, job, call)]);
  await tryManifest(kubernetes, job, { manifest, seen }, call);
}

/** The same of a manifest and of what is there, as they were read. */
export async function tryManifest(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  { manifest, seen }: { readonly manifest: FlinkManifest | undefined; readonly seen: Seen },
  call: CallOptions,
): Promise<void> {
  if (manifest === undefined && seen.object === undefined) throw nothingToStart(job);
  const path = 's3://argus/dry-run';
  const change = specOf({ jarPath: '', entryClass: '', args: [], parallelism: 1, savepointPath: path }, '0'.repeat(32));
  await dryRun(kubernetes, job, manifest, change, path, call);
  if (manifest !== undefined) await mayBeMade(kubernetes, changed(manifest.deployment, change), call);
}

/** The way that a start of this job would take from what is there. Changes nothing. */
export async function startRouteOf(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  seen: Seen,
  call: CallOptions,
): Promise<StartRoute> {
  const hasRedeployNonce = seen.deployment?.ran === true && (await definesNonce(kubernetes, call));
  return routeFor(kubernetes, job, seen, hasRedeployNonce, call);
}

/** How many slots the job of an object takes; 1 where it doesn't say, as with Flink. */
export function parallelismOf(object: KubernetesObject | undefined): number {
  const spec = object?.spec as { readonly job?: { readonly parallelism?: unknown } } | undefined;
  return typeof spec?.job?.parallelism === 'number' ? spec.job.parallelism : 1;
}

type Change = ReturnType<typeof specOf>;

function specOf(start: StartJob, jobId: string) {
  return {
    flinkConfiguration: {
      ...start.configuration,
      [jobIdSetting]: jobId,
      ...claimSettings(start.claimMode ?? 'NO_CLAIM'),
    },
    job: {
      state: 'running',
      ...(start.savepointPath === undefined ? {} : { initialSavepointPath: start.savepointPath }),
    },
  };
}

/** The manifest's object with what this start changes in it. */
function changed(object: KubernetesObject, change: Change, nonce?: number): KubernetesObject {
  const spec = object.spec as { readonly flinkConfiguration?: object; readonly job?: Record<string, unknown> };
  const { initialSavepointPath: _, ...job } = spec.job ?? {};
  return {
    ...object,
    spec: {
      ...spec,
      flinkConfiguration: { ...spec.flinkConfiguration, ...change.flinkConfiguration },
      job: { ...job, ...change.job, ...(nonce === undefined ? {} : { savepointRedeployNonce: nonce }) },
    },
  };
}

async function dryRun(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  manifest: FlinkManifest | undefined,
  change: Change,
  path: string | undefined,
  call: CallOptions,
): Promise<void> {
  const trial = { ...call, dryRun: true };
  if (manifest === undefined) await kubernetes.patch(deploymentRef(job), { spec: withPathOrNone(change) }, trial);
  else {
    for (const each of manifest.configMaps) await kubernetes.apply(each, trial);
    await kubernetes.apply(changed(manifest.deployment, change), trial);
  }
  const { restorePath } = job;
  if (restorePath === undefined || path === undefined || madeBy(manifest, restorePath.configMap)) return;
  await kubernetes.patch(configMapRef(job, restorePath.configMap), { data: { [restorePath.key]: path } }, trial);
}

/** Throws what would stand against a creation. That the name is taken still doesn't: it is asked last. */
export async function mayBeMade(kubernetes: KubernetesApi, object: KubernetesObject, call: CallOptions): Promise<void> {
  try {
    await kubernetes.create(object, { ...call, dryRun: true });
  } catch (error) {
    if (!(error instanceof ArgusError) || error.code !== 'KubernetesExists') throw error;
  }
}

/** The manifest brings this ConfigMap along: it need not be there yet. */
function madeBy(manifest: FlinkManifest | undefined, configMap: string): boolean {
  return manifest?.configMaps.some((each) => each.metadata.name === configMap) ?? false;
}

async function routeFor(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  seen: Seen,
  hasRedeployNonce: boolean,
  call: CallOptions,
): Promise<StartRoute> {
  const labels = highAvailabilityLabels(job.deployment);
  const leftovers = await kubernetes.list(configMapKind, { namespace: job.namespace, labels }, call);
  return decideStartRoute({
    name: job.deployment,
    deployment: seen.deployment,
    pods: seen.pods,
    leftovers: leftovers.map((each) => each.metadata.name),
    leftoversHoldState: leftovers.some(holdsCheckpoint),
    hasRedeployNonce,
  });
}

/** The ConfigMaps first: a job reads them when it starts. */
async function makeIt(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  manifest: FlinkManifest | undefined,
  route: Extract<StartRoute, { readonly kind: 'create' | 'apply' | 'redeploy' }>,
  seen: Seen,
  change: Change,
  path: string | undefined,
  call: CallOptions,
): Promise<void> {
  for (const each of manifest?.configMaps ?? []) await kubernetes.apply(each, call);
  const { restorePath } = job;
  if (restorePath !== undefined && path !== undefined) {
    await kubernetes.patch(configMapRef(job, restorePath.configMap), { data: { [restorePath.key]: path } }, call);
  }
  const nonce = route.kind === 'redeploy' ? route.nonce : undefined;
  const { resourceVersion } = preconditions(seen);
  if (manifest === undefined) {
    const { job: wanted, ...rest } = withPathOrNone(change);
    const spec = { ...rest, job: { ...wanted, ...(nonce === undefined ? {} : { savepointRedeployNonce: nonce }) } };
    await kubernetes.patch(deploymentRef(job), { metadata: { resourceVersion }, spec }, call);
    return;
  }
  const object = changed(manifest.deployment, change, nonce);
  // What was made meanwhile is somebody else's: then this fails, as it does when the object changed meanwhile.
  if (route.kind === 'create') await kubernetes.create(object, call);
  else {
    const version =
      path === undefined && seen.deployment?.savepointPath !== undefined
        ? await withoutPath(kubernetes, job, resourceVersion, call)
        : resourceVersion;
    const metadata = { ...object.metadata, ...(version === undefined ? {} : { resourceVersion: version }) };
    await kubernetes.apply({ ...object, metadata }, call);
  }
}

/** What is patched; an empty start takes a path away that the object has from before. */
function withPathOrNone(change: Change) {
  return { ...change, job: { initialSavepointPath: null, ...change.job } };
}

/** Takes a path away that somebody else set: what is applied takes away only what Argus applied. */
async function withoutPath(
  kubernetes: KubernetesApi,
  job: KubernetesJob,
  resourceVersion: string | undefined,
  call: CallOptions,
): Promise<string | undefined> {
  const change = { metadata: { resourceVersion }, spec: { job: { initialSavepointPath: null } } };
  return (await kubernetes.patch(deploymentRef(job), change, call)).metadata.resourceVersion;
}

function preconditions({ deployment }: Seen): { readonly uid?: string; readonly resourceVersion?: string } {
  return deployment === undefined ? {} : { uid: deployment.uid, resourceVersion: deployment.resourceVersion };
}

function configMapRef({ namespace }: KubernetesJob, name: string) {
  return { ...configMapKind, namespace, name };
}

/** Whether the operator's definition has `spec.job.savepointRedeployNonce`; without leave to read it, no. */
async function definesNonce(kubernetes: KubernetesApi, call: CallOptions): Promise<boolean> {
  try {
    const found = await kubernetes.get(definition, call);
    return JSON.stringify(found?.spec ?? {}).includes('"savepointRedeployNonce"');
  } catch (error) {
    // Deleting and making anew works everywhere.
    if (error instanceof ArgusError && error.code === 'KubernetesForbidden') return false;
    throw error;
  }
}

function nothingToStart({ namespace, deployment }: KubernetesJob): ArgusError {
  return manifestError(`there is no FlinkDeployment ${namespace}/${deployment}, and no manifest to make it of`);
}

function notReplaced({ namespace, deployment }: KubernetesJob, because: string): ArgusError {
  return new ArgusError(
    'ManifestMissing',
    `the FlinkDeployment ${namespace}/${deployment} must be deleted and made anew (${because}), and nothing but it says how`,
    { hint: 'keep its manifest in a file and name it in jobs[].kubernetes', exitCode: 2 },
  );
}

function tooLate({ name }: KubernetesJob, waitingFor: string, timeoutMs: number): ArgusError {
  return new ArgusError('FlinkRefused', `start ${name}: not within ${timeoutMs / 1000} s: ${waitingFor}`, {
    hint: "see the operator's log; `argus failover` again goes on from here",
  });
}
