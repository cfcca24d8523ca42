import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compose } from '../../cli/compose.ts';
import { parseConfig } from '../../cli/config/parse.ts';
import { flinkCrds } from '../../lab/kubernetes/flink-crds.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import type { FlinkJobs, StartJob } from '../../regions/flink/flink-jobs.ts';
import { flinkKubernetesJobs } from '../../regions/flink/flink-kubernetes-jobs.ts';
import type { KubernetesJob } from '../../regions/flink/flink-kubernetes-look.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { buildTimeoutMs, namespaceNamed, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';
import { applyFixture, fixtureFile, fixtureObjects } from '../support/kubernetes-fixtures.ts';
import { type SimulatedFlinkOperator, simulateFlinkOperator } from '../support/simulated-flink-operator.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';
import { flinkJobsContract } from './flink-jobs.suite.ts';

// Everything but the API server is simulated here: tests/support/simulated-flink-operator.ts.
const namespace = 'argus-data';
const point = 's3://argus-flink-checkpoints-replica/argus/replica/counts/points/10/chk-10';
const ref = { ...flinkDeploymentKind, namespace, name: 'argus-flink' };
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'flink-config' };
const patience = { timeout: 60_000, interval: 100 };
const seed: KubernetesJob = {
  name: 'counts',
  namespace,
  deployment: 'argus-flink',
  manifest: { kind: 'path', path: fixtureFile('flink-cluster-standby.yaml') },
  restorePath: { configMap: 'flink-config', key: 'restore-path' },
};
const job: StartJob = { name: 'counts', jarPath: '', entryClass: '', args: [], parallelism: 2, savepointPath: point };

let cluster: TestKubernetes;
let operator: SimulatedFlinkOperator;
let flink: FlinkJobs;
let dir: string;
let attempt = 0;

function connect(kubernetes: KubernetesApi, over: Partial<KubernetesJob> = {}, stop: 'delete' | 'suspend' = 'delete') {
  return flinkKubernetesJobs({
    region: 'singapore',
    kubernetes,
    jobs: [{ ...seed, ...over }],
    rest: (of) => flinkRestJobs({ region: 'singapore', url: `${operator.url}/${of.namespace}/${of.deployment}` }),
    stop,
    startTimeoutMs: 30_000,
  });
}

/** The operator's definition as later ones have it. */
function withNonce(crd: KubernetesObject): KubernetesObject {
  const text = JSON.stringify(crd);
  const path = '"savepointTriggerNonce":{"type":"integer"}';
  if (!text.includes(path)) throw new Error('the definition has another form');
  return JSON.parse(text.replace(path, `${path},"savepointRedeployNonce":{"type":"integer"}`));
}

/** An id that no job had. */
const nextId = () => `${++attempt}`.padStart(32, '0');
const stateOf = async (jobId: string) => (await flink.list()).find((each) => each.id === jobId)?.state;
const objectNow = () => cluster.admin.get(ref);
const jobSpec = async () => ((await objectNow())?.spec as { job: Record<string, unknown> } | undefined)?.job;
const restorePath = async () =>
  ((await cluster.admin.get(configMap))?.data as Record<string, string> | undefined)?.['restore-path'];
const running = (jobId: string) => expect.poll(() => stateOf(jobId), patience).toBe('RUNNING');

async function ended(by: FlinkJobs = flink): Promise<void> {
  for (const { id } of await by.list()) await by.cancel(id);
  await expect.poll(() => by.list(), patience).toEqual([]);
}

beforeAll(async () => {
  cluster = await startTestKubernetes();
  dir = await mkdtemp(join(tmpdir(), 'argus-test-flink-kubernetes-'));
  await cluster.admin.apply(namespaceNamed(namespace));
  // Without a controller manager nobody makes it.
  await cluster.admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  await applyFixture(cluster.admin, 'flink-config.yaml');
  operator = await simulateFlinkOperator(cluster, namespace);
  flink = connect(cluster.admin);
}, buildTimeoutMs);

afterAll(async () => {
  await operator?.stop();
  await cluster?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

describe('as every Flink, simulated', () => flinkJobsContract(() => ({ flink, job })));

describe("the seed's own way", () => {
  test('the manifest is applied with the path, which the ConfigMap gets, too', async () => {
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    expect(await restorePath()).toBe(point);
    expect(await jobSpec()).toMatchObject({ state: 'running', initialSavepointPath: point, parallelism: 2 });
    await running(jobId);
    expect((await flink.checkpoints(jobId)).restored?.path).toBe(point);
    expect(await flink.slots()).toEqual({ free: 0, total: 2 });
    await ended();
    expect(await objectNow()).toBeUndefined();
  });

  test.each([
    ['delete', []],
    ['suspend', ['SUSPENDED']],
  ] as const)('a job that was stopped with a savepoint is kept from starting again: %s', async (how, left) => {
    const by = connect(cluster.admin, {}, how);
    const jobId = nextId();
    await by.start({ ...job, jobId });
    await running(jobId);
    const triggerId = 'a'.repeat(32);
    expect(await by.savepointStop?.(jobId, triggerId)).toEqual({ kind: 'unknown' });
    await by.stopWithSavepoint?.({ jobId, triggerId, directory: 's3://primary/savepoints', format: 'NATIVE' });
    expect(await by.savepointStop?.(jobId, triggerId)).toMatchObject({ kind: 'done' });
    expect(await by.list()).toMatchObject([{ id: jobId, state: 'FINISHED' }]);
    await by.settle?.(jobId);
    const ids = async () => (await by.list()).map(({ id, state }) => `${state} ${id}`);
    await expect.poll(ids, patience).toEqual(left.map((state) => `${state} ${jobId}`));
    await ended(connect(cluster.admin));
  });

  test('what the cluster refuses is told by its field, and nothing is changed', async () => {
    const file = join(dir, 'wrong.yaml');
    const text = readFileSync(fixtureFile('flink-cluster-standby.yaml'), 'utf8');
    await writeFile(file, text.replace('flinkVersion: v1_19', 'flinkVersion: v9_9'));
    const wrong = connect(cluster.admin, { manifest: { kind: 'path', path: file } });
    const before = await restorePath();
    const other = { ...job, savepointPath: 's3://elsewhere/chk-1', jobId: nextId() };
    const refusal = { code: 'KubernetesInvalid', message: expect.stringContaining('spec.flinkVersion') };
    await expect(wrong.check?.()).rejects.toMatchObject(refusal);
    await expect(wrong.start(other)).rejects.toMatchObject(refusal);
    await flink.check?.();
    const noMap = connect(cluster.admin, { restorePath: { configMap: 'absent', key: 'restore-path' } });
    await expect(noMap.start(other)).rejects.toMatchObject({ code: 'KubernetesObjectMissing' });
    expect(await restorePath()).toBe(before);
    expect(await objectNow()).toBeUndefined();
  });

  test('a manifest in a ConfigMap, and one that is not one', async () => {
    const text = readFileSync(fixtureFile('flink-cluster-standby.yaml'), 'utf8');
    const data = { good: text, bad: text.replace('kind: FlinkDeployment', 'kind: FlinkSessionJob') };
    await cluster.admin.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'manifests', namespace },
      data,
    });
    const from = (key: string) =>
      connect(cluster.admin, { manifest: { kind: 'config-map', configMap: 'manifests', key } });
    await expect(from('bad').slots()).rejects.toMatchObject({
      code: 'ManifestInvalid',
      exitCode: 2,
      message: expect.stringContaining('ConfigMap argus-data/manifests bad:2:1: kind:'),
    });
    await expect(from('none').start({ ...job, jobId: nextId() })).rejects.toMatchObject({ code: 'ManifestInvalid' });
    const jobId = nextId();
    await from('good').start({ ...job, jobId });
    await running(jobId);
    await ended();
  });
});

describe('by the configuration', () => {
  /** Both regions are the same cluster here; nothing of the others is asked. */
  const composed = async (manifest: string) => {
    const place = `{ namespace: ${namespace}, deployment: argus-flink, manifest: ${manifest} }`;
    const flinkOf = (n: number) => `    flink:\n      rest: http://127.0.${n}.1:8081`;
    const section = `    kubernetes: { kubeconfig: ${cluster.server.kubeconfig} }
    flink: { kubernetes: { rest: '${operator.url}/{namespace}/{deployment}' } }`;
    const text = sampleYaml
      .replace(flinkOf(1), section)
      .replace(flinkOf(2), section)
      .replace(/ {4}submit:[\s\S]*?\ndns:/, `    kubernetes: { mumbai: ${place}, singapore: ${place} }\ndns:`);
    const env = new Proxy({}, { get: () => 'secret' });
    return compose({ file: 'argus.yaml', folder: dir, config: parseConfig(text, 'argus.yaml') }, env);
  };

  test('a region has the FlinkDeployments that it names', async () => {
    const { regions, close } = await composed(fixtureFile('flink-cluster-standby.yaml'));
    const singapore = regions.get('singapore')?.flink as FlinkJobs;
    await singapore.check?.();
    const jobId = nextId();
    await singapore.start({ ...job, jobId });
    await expect.poll(async () => (await singapore.list())[0]?.state, patience).toBe('RUNNING');
    expect((await singapore.checkpoints(jobId)).restored?.path).toBe(point);
    await ended(singapore);
    await close();
  });

  test('a manifest that can not be used ends a failover before it begins, with exit code 2', async () => {
    await writeFile(join(dir, 'no-job.yaml'), readFileSync(fixtureFile('flink-config.yaml')));
    const { regions, close } = await composed('no-job.yaml');
    const refusal = { code: 'ManifestInvalid', exitCode: 2, message: expect.stringContaining('no-job.yaml') };
    await expect(regions.get('singapore')?.flink.check?.()).rejects.toMatchObject(refusal);
    await close();
  });
});

describe('the route to our path', () => {
  test('made suspended and never run: the very object takes it, with and without a manifest', async () => {
    for (const manifest of [seed.manifest, undefined]) {
      await applyFixture(cluster.admin, 'flink-cluster-standby.yaml');
      const { uid } = (await objectNow())?.metadata ?? {};
      expect(await flink.list()).toEqual([]);
      const jobId = nextId();
      await connect(cluster.admin, { manifest }).start({ ...job, jobId });
      await running(jobId);
      expect((await objectNow())?.metadata.uid).toBe(uid);
      expect((await flink.checkpoints(jobId)).restored?.path).toBe(point);
      await ended();
    }
  });

  test('an empty start takes a path away that the object has from somebody else', async () => {
    for (const manifest of [seed.manifest, undefined]) {
      const [made] = fixtureObjects('flink-cluster-standby.yaml');
      const spec = made?.spec as { job: object };
      const initialSavepointPath = 's3://old/chk-1';
      await cluster.admin.create({ ...made!, spec: { ...spec, job: { ...spec.job, initialSavepointPath } } });
      const { savepointPath: _, ...empty } = job;
      const jobId = nextId();
      await connect(cluster.admin, { manifest }).start({ ...empty, jobId });
      await running(jobId);
      expect(await jobSpec()).not.toHaveProperty('initialSavepointPath');
      expect((await flink.checkpoints(jobId)).restored).toBeUndefined();
      await ended();
    }
  });

  test('run before and suspended: it is made anew, since it would restore its own state', async () => {
    const suspending = connect(cluster.admin, {}, 'suspend');
    const [first, second] = [nextId(), nextId()];
    await flink.start({ ...job, jobId: first });
    await running(first);
    const { uid } = (await objectNow())?.metadata ?? {};
    await suspending.cancel(first);
    await expect.poll(() => stateOf(first), patience).toBe('SUSPENDED');
    const bare = connect(cluster.admin, { manifest: undefined });
    await expect(bare.start({ ...job, jobId: second })).rejects.toMatchObject({ code: 'ManifestMissing', exitCode: 2 });
    await flink.start({ ...job, jobId: second });
    await running(second);
    expect((await objectNow())?.metadata.uid).not.toBe(uid);
    expect((await flink.checkpoints(second)).restored?.path).toBe(point);
    await ended();
  });

  test('an object that the operator changed meanwhile is looked at again', async () => {
    await applyFixture(cluster.admin, 'flink-cluster-standby.yaml');
    let changes = 0;
    const busy: KubernetesApi = {
      ...cluster.admin,
      async apply(object, options) {
        if (options?.dryRun !== true && changes++ === 0) {
          await cluster.admin.patch(ref, { metadata: { annotations: { 'argus.test/changed': 'meanwhile' } } });
        }
        return cluster.admin.apply(object, options);
      },
    };
    const jobId = nextId();
    await connect(busy).start({ ...job, jobId });
    expect(changes).toBeGreaterThanOrEqual(2);
    await running(jobId);
    await ended();
  });

  test("a job that restored something else is told, by its own word and not the object's", async () => {
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    await running(jobId);
    await connect(cluster.admin, {}, 'suspend').cancel(jobId);
    await expect.poll(() => stateOf(jobId), patience).toBe('SUSPENDED');
    // By hand, as the old plan had it.
    await cluster.admin.patch(ref, { spec: { job: { state: 'running', initialSavepointPath: point } } });
    await running(jobId);
    expect(await jobSpec()).toMatchObject({ initialSavepointPath: point });
    await expect(flink.checkpoints(jobId)).rejects.toMatchObject({
      code: 'RestoredElsewhere',
      message: expect.stringContaining('s3://own/checkpoints/'),
    });
    await ended();
  });

  test('state that an earlier one left for itself is not restored by chance', async () => {
    const name = 'argus-flink-cluster-config-map';
    const labels = { app: 'argus-flink', 'configmap-type': 'high-availability' };
    const data = { 'checkpointID-0000000000000000007': 'a pointer' };
    await cluster.admin.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, data });
    await expect(flink.start({ ...job, jobId: nextId() })).rejects.toMatchObject({
      code: 'FlinkLeftovers',
      message: expect.stringContaining(name),
    });
    expect(await objectNow()).toBeUndefined();
    // Without a checkpoint it is nothing that could be preferred to the path.
    await cluster.admin.patch({ ...configMap, name }, { data: null });
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    expect(await cluster.admin.get({ ...configMap, name })).toBeUndefined();
    await running(jobId);
    await ended();
  });
});

describe('an operator whose definition has savepointRedeployNonce', () => {
  test('run before and suspended: the very object takes the path, by another nonce', async () => {
    const [crd] = await flinkCrds(AbortSignal.timeout(60_000));
    await cluster.admin.apply(withNonce(crd as KubernetesObject));
    const [first, second] = [nextId(), nextId()];
    await flink.start({ ...job, jobId: first });
    await running(first);
    const { uid } = (await objectNow())?.metadata ?? {};
    await connect(cluster.admin, {}, 'suspend').cancel(first);
    await expect.poll(() => stateOf(first), patience).toBe('SUSPENDED');
    operator.pause();
    // The schema that the server checks by follows its definition after a while.
    await expect.poll(() => flink.start({ ...job, jobId: second }).catch(() => undefined), patience).toBeDefined();
    expect(await jobSpec()).toMatchObject({ savepointRedeployNonce: 1, initialSavepointPath: point });
    // What the operator said of the job before is not said of this one.
    expect(await stateOf(second)).toBe('INITIALIZING');
    operator.resume();
    await running(second);
    expect((await objectNow())?.metadata.uid).toBe(uid);
    expect((await flink.checkpoints(second)).restored?.path).toBe(point);
    await ended();
  });
});

describe('the end of a job', () => {
  test('it is over only when its pods are; force ends them, and says what it did', async () => {
    operator.loseNode(true);
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    await running(jobId);
    await flink.cancel(jobId);
    await expect.poll(objectNow, patience).toBeUndefined();
    // The object is gone, and the old plan would go on here.
    expect((await flink.list()).map((each) => each.state)).toEqual(['CANCELLING']);
    const [left] = await flink.list();
    const unproven = ['pod argus-flink-jobmanager on lost-node', 'pod argus-flink-taskmanager on lost-node'];
    expect(await flink.forceStop?.(left?.id ?? '')).toEqual({ done: [], unproven });
    expect(await flink.list()).toHaveLength(1);
    expect(await flink.forceStop?.(left?.id ?? '', { giveUp: true })).toEqual({
      done: [
        'gave up pod argus-flink-jobmanager on lost-node, which was told to end and has not',
        'gave up pod argus-flink-taskmanager on lost-node, which was told to end and has not',
      ],
      unproven,
    });
    expect(await flink.list()).toEqual([]);
    operator.loseNode(false);
  });

  test('an object that hangs on its finalizer, since the operator is down', async () => {
    const jobId = nextId();
    await flink.start({ ...job, jobId });
    await running(jobId);
    operator.pause();
    await flink.cancel(jobId);
    await flink.cancel(jobId);
    expect(await stateOf(jobId)).toBe('RUNNING');
    expect(await flink.forceStop?.(jobId)).toEqual({
      done: [
        'told pod argus-flink-jobmanager to end',
        'told pod argus-flink-taskmanager to end',
        'took its finalizers away (flinkdeployments.flink.apache.org/finalizer)',
      ],
      unproven: [],
    });
    expect(await objectNow()).toBeUndefined();
    // Its REST interface still answers: simulated, no process ended with the pod. So it counts as running.
    expect(await stateOf(jobId)).toBe('RUNNING');
    operator.resume();
    await expect.poll(() => flink.list(), patience).toEqual([]);
  });

  test('a frozen API server ends every question by its deadline: nothing is proven', async () => {
    const hasty = await cluster.connect({ kind: 'kubeconfig', files: [cluster.server.kubeconfig] }, { timeoutMs: 500 });
    const asked = connect(hasty);
    await asked.list();
    operator.pause();
    cluster.server.freeze();
    try {
      const unreachable = { code: 'KubernetesUnreachable', retryable: true };
      await expect(asked.list()).rejects.toMatchObject(unreachable);
      await expect(asked.start({ ...job, jobId: nextId() })).rejects.toMatchObject(unreachable);
      await expect(flink.list({ signal: AbortSignal.timeout(300) })).rejects.toMatchObject({ name: 'TimeoutError' });
    } finally {
      cluster.server.thaw();
      operator.resume();
    }
    await expect.poll(() => asked.list().catch(() => undefined), patience).toEqual([]);
  });
});
