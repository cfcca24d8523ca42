import { execFile } from 'node:child_process';
import { createSign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import {
  buildTimeoutMs,
  namespaceNamed,
  startTestKubernetes,
  type TestKubernetes,
  untilAnswered,
} from '../support/kubernetes-api.ts';

let cluster: TestKubernetes;
let admin: KubernetesApi;
const namespace = 'argus-data';
const deployments = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment' };
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap' };

beforeAll(async () => {
  cluster = await startTestKubernetes({ with: ['controller-manager'] });
  admin = cluster.admin;
  await admin.create(namespaceNamed(namespace));
}, buildTimeoutMs);
afterAll(() => cluster?.stop());

const configMap = (name: string, data: Record<string, string>, more: object = {}): KubernetesObject => ({
  ...configMaps,
  metadata: { name, namespace, ...more },
  data,
});
const flinkDeployment = (name: string, change: (spec: Record<string, unknown>) => void = () => undefined) => {
  const spec: Record<string, unknown> = {
    image: 'counts:1',
    flinkVersion: 'v1_19',
    serviceAccount: 'flink',
    jobManager: { resource: { memory: '1024m', cpu: 0.5 } },
    taskManager: { resource: { memory: '1024m', cpu: 0.5 } },
    job: { jarURI: 'local:///opt/counts.jar', parallelism: 2, state: 'suspended', upgradeMode: 'stateless' },
  };
  change(spec);
  return { ...deployments, metadata: { name, namespace }, spec } as KubernetesObject;
};
const jobOf = (object: KubernetesObject | undefined) => ((object?.spec ?? {}) as { job: Record<string, unknown> }).job;
const within = async (condition: () => Promise<boolean>, ms = 60_000) => {
  for (const endsAt = Date.now() + ms; !(await condition()); await sleep(100)) expect(Date.now()).toBeLessThan(endsAt);
};
const kubectl = async (...args: string[]) => {
  const { binary, kubeconfig } = cluster.server;
  const { stdout } = await promisify(execFile)(binary, ['kubectl', '--kubeconfig', kubeconfig, ...args]);
  return stdout.trim();
};

describe('objects', () => {
  test('the server tells its version, and for whom it takes us', async () => {
    expect(await admin.version()).toMatch(/^v1\.\d+\.\d+$/);
    expect(await admin.user()).toMatchObject({ name: 'admin', groups: expect.arrayContaining(['system:masters']) });
  });

  test('what is absent is undefined, in a list nothing, at a deletion no error', async () => {
    const ref = { ...deployments, namespace, name: 'absent' };
    expect(await admin.get(ref)).toBeUndefined();
    expect(await admin.list(deployments, { namespace: 'nowhere' })).toEqual([]);
    expect(await admin.delete(ref)).toBe('absent');
    await expect(admin.patch(ref, {})).rejects.toMatchObject({ code: 'KubernetesObjectMissing' });
  });

  test('create makes a thing once; a dry run makes nothing', async () => {
    const object = configMap('created', { a: '1' });
    expect((await admin.create(object, { dryRun: true })).data).toEqual({ a: '1' });
    expect(await admin.get({ ...configMaps, namespace, name: 'created' })).toBeUndefined();
    expect((await admin.create(object)).metadata.uid).toBeDefined();
    await expect(admin.create(object)).rejects.toMatchObject({ code: 'KubernetesExists' });
  });

  test("apply makes a FlinkDeployment, takes a field from another manager, and leaves that one's others", async () => {
    const file = join(cluster.server.dir, 'deployment.json');
    writeFileSync(file, JSON.stringify(flinkDeployment('argus-flink')));
    await kubectl('apply', '--server-side', '-f', file);
    const given: KubernetesObject = {
      ...deployments,
      metadata: { name: 'argus-flink', namespace },
      spec: { job: { state: 'running', initialSavepointPath: 's3://replica/chk-10' } },
    };
    const tried = await admin.apply(given, { dryRun: true });
    expect(jobOf(tried).state).toBe('running');
    expect(jobOf(await admin.get({ ...deployments, namespace, name: 'argus-flink' })).state).toBe('suspended');
    const made = await admin.apply(given);
    expect(jobOf(made)).toMatchObject({ ...(given.spec as { job: object }).job, parallelism: 2 });
    const managers = made.metadata as unknown as { managedFields: { manager: string; operation: string }[] };
    expect(managers.managedFields).toContainEqual(expect.objectContaining({ manager: 'argus', operation: 'Apply' }));
    // What is applied no longer is taken away.
    const { initialSavepointPath: _, ...less } = (given.spec as { job: Record<string, unknown> }).job;
    expect(jobOf(await admin.apply({ ...given, spec: { job: less } }))).not.toHaveProperty('initialSavepointPath');
  });

  test('a patch changes what it names, under the state that it names', async () => {
    const made = await admin.apply(configMap('flink-config', { 'restore-path': 's3://a/chk-9', other: '1' }));
    const ref = { ...configMaps, namespace, name: 'flink-config' };
    const { resourceVersion } = made.metadata;
    const changed = await admin.patch(ref, {
      metadata: { resourceVersion },
      data: { 'restore-path': 's3://b/chk-10' },
    });
    expect(changed.data).toEqual({ 'restore-path': 's3://b/chk-10', other: '1' });
    await expect(admin.patch(ref, { metadata: { resourceVersion }, data: { other: '2' } })).rejects.toMatchObject({
      code: 'KubernetesConflict',
    });
    expect((await admin.patch(ref, { data: { other: null } }, { dryRun: true })).data).not.toHaveProperty('other');
    expect((await admin.get(ref))?.data).toEqual({ 'restore-path': 's3://b/chk-10', other: '1' });
  });

  test('lists by label, in as many pages as it takes', async () => {
    const small = await cluster.connect({ kind: 'kubeconfig', files: [cluster.server.kubeconfig] }, { pageSize: 2 });
    for (let i = 0; i < 5; i++) await admin.apply(configMap(`page-${i}`, {}, { labels: { paged: 'yes' } }));
    const found = await small.list(configMaps, { namespace, labels: 'paged=yes' });
    expect(found.map((o) => o.metadata.name)).toEqual(['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
    expect(found[0]).toMatchObject(configMaps);
    expect(await small.list(configMaps, { namespace: '*', fields: 'metadata.name=page-3' })).toHaveLength(1);
  });

  test('an object with a finalizer stays until that is through, and only the very object goes', async () => {
    const ref = { ...configMaps, namespace, name: 'held' };
    const { metadata } = await admin.apply(configMap('held', {}, { finalizers: ['argus.test/held'] }));
    await expect(admin.delete(ref, { uid: '00000000-0000-0000-0000-000000000000' })).rejects.toMatchObject({
      code: 'KubernetesConflict',
    });
    expect(await admin.delete(ref, { uid: metadata.uid, dryRun: true })).toBe('asked');
    expect((await admin.get(ref))?.metadata.deletionTimestamp).toBeUndefined();
    expect(await admin.delete(ref, { uid: metadata.uid })).toBe('asked');
    expect((await admin.get(ref))?.metadata.deletionTimestamp).toBeDefined();
    await admin.patch(ref, { metadata: { finalizers: null } });
    await within(async () => (await admin.get(ref)) === undefined);
  });

  test('in the foreground the owner goes after what it owns', async () => {
    const owner = await admin.apply(configMap('owner', {}));
    const { uid = '' } = owner.metadata;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, blockOwnerDeletion: true }];
    await admin.apply(configMap('owned', {}, { ownerReferences }));
    await admin.delete({ ...configMaps, namespace, name: 'owner' }, { dependents: 'foreground' });
    await within(async () => (await admin.get({ ...configMaps, namespace, name: 'owner' })) === undefined);
    expect(await admin.get({ ...configMaps, namespace, name: 'owned' })).toBeUndefined();
  });

  test('the events about an object, the latest last', async () => {
    const about = { kind: 'FlinkDeployment', apiVersion: deployments.apiVersion, namespace, name: 'argus-flink' };
    for (const [i, reason] of ['Submit', 'Failed'].entries()) {
      await admin.create({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `event-${reason.toLowerCase()}`, namespace },
        involvedObject: about,
        reason,
        type: 'Warning',
        message: `it was ${reason}`,
        lastTimestamp: `2026-11-21T10:00:0${9 - i}Z`,
      });
    }
    const events = await admin.events({ ...deployments, namespace, name: 'argus-flink' });
    expect(events.map((e) => e.reason)).toEqual(['Failed', 'Submit']);
    expect(events[1]).toMatchObject({ type: 'Warning', message: 'it was Submit', count: 1 });
  });
});

describe('what is refused', () => {
  test.each([
    ['an unknown field', (spec: Record<string, unknown>) => Object.assign(spec, { nope: 1 }), 'spec.nope'],
    [
      'an unknown value',
      (spec: Record<string, unknown>) => Object.assign(spec, { flinkVersion: 'v9_9' }),
      'spec.flinkVersion',
    ],
    [
      'a wrong type',
      (spec: Record<string, unknown>) => Object.assign(spec.job as object, { parallelism: 'two' }),
      'spec.job.parallelism',
    ],
  ])('%s: the field is named, and nothing is made', async (_what, change, field) => {
    const object = flinkDeployment('invalid', change);
    for (const dryRun of [true, false]) {
      const refusal = { code: 'KubernetesInvalid', message: expect.stringContaining(field), retryable: false };
      await expect(admin.apply(object, { dryRun })).rejects.toMatchObject(refusal);
      await expect(admin.create(object, { dryRun })).rejects.toMatchObject(refusal);
    }
    expect(await admin.get({ ...deployments, namespace, name: 'invalid' })).toBeUndefined();
  });

  test('a kind that is not installed, or only in another version', async () => {
    const absent = { apiVersion: 'absent.example/v1', kind: 'Absent' };
    await expect(admin.list(absent)).rejects.toMatchObject({
      code: 'KubernetesKindMissing',
      message: expect.stringContaining('nothing of the group absent.example is installed'),
    });
    await expect(admin.get({ ...deployments, apiVersion: 'flink.apache.org/v1', name: 'a' })).rejects.toMatchObject({
      code: 'KubernetesKindMissing',
      message: expect.stringContaining('only as flink.apache.org/v1beta1, not flink.apache.org/v1'),
    });
    await expect(admin.list({ ...deployments, kind: 'FlinkStateSnapshot' })).rejects.toMatchObject({
      code: 'KubernetesKindMissing',
      message: expect.stringContaining('has no FlinkStateSnapshot'),
    });
  });

  test('a namespace that is not there', async () => {
    const object = { ...configMap('a', {}), metadata: { name: 'a', namespace: 'nowhere' } };
    const refusal = { code: 'KubernetesNamespaceMissing', message: expect.stringContaining('nowhere') };
    await expect(admin.apply(object)).rejects.toMatchObject(refusal);
    await expect(admin.create(object)).rejects.toMatchObject(refusal);
  });

  test('what a quota is against, though RBAC allows it', async () => {
    await admin.apply(namespaceNamed('full'));
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace: 'full' } };
    await admin.apply({ ...quota, spec: { hard: { 'count/configmaps': '0' } } });
    // The API server's admission sees a quota by a watch of its own, some time after the quota's status tells it.
    let made = 0;
    await within(async () => {
      const early = { ...configMap('early', {}), metadata: { name: `early-${made++}`, namespace: 'full' } };
      return await admin.apply(early).then(
        () => false,
        () => true,
      );
    });
    const object = { ...configMap('a', {}), metadata: { name: 'a', namespace: 'full' } };
    await expect(admin.apply(object)).rejects.toMatchObject({
      code: 'KubernetesDenied',
      message: expect.stringContaining('exceeded quota: none'),
    });
  });
});

describe('who asks', () => {
  const connectWith = async (token: () => Promise<string>, timeoutMs = 10_000) => {
    const ca = readFileSync(join(cluster.server.dir, 'ca.crt'), 'utf8');
    return cluster.connect({ kind: 'server', url: cluster.server.server, token, ca, namespace }, { timeoutMs });
  };

  test('a service account may what its role says; else verb, resource and namespace are named', async () => {
    await kubectl('create', 'serviceaccount', 'argus', '-n', namespace);
    const role = ['--verb=get,patch', '--resource=configmaps,flinkdeployments.flink.apache.org'];
    await kubectl('create', 'role', 'argus', '-n', namespace, ...role);
    await kubectl(
      'create',
      'rolebinding',
      'argus',
      '-n',
      namespace,
      '--role=argus',
      `--serviceaccount=${namespace}:argus`,
    );
    const token = await kubectl('create', 'token', 'argus', '-n', namespace);
    const argus = await connectWith(async () => token);
    await untilAnswered(
      argus,
      { verb: 'get', group: 'flink.apache.org', resource: 'flinkdeployments', namespace },
      true,
    );
    expect((await argus.user()).name).toBe(`system:serviceaccount:${namespace}:argus`);
    expect(argus.namespace).toBe(namespace);
    // Absent: an object without namespace is in that of the connection.
    const ref = { ...deployments, name: 'argus-flink' };
    expect((await argus.get(ref))?.metadata.name).toBe('argus-flink');

    const forbidden = (verb: string, resource: string, where = `in the namespace ${namespace}`) => ({
      code: 'KubernetesForbidden',
      message: expect.stringContaining(`does not allow Argus to ${verb} ${resource} ${where}`),
      hint: expect.stringContaining(`kubectl auth can-i ${verb} `),
    });
    const flink = 'flinkdeployments.flink.apache.org';
    await expect(argus.delete(ref)).rejects.toMatchObject(forbidden('delete', flink));
    await expect(argus.list(deployments)).rejects.toMatchObject(forbidden('list', flink));
    await expect(argus.list(deployments, { namespace: '*' })).rejects.toMatchObject(
      forbidden('list', flink, 'in the whole cluster'),
    );
    await expect(argus.create(flinkDeployment('other'))).rejects.toMatchObject(forbidden('create', flink));
    await expect(argus.apply(flinkDeployment('other'))).rejects.toMatchObject(forbidden('create', flink));
    await expect(argus.logs({ name: 'a' })).rejects.toMatchObject(forbidden('get', 'pods/log'));
    const watching = argus.watch(deployments, {}, { signal: AbortSignal.timeout(10_000) })[Symbol.asyncIterator]();
    await expect(watching.next()).rejects.toMatchObject(forbidden('list', flink));

    const question = { group: 'flink.apache.org', resource: 'flinkdeployments', namespace };
    expect(await argus.may({ ...question, verb: 'patch' })).toBe(true);
    expect(await argus.may({ ...question, verb: 'delete' })).toBe(false);
    expect(await argus.may({ ...question, verb: 'patch', namespace: 'default' })).toBe(false);
    expect(await admin.may({ ...question, verb: 'delete' })).toBe(true);
  });

  test('an expired token is refused; where it is renewed, the call goes on', async () => {
    const expired = signedToken(readFileSync(join(cluster.server.dir, 'service-accounts.key'), 'utf8'), -60);
    const refusal = { code: 'KubernetesUnauthenticated', retryable: false, hint: expect.stringContaining('renew') };
    await expect((await connectWith(async () => expired)).list(configMaps)).rejects.toMatchObject(refusal);
    await expect((await connectWith(async () => 'nonsense')).list(configMaps)).rejects.toMatchObject(refusal);
    const good = readFileSync(join(cluster.server.dir, 'tokens.csv'), 'utf8').split(',')[0] ?? '';
    const tokens = [expired, good];
    const renewed = await connectWith(async () => tokens.shift() ?? good);
    expect((await renewed.user()).name).toBe('admin');
  });

  test('a client certificate of a kubeconfig', async () => {
    const file = join(cluster.server.dir, 'with-certificate');
    const { server } = cluster.server;
    writeFileSync(
      file,
      `clusters: [{ name: c, cluster: { server: '${server}', certificate-authority: ca.crt } }]
users: [{ name: u, user: { client-certificate: admin.crt, client-key: admin.key } }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
`,
    );
    const client = await cluster.connect({ kind: 'kubeconfig', files: [file], context: 'x' });
    expect((await client.user()).name).toBe('admin');
  });

  test('a server whose certificate is not trusted gets no token', async () => {
    const stranger = await cluster.connect({ kind: 'server', url: cluster.server.server, token: async () => 'x' });
    await expect(stranger.version()).rejects.toMatchObject({ code: 'KubernetesUntrusted' });
  });

  test("the name that a server's certificate must bear can be told", async () => {
    const ca = readFileSync(join(cluster.server.dir, 'ca.crt'), 'utf8');
    const [token = ''] = readFileSync(join(cluster.server.dir, 'tokens.csv'), 'utf8').split(',');
    const named = (serverName: string) =>
      cluster.connect({ kind: 'server', url: cluster.server.server, token: async () => token, ca, serverName });
    expect(await (await named('kubernetes.default.svc')).version()).toMatch(/^v1\./);
    await expect((await named('other.example')).version()).rejects.toMatchObject({ code: 'KubernetesUntrusted' });
  });
});

/** A token of a service account, signed by the cluster's own key, which ends so many seconds from now. */
function signedToken(key: string, seconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issuer = 'https://kubernetes.default.svc';
  const subject = `system:serviceaccount:${namespace}:default`;
  const claims = { iss: issuer, aud: [issuer], sub: subject, iat: now - 3_600, nbf: now - 3_600, exp: now + seconds };
  const body = `${encode({ alg: 'ES256', typ: 'JWT' })}.${encode(claims)}`;
  const signature = createSign('sha256').update(body).sign({ key, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}
