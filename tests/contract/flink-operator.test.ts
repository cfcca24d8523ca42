import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClusterJobPlace, clusterJob, jobDeployment, jobSurroundings } from '../../lab/cluster-job/job-objects.ts';
import { sessionCluster, sessionJob, sessionNames } from '../../lab/cluster-job/session-objects.ts';
import { killProcesses } from '../../lab/components/process-table.ts';
import { startFlinkOperator } from '../../lab/operator/start-flink-operator.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import { flinkSessionJobKind, readSessionJob } from '../../regions/flink/flink-session-job.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { buildTimeoutMs, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';

const labId = randomUUID();
const { namespace, deployment: name } = clusterJob;
const place: ClusterJobPlace = {
  image: { name: 'localhost/argus-flink:test', jarUri: 'local:///opt/flink/usrlib/counts.jar' },
  brokers: '10.0.0.1:9092',
  objects: { endpoint: 'http://10.0.0.1:9000', bucket: 'checkpoints', accessKeyId: 'key', secretAccessKey: 'secret' },
  transactionalIdPrefix: 'counts',
};
let folder: string;
let kubernetes: TestKubernetes;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-test-operator-'));
  kubernetes = await startTestKubernetes({ with: ['controller-manager'] });
  for (const object of jobSurroundings(place.objects)) await kubernetes.admin.apply(object);
  const { java } = await ensureArtifacts();
  await startFlinkOperator({
    lab: { id: labId, dir: folder },
    component: 'mumbai/operator',
    kubeconfig: kubernetes.server.kubeconfig,
    java,
    namespaces: [namespace],
    progress: progressLines((line) => process.stderr.write(`${line}\n`)),
  });
}, buildTimeoutMs);
afterAll(async () => {
  await killProcesses(labId);
  await kubernetes?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface OperatorStatus {
  readonly lifecycleState?: string;
  readonly jobManagerDeploymentStatus?: string;
  readonly error?: string;
}
interface JobManager {
  readonly template: { readonly spec: { readonly containers: readonly Readonly<Record<string, unknown>>[] } };
}

const flinkDeployment = () =>
  kubernetes.admin.get({ apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', namespace, name });
const jobManager = () => kubernetes.admin.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name });
const containersOf = async () => ((await jobManager())?.spec as JobManager | undefined)?.template.spec.containers ?? [];
const statusOf = async () => ((await flinkDeployment())?.status ?? {}) as OperatorStatus;

async function eventually<T>(look: () => Promise<T>, want: (value: T) => boolean): Promise<T> {
  for (const endsAt = Date.now() + 120_000; ; await sleep(200)) {
    const value = await look();
    if (want(value) || Date.now() > endsAt) return value;
  }
}

test("the real operator leaves a suspended job alone, makes a running one's JobManager, and ends it with its object", async () => {
  await kubernetes.admin.create(jobDeployment(place, 'suspended'));
  const finalizers = async () => (await flinkDeployment())?.metadata.finalizers ?? [];
  expect(await eventually(finalizers, (list) => list.length > 0)).toEqual([
    'flinkdeployments.flink.apache.org/finalizer',
  ]);
  expect(await statusOf()).toEqual({});
  expect(await jobManager()).toBeUndefined();

  await kubernetes.admin.apply(jobDeployment(place, 'running'));
  const status = await eventually(statusOf, ({ jobManagerDeploymentStatus: is }) => is === 'DEPLOYING');
  expect(status).toMatchObject({ lifecycleState: 'DEPLOYED', jobManagerDeploymentStatus: 'DEPLOYING' });
  expect(status.error).toBeUndefined();
  const containers = await containersOf();
  expect(containers).toHaveLength(1);
  // What the image has to answer to.
  expect(containers[0]).toMatchObject({
    image: place.image.name,
    imagePullPolicy: 'Never',
    command: ['/docker-entrypoint.sh'],
    args: ['bash', '-c', 'kubernetes-jobmanager.sh kubernetes-application '],
  });
  const variables = (containers[0]?.env ?? []) as readonly { name: string; valueFrom?: unknown }[];
  expect(variables.find((each) => each.name === 'AWS_SECRET_ACCESS_KEY')?.valueFrom).toEqual({
    secretKeyRef: { name: 'flink-s3', key: 'secret-key' },
  });

  await kubernetes.admin.delete({ apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', namespace, name });
  expect(await eventually(flinkDeployment, (object) => object === undefined)).toBeUndefined();
  expect(await eventually(jobManager, (object) => object === undefined)).toBeUndefined();
});

test('a session job waits for its cluster, suspended without a note, and goes with its object where there is none', async () => {
  const ref = { ...flinkSessionJobKind, namespace, name: sessionNames.job };
  const cluster = { ...flinkDeploymentKind, namespace, name: sessionNames.cluster };
  const object = () => kubernetes.admin.get(ref);
  const seen = async () => readSessionJob((await object()) as KubernetesObject);
  await kubernetes.admin.create(sessionJob(place, '/nowhere/counts.jar', 'suspended'));
  const finalizers = async () => (await object())?.metadata.finalizers ?? [];
  expect(await eventually(finalizers, (list) => list.length > 0)).toEqual([
    'flinksessionjobs.flink.apache.org/finalizer',
  ]);
  // Never run: so the path of its first start is taken.
  expect(await seen()).toMatchObject({ ran: false, wanted: 'suspended' });

  await kubernetes.admin.apply(sessionJob(place, '/nowhere/counts.jar', 'running'));
  await kubernetes.admin.create(sessionCluster(place));
  const ofCluster = async () => (await kubernetes.admin.get(cluster))?.status as OperatorStatus | undefined;
  await eventually(ofCluster, (status) => status?.jobManagerDeploymentStatus === 'DEPLOYING');
  // Without pods it never is ready, and until then nothing is submitted.
  const job = await seen();
  expect(job.ran).toBe(false);
  expect(job.flinkId).toBeUndefined();

  await kubernetes.admin.delete(ref);
  expect(await eventually(object, (found) => found === undefined)).toBeUndefined();
  await kubernetes.admin.delete(cluster);
  expect(
    await eventually(
      () => kubernetes.admin.get(cluster),
      (found) => found === undefined,
    ),
  ).toBeUndefined();
});
