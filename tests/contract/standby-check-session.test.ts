import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compose } from '../../cli/compose.ts';
import { parseConfig } from '../../cli/config/parse.ts';
import { kubernetesSessionJobs } from '../../cli/open-flink.ts';
import { gatherStandbyKubernetes } from '../../health/gather-standby.ts';
import { judgeStandbyKubernetes, type StandbyKubernetes } from '../../health/standby-check.ts';
import { warmthOf } from '../../health/standby-warmth.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import { buildTimeoutMs, namespaceNamed, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';
import { fixtureFile, fixtureObjects } from '../support/kubernetes-fixtures.ts';
import { type SimulatedSessionClusters, simulateSessionClusters } from '../support/simulated-session-cluster.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

// Operator, session cluster and jobs are simulated; there are no nodes.
const namespace = 'argus-data';
const clusterRef = { ...flinkDeploymentKind, namespace, name: 'argus-session' };
const patience = { timeout: 60_000, interval: 200 };
const [clusterObject] = fixtureObjects('flink-session-standby.yaml');
let cluster: TestKubernetes;
let operator: SimulatedSessionClusters;
let dir: string;

beforeAll(async () => {
  cluster = await startTestKubernetes();
  dir = await mkdtemp(join(tmpdir(), 'argus-test-standby-session-'));
  await cluster.admin.apply(namespaceNamed(namespace));
  for (const name of ['default', 'flink']) {
    await cluster.admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  }
  operator = await simulateSessionClusters(cluster, namespace);
}, buildTimeoutMs);
afterAll(async () => {
  await operator?.stop();
  await cluster?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** What a check finds by this configuration; the primary has an application of the same job. */
async function look(manifest = fixtureFile('flink-session-standby.yaml')): Promise<StandbyKubernetes> {
  const flinkOf = (n: number) => `    flink:\n      rest: http://127.0.${n}.1:8081`;
  const section = `    kubernetes: { kubeconfig: ${cluster.server.kubeconfig} }
    flink: { kubernetes: { rest: '${operator.url}/{namespace}/{deployment}' } }`;
  const place = `{ namespace: ${namespace}, deployment: argus-session, sessionJob: argus-counts, standby: warm, manifest: ${manifest} }`;
  const primary = `{ namespace: ${namespace}, deployment: argus-flink, manifest: ${fixtureFile('flink-cluster-standby.yaml')} }`;
  const text = sampleYaml
    .replace(flinkOf(1), section)
    .replace(flinkOf(2), section)
    .replace(/ {4}submit:[\s\S]*?\ndns:/, `    kubernetes: { mumbai: ${primary}, singapore: ${place} }\ndns:`);
  const env = new Proxy({}, { get: () => 'secret' });
  const config = parseConfig(text, 'argus.yaml');
  const { regions, close } = await compose({ file: 'argus.yaml', folder: dir, config }, env);
  const singapore = regions.get('singapore')!;
  try {
    return await gatherStandbyKubernetes({
      kubernetes: singapore.kubernetes!,
      jobs: [],
      sessionJobs: kubernetesSessionJobs(config.jobs, 'singapore', dir),
      flink: singapore.flink,
      warm: new Set(['counts']),
      serviceProxy: false,
    });
  } finally {
    await close();
  }
}

const told = (facts: StandbyKubernetes) =>
  judgeStandbyKubernetes(facts)
    .map(({ severity, code }) => `${severity} ${code}`)
    // Of the primary, the nodes and the operator there is nothing here.
    .filter((each) => !/VersionsUnknown|NoNodes|OperatorUnknown|ImageToPull/.test(each));

test('a session cluster that has to be made, one that waits with its slots, and one that is none', async () => {
  const cold = await look();
  expect(told(cold)).toEqual(['warning StandbyNotWarm']);
  expect(warmthOf(cold)[0]?.what).toBe('the session cluster argus-data/argus-session is not there');

  await cluster.admin.create(clusterObject!);
  await expect.poll(async () => told(await look()), patience).toEqual([]);
  expect(warmthOf(await look())).toEqual([
    {
      job: 'counts',
      wanted: 'warm',
      is: 'warm',
      what: 'the session cluster argus-data/argus-session is ready, and 2 of its 2 slots are free',
    },
  ]);

  operator.silence(true);
  expect(told(await look()).filter((each) => each.includes('StandbyNotWarm'))).toHaveLength(1);
  operator.silence(false);

  await cluster.admin.patch(clusterRef, { spec: { job: { jarURI: 'local:///x.jar', parallelism: 2 } } });
  const none = told(await look());
  expect(none).toContain('refused NotASessionCluster');
  await cluster.admin.delete(clusterRef);
  await expect.poll(() => cluster.admin.get(clusterRef), patience).toBeUndefined();
});

test('without a cluster in the manifest nor in the region a start would be refused', async () => {
  const lone = join(dir, 'lone.yaml');
  await writeFile(lone, JSON.stringify(fixtureObjects('flink-session-standby.yaml')[1]));
  const found = told(await look(lone));
  expect(found).toContain('refused SessionClusterMissing');
});
