import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArgusError } from '../../domain/errors.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import { flinkKubernetesJobs } from '../../regions/flink/flink-kubernetes-jobs.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import type { KubernetesTransport } from '../../regions/kubernetes/kubernetes-requests.ts';
import { serviceProxy } from '../../regions/kubernetes/service-proxy.ts';
import {
  buildTimeoutMs,
  namespaceNamed,
  startTestKubernetes,
  type TestKubernetes,
  untilTaken,
} from '../support/kubernetes-api.ts';
import { applyFixture, fixtureFile, fixtureObjects } from '../support/kubernetes-fixtures.ts';
import { groupOf, rightsIn, rulesOf, untilInForce, withoutRight } from '../support/kubernetes-roles.ts';

// No operator runs here, and none is simulated: what the roles allow is the API server's to say.
const namespace = 'argus-data';
const jobId = 'a'.repeat(32);
const ref = { ...flinkDeploymentKind, namespace, name: 'argus-flink' };
const jobManager = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'argus-flink-jm' };
const start = { name: 'counts', jarPath: '', entryClass: '', args: [], parallelism: 2, savepointPath: 's3://r/chk-1' };

let cluster: TestKubernetes;
let transport: KubernetesTransport;
let argus: FlinkJobs;

beforeAll(async () => {
  cluster = await startTestKubernetes();
  const { admin, server } = cluster;
  await admin.apply(namespaceNamed(namespace));
  await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  await applyFixture(admin, 'rbac-primary.yaml');
  const create = ['kubectl', '--kubeconfig', server.kubeconfig, 'create', 'token', 'argus', '-n', namespace];
  const token = (await promisify(execFile)(server.binary, create)).stdout.trim();
  const ca = readFileSync(join(server.dir, 'ca.crt'), 'utf8');
  transport = await clientNodeTransport('singapore', {
    kind: 'server',
    url: server.server,
    token: async () => token,
    ca,
  });
  argus = flinkKubernetesJobs({
    region: 'singapore',
    kubernetes: kubernetesClient(transport),
    jobs: [
      {
        name: 'counts',
        namespace,
        deployment: 'argus-flink',
        manifest: { kind: 'config-map', configMap: 'manifests', key: 'flink-cluster-standby.yaml' },
        restorePath: { configMap: 'flink-config', key: 'restore-path' },
      },
    ],
    rest: (job) =>
      flinkRestJobs({
        region: 'singapore',
        url: '',
        fetch: serviceProxy(transport, { namespace, service: `${job.deployment}-rest`, port: 'rest' }),
      }),
    startTimeoutMs: 5_000,
  });
}, buildTimeoutMs);

afterAll(async () => {
  await transport?.close();
  await cluster?.stop();
});

/** Everything that the adapter does where it starts a job; what is there before is made by the admin. */
async function startScenario(): Promise<void> {
  const { admin } = cluster;
  await cleared();
  await applyFixture(admin, 'flink-cluster-standby.yaml');
  await writeStatus('flinkdeployments', { jobStatus: { jobId: 'b'.repeat(32), state: 'FINISHED' } });
  const configMap = fixtureObjects('flink-config.yaml')[0] as KubernetesObject;
  const text = readFileSync(fixtureFile('flink-cluster-standby.yaml'), 'utf8');
  const data = { 'flink-cluster-standby.yaml': `${text}---\n${JSON.stringify(configMap)}\n` };
  await admin.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'manifests', namespace }, data });
  await admin.delete({ ...configMap, name: 'flink-config', namespace });
  // What a job that never came up leaves when it is ended by force.
  const left = { name: 'argus-flink-cluster-config-map', namespace };
  const labels = { app: 'argus-flink', 'configmap-type': 'high-availability' };
  await admin.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...left, labels } });
  await argus.check?.();
  await argus.slots();
  await argus.start({ ...start, jobId });
  await crashedJobManager();
  expect((await argus.list()).map((job) => job.id)).toEqual([jobId]);
  await readReasons();
  // It never ran: it is ended by force, to be made anew.
  expect((await argus.forceStop?.(jobId))?.done).toContain(`told pod ${jobManager.name} to end`);
  expect(await argus.list()).toEqual([]);
}

/** Everything that the adapter does where it stops a job. */
async function stopScenario(): Promise<void> {
  const { admin } = cluster;
  await cleared();
  await applyFixture(admin, 'flink-cluster-standby.yaml');
  const running = { metadata: { finalizers: ['argus.test/held'] }, spec: { job: { state: 'running' } } };
  await admin.patch(ref, running);
  await crashedJobManager();
  const [job] = await argus.list();
  const id = job?.id ?? '';
  await readReasons(id);
  // Nobody answers behind the service; with the right to ask, that is all that is told.
  const stop = { jobId: id, directory: 's3://b/s', triggerId: 'c'.repeat(32), format: 'NATIVE' } as const;
  const answer = await argus.stopWithSavepoint?.(stop).catch((error: unknown) => error);
  if (!(answer instanceof ArgusError) || answer.code !== 'FlinkUnreachable') throw answer;
  await argus.cancel(id);
  const forced = await argus.forceStop?.(id);
  expect(forced?.done).toContain('took its finalizers away (argus.test/held)');
  expect(await argus.list()).toEqual([]);
}

/** What an earlier scenario left when it was stopped. */
async function cleared(): Promise<void> {
  const { admin } = cluster;
  if ((await admin.get(ref)) !== undefined) await admin.patch(ref, { metadata: { finalizers: null } });
  await admin.delete(ref);
  await admin.delete(jobManager, { graceSeconds: 0 });
}

async function readReasons(id = jobId): Promise<void> {
  const why = (await argus.failureOf(id)) ?? '';
  expect(why).toContain('the JobManager has restarted 2 times');
  // Without leave the reason stands, and the rest of it is told as missing.
  if (why.includes('does not allow Argus')) throw new ArgusError('KubernetesForbidden', why);
}

async function crashedJobManager(): Promise<void> {
  const labels = { app: 'argus-flink', component: 'jobmanager', type: 'flink-native-kubernetes' };
  await cluster.admin.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: jobManager.name, namespace, labels },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'main', image: 'registry.example/flink' }] },
  });
  const main = { name: 'main', image: 'registry.example/flink', imageID: '', ready: false, restartCount: 2, state: {} };
  await writeStatus('pods', { phase: 'Running', containerStatuses: [main] }, jobManager.name);
}

/** What no controller writes here. */
async function writeStatus(resource: string, status: object, name = 'argus-flink'): Promise<void> {
  const { kubeconfig, binary } = cluster.server;
  const patch = ['patch', resource, name, '-n', namespace, '--subresource=status', '--type=merge'];
  const args = ['kubectl', '--kubeconfig', kubeconfig, ...patch, '-p', JSON.stringify({ status })];
  await promisify(execFile)(binary, args);
}

for (const [side, scenario] of [
  ['standby', startScenario],
  // Suspending is the other way to stop, and needs no more than this one.
  ['primary', stopScenario],
] as const) {
  describe(`the role for the ${side}`, () => {
    const file = `rbac-${side}.yaml`;
    const role = fixtureObjects(file).find((each) => each.kind === 'Role');
    const rules = rulesOf(role);
    // Without it a reason may not be told, and nothing else changes.
    const pairs = rightsIn(rules).filter(([, resource]) => resource !== 'events');

    beforeAll(async () => {
      for (const other of ['primary', 'standby']) {
        await cluster.admin.delete({
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          namespace,
          name: `argus-${other}`,
        });
      }
      await applyFixture(cluster.admin, file);
      await untilInForce(kubernetesClient(transport), rules, namespace);
    });

    test('suffices for all that Argus does there', scenario);

    test.each(pairs)('needs %s on %s, and its absence is told by that name', async (verb, resource) => {
      await cluster.admin.apply({ ...(role as KubernetesObject), rules: withoutRight(rules, resource, verb) });
      try {
        await untilTaken(kubernetesClient(transport), { verb, resource, group: groupOf(rules, resource), namespace });
        const error = await scenario().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toMatchObject({
          code: 'KubernetesForbidden',
          message: expect.stringMatching(
            new RegExp(`does not allow Argus to ${verb} ${resource}(\\.\\S+)? in the namespace argus-data`),
          ),
        });
      } finally {
        await cluster.admin.apply(role as KubernetesObject);
      }
    });

    test('without leave to read events a reason may be missing, and nothing else', async () => {
      await cluster.admin.apply({ ...(role as KubernetesObject), rules: withoutRight(rules, 'events', 'list') });
      try {
        await untilTaken(kubernetesClient(transport), { verb: 'list', resource: 'events', group: '', namespace });
        await scenario();
      } finally {
        await cluster.admin.apply(role as KubernetesObject);
      }
    });
  });
}
