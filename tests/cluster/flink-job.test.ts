import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ClusterRegion } from '../../lab/cluster/cluster-region.ts';
import { endClusterRegionsOf } from '../../lab/cluster/end-cluster-region.ts';
import { startClusterRegion } from '../../lab/cluster/start-cluster-region.ts';
import { installFlink } from '../../lab/cluster-job/install-flink.ts';
import { type ClusterJobPlace, clusterJob, jobDeployment, standbyManifest } from '../../lab/cluster-job/job-objects.ts';
import { createJobTopics } from '../../lab/components/kafka-topics.ts';
import { names } from '../../lab/lab-info.ts';
import { type Reaper, startReaper } from '../../lab/reaper.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { ensureFlinkImage } from '../../lab/setup/flink-image.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import type { FlinkCheckpoints, FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import { flinkKubernetesJobs } from '../../regions/flink/flink-kubernetes-jobs.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import { serviceProxy } from '../../regions/kubernetes/service-proxy.ts';
import { clusterTest as test } from '../support/cluster-tests.ts';
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
let place: ClusterJobPlace;
let flink: FlinkJobs;

beforeAll(async () => {
  const progress = progressLines((line) => process.stderr.write(`${line}\n`), 15_000);
  folder = await mkdtemp(join(tmpdir(), 'argus-test-flink-'));
  reaper = startReaper(folder, labId);
  const image = await ensureFlinkImage(signal, progress);
  const dir = join(folder, 'mumbai');
  region = await startClusterRegion({ labId, name: 'mumbai', dir, images: [image.archive], signal, progress });
  // The machine's end of the region's cable: pods reach it, nobody else does.
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
    transactionalIdPrefix: 'counts-mumbai',
  };

  const { java } = await ensureArtifacts();
  await installFlink(region, { labId, java, objects: place.objects, signal, progress });

  const transport = await clientNodeTransport('mumbai', { kind: 'kubeconfig', files: [region.kubeconfig] });
  api = kubernetesClient(transport);
  const manifest = join(folder, clusterJob.manifest);
  await writeFile(manifest, standbyManifest(place));
  flink = flinkKubernetesJobs({
    region: 'mumbai',
    kubernetes: api,
    jobs: [
      {
        name: names.job,
        namespace,
        deployment,
        manifest: { kind: 'path', path: manifest },
        restorePath: { configMap: clusterJob.configMap, key: clusterJob.restorePathKey },
      },
    ],
    rest: () =>
      flinkRestJobs({
        region: 'mumbai',
        url: '',
        fetch: serviceProxy(transport, { namespace, service: `${deployment}-rest`, port: 'rest' }),
      }),
  });
}, buildTimeoutMs);
afterAll(async () => {
  await api?.close();
  await Promise.all([broker?.stop(), objects?.stop()]);
  await endClusterRegionsOf(labId);
  await reaper.end();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

interface OperatorStatus {
  readonly lifecycleState?: string;
  readonly jobManagerDeploymentStatus?: string;
  readonly jobStatus?: { readonly state?: string };
  readonly error?: string;
}

async function operatorStatus(): Promise<OperatorStatus> {
  const kind = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment' };
  return ((await api.get({ ...kind, namespace, name: deployment }))?.status ?? {}) as OperatorStatus;
}

/** The first answer that is wanted; fails with the last one, and with why there is none. */
async function eventually<T>(look: () => Promise<T>, wanted: (value: T) => boolean, timeoutMs = 240_000): Promise<T> {
  let last: unknown;
  for (const endsAt = Date.now() + timeoutMs; Date.now() < endsAt; await sleep(500)) {
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

const runningJob = async () => (await flink.list()).find(({ state }) => state === 'RUNNING');
const hasCompleted = ({ latestCompleted }: FlinkCheckpoints) => latestCompleted !== undefined;

test('the operator runs the job in pods, and the job restores from the path that it is started with', async () => {
  await api.apply(jobDeployment(place, 'running'));
  const first = await eventually(runningJob, (job) => job !== undefined);
  const jobId = first?.id ?? '';
  const { latestCompleted, restored } = await eventually(() => flink.checkpoints(jobId), hasCompleted);
  expect(restored).toBeUndefined();
  const path = latestCompleted?.path ?? '';
  expect(path).toMatch(new RegExp(`^s3://${bucket}/${names.checkpointPrefix}/${jobId}/chk-\\d+$`));
  const status = await eventually(operatorStatus, ({ lifecycleState }) => lifecycleState === 'STABLE');
  expect(status).toMatchObject({ jobManagerDeploymentStatus: 'READY', jobStatus: { state: 'RUNNING' } });
  expect((await flink.settings(jobId)).flinkVersion).toBe('1.20.5');

  await flink.cancel(jobId);
  const pods = async () => await api.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace });
  expect(await eventually(pods, (list) => list.length === 0, 60_000)).toEqual([]);

  const program = { jarPath: '', entryClass: names.jobClass, args: [], parallelism: names.parallelism };
  const newId = randomUUID().replaceAll('-', '');
  const second = await flink.start({ ...program, name: names.job, savepointPath: path, jobId: newId });
  const again = await eventually(() => flink.checkpoints(second.jobId), hasCompleted);
  expect(again.restored?.path).toBe(path);
  expect(again.latestCompleted?.id).toBeGreaterThan(latestCompleted?.id ?? 0);
  const settled = await eventually(operatorStatus, ({ lifecycleState }) => lifecycleState === 'STABLE');
  expect(settled.jobStatus?.state).toBe('RUNNING');
  const configMap = await api.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: clusterJob.configMap });
  expect(configMap?.data).toEqual({ [clusterJob.restorePathKey]: path });
}, 900_000);
