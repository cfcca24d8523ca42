import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyCrds, flinkCrds } from '../../lab/kubernetes/flink-crds.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import type { FlinkJobs, StartJob } from '../../regions/flink/flink-jobs.ts';
import { flinkKubernetesJobs } from '../../regions/flink/flink-kubernetes-jobs.ts';
import type { ManifestSource } from '../../regions/flink/flink-manifest-source.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import type { KubernetesAccess } from '../../regions/kubernetes/kubernetes-access.ts';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { buildTimeoutMs, namespaceNamed, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';
import { applyFixture, fixtureFile, fixtureObjects } from '../support/kubernetes-fixtures.ts';

// A real API server; no operator and no Flink. Whatever is wrong, nothing may be changed by it.
const namespace = 'argus-data';
const ref = { ...flinkDeploymentKind, namespace, name: 'argus-flink' };
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'flink-config' };
const path = 's3://replica/points/chk-7';
const start: StartJob = {
  name: 'counts',
  jarPath: '',
  entryClass: '',
  args: [],
  parallelism: 2,
  savepointPath: path,
  jobId: 'a'.repeat(32),
};

let cluster: TestKubernetes;
let dir: string;
let definition: KubernetesObject;

beforeAll(async () => {
  cluster = await startTestKubernetes({ flink: false });
  dir = await mkdtemp(join(tmpdir(), 'argus-test-bad-input-'));
  await cluster.admin.apply(namespaceNamed(namespace));
  await applyFixture(cluster.admin, 'flink-config.yaml');
  const [first] = await flinkCrds(AbortSignal.timeout(buildTimeoutMs));
  definition = first as KubernetesObject;
}, buildTimeoutMs);

afterAll(async () => {
  await cluster?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

function jobsBy(kubernetes: KubernetesApi, manifest?: ManifestSource): FlinkJobs {
  return flinkKubernetesJobs({
    region: 'singapore',
    kubernetes,
    jobs: [
      {
        name: 'counts',
        namespace,
        deployment: 'argus-flink',
        manifest: manifest ?? { kind: 'path', path: fixtureFile('flink-cluster-standby.yaml') },
        restorePath: { configMap: 'flink-config', key: 'restore-path' },
      },
    ],
    rest: () => flinkRestJobs({ region: 'singapore', url: 'http://127.0.0.1:1' }),
    startTimeoutMs: 5_000,
  });
}

/** Each way to use the jobs is refused in the same words, and leaves everything as it was. */
async function refused(by: FlinkJobs, refusal: { readonly code: string; readonly message: unknown }): Promise<void> {
  const before = await cluster.admin.get(configMap);
  await expect(by.check?.()).rejects.toMatchObject(refusal);
  await expect(by.start(start)).rejects.toMatchObject(refusal);
  expect(await cluster.admin.get(configMap)).toEqual(before);
}

async function withDefinition(crd: KubernetesObject, act: () => Promise<void>): Promise<void> {
  const { apiVersion, kind, metadata } = crd;
  await applyCrds(cluster.admin, [crd], AbortSignal.timeout(60_000));
  try {
    await act();
  } finally {
    const of = { apiVersion, kind, name: metadata.name };
    await cluster.admin.delete(of);
    await expect.poll(() => cluster.admin.get(of)).toBeUndefined();
  }
}

describe('the operator’s definition', () => {
  test('is not there: the group is named, and what to install', async () => {
    const message = expect.stringContaining('nothing of the group flink.apache.org is installed there');
    await refused(jobsBy(cluster.admin), { code: 'KubernetesKindMissing', message });
    await expect(jobsBy(cluster.admin).list()).rejects.toMatchObject({
      code: 'KubernetesKindMissing',
      hint: expect.stringContaining('install the definitions of the Flink Kubernetes Operator'),
    });
  });

  test('is there in another version: both are named', async () => {
    const spec = definition.spec as { readonly versions: readonly { readonly name: string }[] };
    const other = { ...definition, spec: { ...spec, versions: [{ ...spec.versions[0], name: 'v2' }] } };
    await withDefinition(other, async () => {
      const message = expect.stringContaining('only as flink.apache.org/v2, not flink.apache.org/v1beta1');
      // Which versions there are the server tells a while after the definition was made.
      const told = () =>
        jobsBy(cluster.admin)
          .check?.()
          .catch((error: Error) => error.message);
      await expect.poll(told).toEqual(message);
      await refused(jobsBy(cluster.admin), { code: 'KubernetesKindMissing', message });
    });
  });
});

describe('the credentials', () => {
  const connect = (access: KubernetesAccess) => cluster.connect(access, { timeoutMs: 5_000 });

  test('a context that the kubeconfig has not: the contexts that it has are named', async () => {
    const access = { kind: 'kubeconfig', files: [cluster.server.kubeconfig], context: 'elsewhere' } as const;
    await expect(connect(access)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('elsewhere') });
  });

  test('a token that is none any more', async () => {
    const ca = readFileSync(join(cluster.server.dir, 'ca.crt'), 'utf8');
    const url = cluster.server.server;
    const expired = await connect({ kind: 'server', url, token: async () => 'expired', ca, namespace });
    const message = expect.stringContaining('refuses the credentials: they have expired');
    await refused(jobsBy(expired), { code: 'KubernetesUnauthenticated', message });
    // Several questions at once, each of which has the credentials read again.
    for (let i = 0; i < 10; i++) {
      await expect(jobsBy(expired).list()).rejects.toMatchObject({ code: 'KubernetesUnauthenticated' });
    }
  });
});

test('the samples of what starts only with the role are taken, by a dry run', async () => {
  await withDefinition(definition, async () => {
    for (const object of ['flink-cluster-role.yaml', 'ingress-role.yaml'].flatMap(fixtureObjects)) {
      const taken = await cluster.admin.apply(object, { dryRun: true });
      expect(taken).toMatchObject({ kind: object.kind, metadata: { name: object.metadata.name } });
    }
    expect(await cluster.admin.get(ref)).toBeUndefined();
  });
});

describe('the manifest', () => {
  const good = readFileSync(fixtureFile('flink-cluster-standby.yaml'), 'utf8');

  test.each([
    ['no YAML', () => `${good}\n  broken: [`, 'ManifestInvalid', /wrong\.yaml:\d+:\d+/],
    [
      'another kind',
      () => good.replace('kind: FlinkDeployment', 'kind: Job'),
      'ManifestInvalid',
      /wrong\.yaml:\d+:\d+: kind/,
    ],
    [
      'another name',
      () => good.replace('name: argus-flink', 'name: other'),
      'ManifestInvalid',
      /wrong\.yaml: there is no FlinkDeployment.*argus-flink/,
    ],
    [
      'a version that the operator does not know',
      () => good.replace('v1_19', 'v9_9'),
      'KubernetesInvalid',
      /spec\.flinkVersion/,
    ],
    [
      'a field that it does not have',
      () => good.replace('flinkVersion:', 'flinkVersoin:'),
      'KubernetesInvalid',
      /flinkVersoin/,
    ],
  ])('%s: file or field is named', async (_what, text, code, message) => {
    await withDefinition(definition, async () => {
      const file = join(dir, 'wrong.yaml');
      await writeFile(file, text());
      await refused(jobsBy(cluster.admin, { kind: 'path', path: file }), {
        code,
        message: expect.stringMatching(message),
      });
      expect(await cluster.admin.get(ref)).toBeUndefined();
    });
  });
});
