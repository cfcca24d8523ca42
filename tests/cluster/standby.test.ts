import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClusterRegion } from '../../lab/cluster/cluster-region.ts';
import { endClusterRegionsOf } from '../../lab/cluster/end-cluster-region.ts';
import { startClusterRegion } from '../../lab/cluster/start-cluster-region.ts';
import { installFlink } from '../../lab/cluster-job/install-flink.ts';
import { type ClusterJobPlace, clusterJob, standbyManifest } from '../../lab/cluster-job/job-objects.ts';
import { sessionManifest, sessionNames } from '../../lab/cluster-job/session-objects.ts';
import { createJobTopics } from '../../lab/components/kafka-topics.ts';
import type { StartedComponent } from '../../lab/components/process.ts';
import { names } from '../../lab/lab-info.ts';
import { type Reaper, startReaper } from '../../lab/reaper.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { ensureFlinkImage } from '../../lab/setup/flink-image.ts';
import { ensureFlinkRelease } from '../../lab/setup/flink-releases.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import { flinkKubernetesJobs } from '../../regions/flink/flink-kubernetes-jobs.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { flinkSessionJobKind } from '../../regions/flink/flink-session-job.ts';
import { flinkSessionJobs } from '../../regions/flink/flink-session-jobs.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import { serviceProxy } from '../../regions/kubernetes/service-proxy.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { buildTimeoutMs } from '../support/kubernetes-api.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';

const labId = randomUUID();
const { namespace, deployment } = clusterJob;
const bucket = 'argus-flink-checkpoints';
const signal = AbortSignal.timeout(buildTimeoutMs);
let folder: string;
let reaper: Reaper;
let region: ClusterRegion;
let api: KubernetesApi;
let broker: TestBroker;
let objects: ObjectServer;
let operator: StartedComponent;
let place: ClusterJobPlace;
let application: FlinkJobs;
let session: FlinkJobs;

beforeAll(async () => {
  const progress = progressLines((line) => process.stderr.write(`${line}\n`), 15_000);
  folder = await mkdtemp(join(tmpdir(), 'argus-test-standby-'));
  reaper = startReaper(folder, labId);
  const image = await ensureFlinkImage(signal, progress);
  const { jobJar } = await ensureFlinkRelease('1.20', signal, progress);
  region = await startClusterRegion({
    labId,
    name: 'singapore',
    dir: join(folder, 'singapore'),
    images: [image.archive],
    signal,
    progress,
  });
  const host = region.addresses.gateway;
  [broker, objects] = await Promise.all([
    startTestBroker({}, { host }),
    startObjectServer({ buckets: [bucket], host }),
  ]);
  await createJobTopics(broker.address, 'primary');
  const { endpoint, accessKeyId, secretAccessKey } = objects;
  place = {
    image,
    brokers: broker.address,
    objects: { endpoint, bucket, accessKeyId, secretAccessKey },
    transactionalIdPrefix: 'counts-singapore',
  };
  const { java } = await ensureArtifacts();
  operator = await installFlink(region, { labId, java, objects: place.objects, signal, progress });

  const transport = await clientNodeTransport('singapore', { kind: 'kubeconfig', files: [region.kubeconfig] });
  api = kubernetesClient(transport);
  const [ofApplication, ofSession] = [clusterJob.manifest, sessionNames.manifest].map((file) => join(folder, file));
  await writeFile(ofApplication ?? '', standbyManifest(place));
  await writeFile(ofSession ?? '', sessionManifest(place, jobJar));
  const options = {
    region: 'singapore',
    kubernetes: api,
    rest: (of: { readonly deployment: string }) => {
      const service = { namespace, service: `${of.deployment}-rest`, port: 'rest' };
      return flinkRestJobs({ region: 'singapore', url: '', fetch: serviceProxy(transport, service) });
    },
  };
  const manifest = (path = '') => ({ kind: 'path', path }) as const;
  const common = { name: names.job, namespace };
  application = flinkKubernetesJobs({
    ...options,
    jobs: [{ ...common, deployment, manifest: manifest(ofApplication) }],
  });
  session = flinkSessionJobs({
    ...options,
    jobs: [
      { ...common, deployment: sessionNames.cluster, sessionJob: sessionNames.job, manifest: manifest(ofSession) },
    ],
  });
}, buildTimeoutMs);
afterAll(async () => {
  await api?.close();
  await Promise.all([broker?.stop(), objects?.stop()]);
  await endClusterRegionsOf(labId);
  await reaper.end();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

/** The first answer that is wanted; fails with the last one, and with why there is none. */
async function eventually<T>(look: () => Promise<T>, wanted: (value: T) => boolean, timeoutMs = 240_000): Promise<T> {
  let last: unknown;
  for (const endsAt = Date.now() + timeoutMs; Date.now() < endsAt; await sleep(250)) {
    try {
      const value = await look();
      if (wanted(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`not seen in ${timeoutMs} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`, {
    cause: last,
  });
}

const program = { jarPath: '', entryClass: names.jobClass, args: [], parallelism: names.parallelism, name: names.job };

interface Start {
  readonly jobId: string;
  /** Until the job was RUNNING, and until it had completed a checkpoint of its own. */
  readonly runningMs: number;
  readonly checkpointMs: number;
  readonly path: string;
}

async function timedStart(what: string, flink: FlinkJobs, savepointPath?: string): Promise<Start> {
  const jobId = randomUUID().replaceAll('-', '');
  const since = performance.now();
  await flink.start({ ...program, jobId, ...(savepointPath === undefined ? {} : { savepointPath }) });
  await eventually(
    async () => (await flink.list()).find(({ id }) => id === jobId)?.state,
    (state) => state === 'RUNNING',
  );
  const runningMs = performance.now() - since;
  const { restored, latestCompleted } = await eventually(
    () => flink.checkpoints(jobId),
    (told) => told.latestCompleted !== undefined && told.latestCompleted.path !== savepointPath,
  );
  const checkpointMs = performance.now() - since;
  expect(restored?.path).toBe(savepointPath);
  process.stderr.write(
    `${what}: RUNNING ${Math.round(runningMs)} ms, first checkpoint ${Math.round(checkpointMs)} ms\n`,
  );
  return { jobId, runningMs, checkpointMs, path: latestCompleted?.path ?? '' };
}

const podNames = async () =>
  (await api.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace })).map(({ metadata }) => metadata.name);

async function stopped(flink: FlinkJobs, jobId: string): Promise<void> {
  await flink.cancel(jobId);
  await eventually(
    () => flink.list(),
    (jobs) => jobs.every(({ id, state }) => id !== jobId || ['CANCELED', 'FINISHED'].includes(state)),
    90_000,
  );
}

test('a session cluster that stands by takes the job sooner than a deployment that is made; both restore the path', async () => {
  const first = await timedStart('a first start, empty', application);
  await stopped(application, first.jobId);
  const cold = await timedStart('cold, a deployment of its own', application, first.path);
  await stopped(application, cold.jobId);
  expect(await eventually(podNames, (pods) => pods.length === 0, 60_000)).toEqual([]);

  const made = await timedStart('cold, with its session cluster', session, cold.path);
  expect(await session.health?.(made.jobId)).toMatchObject({ remake: false });
  const [seen] = await session.list();
  expect(seen).toMatchObject({ id: made.jobId, name: names.job });
  expect((await session.snapshots(made.jobId))[0]?.path).not.toContain(made.jobId);
  await stopped(session, made.jobId);
  const ref = { ...flinkSessionJobKind, namespace, name: sessionNames.job };
  expect(await api.get(ref)).toBeUndefined();
  // The cluster stands by: its TaskManager stays without a job.
  expect((await podNames()).length).toBeGreaterThanOrEqual(2);
  const free = async () => (await session.slots()).free;
  expect(await eventually(free, (slots) => slots >= names.parallelism, 60_000)).toBeGreaterThanOrEqual(
    names.parallelism,
  );

  // A path that isn't there: the cause is told, the job doesn't run, and its name is free again for another start.
  const missing = randomUUID().replaceAll('-', '');
  const since = performance.now();
  await session.start({ ...program, jobId: missing, savepointPath: `s3://${bucket}/no/such/point` });
  const cause = await eventually(
    () => session.failureOf(missing),
    (told) => /Cannot find checkpoint or savepoint|No such file|FileNotFound/.test(told ?? ''),
    90_000,
  );
  process.stderr.write(`a path that is not there, after ${Math.round(performance.now() - since)} ms: ${cause}\n`);
  const states = (await session.list()).map(({ state }) => state);
  expect(states).not.toContain('RUNNING');
  process.stderr.write(`${states.join()} ${JSON.stringify(await session.health?.(missing))}\n`);
  await session.cancel(missing);
  expect(
    await eventually(
      () => session.list(),
      (jobs) => jobs.every(({ state }) => state === 'FAILED'),
      60_000,
    ),
  ).toEqual([]);

  const warm = await timedStart('warm, a session cluster', session, made.path);
  expect(warm.checkpointMs).toBeLessThan(cold.checkpointMs);
  // By force, through the API server, while the operator does nothing: the job ends in Flink, and the cluster stays.
  process.kill(operator.pid, 'SIGSTOP');
  const forced = await session.forceStop?.(warm.jobId);
  expect(forced?.unproven).toEqual([]);
  expect(forced?.done.map((each) => each.split(' ')[0])).toEqual(['asked', 'cancelled', 'took']);
  expect(
    await eventually(
      () => session.list(),
      (jobs) => jobs.length === 0,
      60_000,
    ),
  ).toEqual([]);
  expect((await podNames()).length).toBeGreaterThanOrEqual(2);
  process.kill(operator.pid, 'SIGCONT');
  await api.delete({
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    namespace,
    name: sessionNames.cluster,
  });
  expect(await eventually(podNames, (pods) => pods.length === 0, 90_000)).toEqual([]);
}, 900_000);
