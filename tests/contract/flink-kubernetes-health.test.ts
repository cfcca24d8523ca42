import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FlinkJobs, StartJob } from '../../regions/flink/flink-jobs.ts';
import { flinkKubernetesJobs } from '../../regions/flink/flink-kubernetes-jobs.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { buildTimeoutMs, namespaceNamed, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';
import { applyFixture, fixtureFile } from '../support/kubernetes-fixtures.ts';
import { type SimulatedFlinkOperator, simulateFlinkOperator } from '../support/simulated-flink-operator.ts';

// Everything but the API server is simulated here: tests/support/simulated-flink-operator.ts.
const namespace = 'argus-data';
const patience = { timeout: 60_000, interval: 100 };
const start: StartJob = { name: 'counts', jarPath: '', entryClass: '', args: [], parallelism: 2 };

let cluster: TestKubernetes;
let operator: SimulatedFlinkOperator;
let flink: FlinkJobs;

beforeAll(async () => {
  cluster = await startTestKubernetes();
  await cluster.admin.apply(namespaceNamed(namespace));
  // Without a controller manager nobody makes it.
  await cluster.admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  await applyFixture(cluster.admin, 'flink-config.yaml');
  operator = await simulateFlinkOperator(cluster, namespace);
  flink = flinkKubernetesJobs({
    region: 'singapore',
    kubernetes: cluster.admin,
    jobs: [
      {
        name: 'counts',
        namespace,
        deployment: 'argus-flink',
        manifest: { kind: 'path', path: fixtureFile('flink-cluster-standby.yaml') },
        restorePath: { configMap: 'flink-config', key: 'restore-path' },
      },
    ],
    rest: (of) => flinkRestJobs({ region: 'singapore', url: `${operator.url}/${of.namespace}/${of.deployment}` }),
    startTimeoutMs: 30_000,
  });
}, buildTimeoutMs);

afterAll(async () => {
  await operator?.stop();
  await cluster?.stop();
});

async function ended(): Promise<void> {
  for (const { id } of await flink.list()) await flink.cancel(id);
  await expect.poll(() => flink.list(), patience).toEqual([]);
}

test('an operator that does nothing: trouble, which a new object would not mend', async () => {
  const jobId = 'a'.repeat(32);
  operator.pause();
  await flink.start({ ...start, jobId, savepointPath: 's3://replica/points/chk-10' });
  expect((await flink.list())[0]?.state).toBe('INITIALIZING');
  const why = expect.stringContaining('the operator has not taken up argus-flink yet');
  expect(await flink.failureOf(jobId)).toEqual(why);
  const unreachable = { code: 'FlinkUnreachable', message: why, retryable: true };
  await expect(flink.checkpoints(jobId)).rejects.toMatchObject(unreachable);
  expect(await flink.health?.(jobId)).toMatchObject({ kind: 'troubled', why, remake: false });
  const again = { ...start, jobId: 'c'.repeat(32) };
  await expect(flink.start(again)).rejects.toMatchObject({ code: 'FlinkRefused' });
  operator.resume();
  await expect.poll(async () => (await flink.list())[0]?.state, patience).toBe('RUNNING');
  await ended();
});

test('no checkpoint at the path: without hope, and left to a person where nothing remembers whether the job ran', async () => {
  const jobId = 'b'.repeat(32);
  await flink.start({ ...start, jobId, savepointPath: 's3://replica/no/such/point' });
  await expect.poll(async () => (await flink.health?.(jobId))?.kind, patience).toBe('hopeless');
  expect(await flink.health?.(jobId)).toMatchObject({
    why: expect.stringContaining('Cannot find checkpoint or savepoint'),
    restarts: 2,
    remake: false,
    hint: expect.any(String),
  });
  await ended();
});
