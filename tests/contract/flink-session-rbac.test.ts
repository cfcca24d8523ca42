import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArgusError } from '../../domain/errors.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { flinkSessionJobKind } from '../../regions/flink/flink-session-job.ts';
import { flinkSessionJobs } from '../../regions/flink/flink-session-jobs.ts';
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
const ref = { ...flinkSessionJobKind, namespace, name: 'argus-counts' };
const clusterRef = { ...flinkDeploymentKind, namespace, name: 'argus-session' };
const configMapRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'flink-config' };
const start = { name: 'counts', jarPath: '', entryClass: '', args: [], parallelism: 2, savepointPath: 's3://r/chk-1' };
const [clusterObject, jobObject] = fixtureObjects('flink-session-standby.yaml') as [KubernetesObject, KubernetesObject];

let cluster: TestKubernetes;
let transport: KubernetesTransport;
let rest: FlinkJobs;
let argus: FlinkJobs;

beforeAll(async () => {
  cluster = await startTestKubernetes();
  const { admin, server } = cluster;
  await admin.apply(namespaceNamed(namespace));
  await applyFixture(admin, 'rbac-session-primary.yaml');
  const configMap = fixtureObjects('flink-config.yaml')[0] as KubernetesObject;
  const text = readFileSync(fixtureFile('flink-session-standby.yaml'), 'utf8');
  const data = { 'flink-session-standby.yaml': `${text}---\n${JSON.stringify(configMap)}\n` };
  await admin.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'manifests', namespace }, data });
  const create = ['kubectl', '--kubeconfig', server.kubeconfig, 'create', 'token', 'argus', '-n', namespace];
  const token = (await promisify(execFile)(server.binary, create)).stdout.trim();
  const ca = readFileSync(join(server.dir, 'ca.crt'), 'utf8');
  transport = await clientNodeTransport('singapore', {
    kind: 'server',
    url: server.server,
    token: async () => token,
    ca,
  });
  const service = { namespace, service: 'argus-session-rest', port: 'rest' };
  rest = flinkRestJobs({ region: 'singapore', url: '', fetch: serviceProxy(transport, service) });
  argus = flinkSessionJobs({
    region: 'singapore',
    kubernetes: kubernetesClient(transport),
    jobs: [
      {
        name: 'counts',
        namespace,
        deployment: 'argus-session',
        sessionJob: 'argus-counts',
        manifest: { kind: 'config-map', configMap: 'manifests', key: 'flink-session-standby.yaml' },
        restorePath: { configMap: 'flink-config', key: 'restore-path' },
      },
    ],
    rest: () => rest,
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
  await admin.delete(clusterRef);
  await admin.delete(configMapRef);
  await admin.create(jobObject);
  await writeStatus({ jobStatus: { jobId: 'b'.repeat(32), state: 'FINISHED' } });
  await argus.check?.();
  await argus.slots();
  // Deleted, since it ran; made anew, with its cluster.
  await argus.start({ ...start, jobId });
  expect(await argus.list()).toMatchObject([{ id: jobId, state: 'INITIALIZING' }]);
  expect(await argus.failureOf(jobId)).toContain('the session cluster argus-data/argus-session is not ready');
}

/** Everything that the adapter does where it stops a job. */
async function stopScenario(): Promise<void> {
  const { admin } = cluster;
  await cleared();
  await admin.apply(clusterObject);
  const held = { ...jobObject.metadata, finalizers: ['argus.test/held'] };
  const spec = jobObject.spec as { readonly job: object };
  await admin.create({ ...jobObject, metadata: held, spec: { ...spec, job: { ...spec.job, state: 'running' } } });
  const [job] = await argus.list();
  const id = job?.id ?? '';
  expect(await argus.failureOf(id)).toContain('is not ready');
  await argus.cancel(id);
  // Nobody answers behind the service; with the right to ask, that is all that is told.
  const stop = { jobId, directory: 's3://b/s', triggerId: 'c'.repeat(32), format: 'NATIVE' } as const;
  for (const act of [() => rest.cancel(jobId), () => rest.stopWithSavepoint?.(stop)]) {
    const answer = await act()?.catch((error: unknown) => error);
    if (!(answer instanceof ArgusError) || answer.code !== 'FlinkUnreachable') throw answer;
  }
  const forced = await argus.forceStop?.(id);
  expect(forced?.done).toContain('took its finalizers away (argus.test/held)');
  expect(await argus.list()).toEqual([]);
}

/** What an earlier scenario left when it was stopped. */
async function cleared(): Promise<void> {
  const { admin } = cluster;
  if ((await admin.get(ref)) !== undefined) await admin.patch(ref, { metadata: { finalizers: null } });
  await admin.delete(ref);
}

/** What no controller writes here. */
async function writeStatus(status: object): Promise<void> {
  const { kubeconfig, binary } = cluster.server;
  const patch = ['patch', 'flinksessionjobs', ref.name, '-n', namespace, '--subresource=status', '--type=merge'];
  await promisify(execFile)(binary, [
    'kubectl',
    '--kubeconfig',
    kubeconfig,
    ...patch,
    '-p',
    JSON.stringify({ status }),
  ]);
}

for (const [side, scenario] of [
  ['standby', startScenario],
  // Suspending is the other way to stop, and needs no more than this one.
  ['primary', stopScenario],
] as const) {
  describe(`the role for a ${side} with session jobs`, () => {
    const file = `rbac-session-${side}.yaml`;
    const role = fixtureObjects(file).find((each) => each.kind === 'Role');
    const rules = rulesOf(role);
    // Without it a reason is not told, and nothing else changes.
    const pairs = rightsIn(rules).filter(([, resource]) => resource !== 'events');

    beforeAll(async () => {
      for (const other of ['primary', 'standby']) {
        const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', namespace };
        await cluster.admin.delete({ ...binding, name: `argus-session-${other}` });
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
        const wanted = new RegExp(`does not allow Argus to ${verb} ${resource}(\\.\\S+)? in the namespace argus-data`);
        expect(error).toMatchObject({ code: 'KubernetesForbidden', message: expect.stringMatching(wanted) });
      } finally {
        await cluster.admin.apply(role as KubernetesObject);
      }
    });

    test('without leave to read events a reason is missing, and nothing else', async () => {
      await cluster.admin.apply({ ...(role as KubernetesObject), rules: withoutRight(rules, 'events', 'list') });
      await untilTaken(kubernetesClient(transport), { verb: 'list', resource: 'events', group: '', namespace });
      await scenario();
      await cluster.admin.apply(role as KubernetesObject);
    });
  });
}
