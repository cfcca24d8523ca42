import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compose } from '../../cli/compose.ts';
import { parseConfig } from '../../cli/config/parse.ts';
import { drillSites } from '../../cli/drill/drill-sites.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { bubbleOf } from '../../domain/bubble.ts';
import type { Clock } from '../../domain/clock.ts';
import type { JobConfig } from '../../domain/config.ts';
import { bubbleRegion, type DrillSite } from '../../drills/bubble-region.ts';
import { type DrillPlan, planDrill } from '../../drills/isolated/plan.ts';
import { sweepUnderLease } from '../../drills/isolated/run-sweep.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import type { StartJob } from '../../regions/flink/flink-jobs.ts';
import { type DrillFlink, flinkKubernetesDrills } from '../../regions/flink/flink-kubernetes-drills.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import type { KubernetesTransport } from '../../regions/kubernetes/kubernetes-requests.ts';
import { serviceProxy } from '../../regions/kubernetes/service-proxy.ts';
import { openDrills } from '../../runbooks/failover/open-drills.ts';
import { endDrill } from '../../runbooks/failover/steps/end-drill.ts';
import { writeDrillNote } from '../../state/drill-notes.ts';
import {
  buildTimeoutMs,
  namespaceNamed,
  startTestKubernetes,
  type TestKubernetes,
  untilAnswered,
  untilTaken,
} from '../support/kubernetes-api.ts';
import { applyFixture, fixtureFile, fixtureObjects } from '../support/kubernetes-fixtures.ts';
import { groupOf, rightsIn, rulesOf, withoutRight } from '../support/kubernetes-roles.ts';
import { type SimulatedFlinkOperator, simulateFlinkOperator } from '../support/simulated-flink-operator.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';
import { drillConfig, drillName, drillWorld } from '../unit/drills/isolated/world.ts';

// Objects, rules and rights are a real API server's; the operator, the pods and the jobs are simulated
// (tests/support/simulated-flink-operator.ts), Kafka and the stores are in memory.
const namespace = 'argus-drills';
const production = 'argus-data';
const patience = { timeout: 20_000, interval: 100 };
const sample = readFileSync(fixtureFile('flink-cluster-drill.yaml'), 'utf8');
const [plain] = drillConfig.jobs as [JobConfig];
const config = {
  ...plain,
  drill: { ...plain.drill!, kubernetes: { singapore: { namespace, manifest: 'drill.yaml' } } },
} satisfies JobConfig;

/** Ten times as fast as the wall's: what is waited for is real. */
const clock: Clock = {
  now: () => wallClock.now(),
  monotonic: () => wallClock.monotonic() * 10,
  sleep: (ms, signal) => wallClock.sleep(ms / 10, signal),
};

let cluster: TestKubernetes;
let operator: SimulatedFlinkOperator;
let transport: KubernetesTransport;
/** By the rights of fixtures/kubernetes/rbac-drill.yaml alone. */
let flink: DrillFlink;

const objectsIn = async (where: string) => {
  const kinds = ['FlinkDeployment', 'FlinkSessionJob'].map((kind) => ({ ...flinkDeploymentKind, kind }));
  return (await Promise.all(kinds.map((kind) => cluster.admin.list(kind, { namespace: where })))).flat();
};
const podsThere = () => cluster.admin.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace });
const ofDrills = async () =>
  (await objectsIn(namespace)).filter(({ metadata }) => metadata.name !== 'argus-drill-notes');

beforeAll(async () => {
  cluster = await startTestKubernetes();
  const { admin, server } = cluster;
  for (const each of [namespace, production]) {
    await admin.apply(namespaceNamed(each));
    // Without a controller manager nobody makes it.
    await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: each } });
  }
  await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'argus', namespace: production } });
  await applyFixture(admin, 'rbac-drill.yaml');
  for (const each of ['flink-cluster-standby.yaml', 'flink-session-standby.yaml']) await applyFixture(admin, each);
  // In the drills' namespace, and not made by a drill.
  const [like] = fixtureObjects('flink-cluster-standby.yaml') as [KubernetesObject];
  await admin.apply({ ...like, metadata: { name: 'argus-drill-notes', namespace } });
  const create = ['kubectl', '--kubeconfig', server.kubeconfig, 'create', 'token', 'argus', '-n', production];
  const token = (await promisify(execFile)(server.binary, create)).stdout.trim();
  const ca = readFileSync(join(server.dir, 'ca.crt'), 'utf8');
  const access = { kind: 'server', url: server.server, token: async () => token, ca } as const;
  transport = await clientNodeTransport('singapore', access);
  operator = await simulateFlinkOperator(cluster, namespace);
  flink = drillFlink();
}, buildTimeoutMs);

afterAll(async () => {
  await operator?.stop();
  await transport?.close();
  await cluster?.stop();
});

function drillFlink(proxied = false): DrillFlink {
  return flinkKubernetesDrills({
    region: 'singapore',
    kubernetes: kubernetesClient(transport),
    namespaces: [namespace],
    rest: (of) =>
      flinkRestJobs({
        region: 'singapore',
        url: proxied ? '' : `${operator.url}/${of.namespace}/${of.deployment}`,
        ...(proxied && {
          fetch: serviceProxy(transport, { namespace, service: `${of.deployment}-rest`, port: 'rest' }),
        }),
      }),
    startTimeoutMs: 10_000,
  });
}

function planOf(run: string, text = sample): DrillPlan {
  return planDrill({
    bubble: bubbleOf(run),
    region: 'singapore',
    storeUri: 'memory:singapore',
    configured: [{ config, jarPath: '', manifest: { name: 'drill.yaml', text } }],
    only: undefined,
    ownCluster: true,
    deployments: true,
    slots: undefined,
  });
}

/** How a drill's runner starts the one job of a run. */
function startOf(
  run: string,
  text = sample,
): StartJob & { readonly jobId: string; readonly manifest: KubernetesObject } {
  const [job] = planOf(run, text).jobs;
  const savepointPath = `memory:singapore/${job!.restore}/metadata`;
  const { flinkJobId: jobId, manifest } = job!;
  return {
    name: 'counts',
    jarPath: '',
    entryClass: '',
    args: [],
    parallelism: 1,
    savepointPath,
    jobId,
    manifest: manifest!,
  };
}

/** A standby in memory, but for the FlinkDeployments. */
function worldWith(text = sample) {
  const made: KubernetesObject[] = [];
  const world = drillWorld({
    questions: {
      compare: async () => {
        made.push(...(await ofDrills()));
        return { kind: 'ended', comparisons: [] };
      },
    },
  });
  const { kafka } = world.site;
  const site: DrillSite = {
    ...world.site,
    kafka: {
      ...kafka,
      logRanges: async (partitions) =>
        partitions.map((p) => ({ ...p, logStartOffset: 0n, logEndOffset: p.topic === 'events' ? 100n : 3n })),
    },
    flink,
    deployments: flink.deployments!,
  };
  const sites = new Map([['singapore', site]]);
  const run = async (n: number) => {
    const { context } = world.options(n);
    return world.run(n, { context: { ...context, clock, jobs: planOf(drillName(n), text).jobs }, sites });
  };
  const sweep = (n: number) => {
    const { state } = world;
    const signal = AbortSignal.timeout(20_000);
    return sweepUnderLease({ state, clock, run: drillName(n), by: 'me@here', region: 'singapore', sites, signal });
  };
  return { world, site, made, run, sweep };
}

describe('an isolated drill of the Flink operator’s jobs, simulated', () => {
  // Of a job that production runs as a FlinkDeployment, and of one that it runs as a FlinkSessionJob.
  test.each([
    [1, 'flink-cluster-drill.yaml'],
    [2, 'flink-session-drill.yaml'],
  ])('%i of %s is made, restored from the bubble, and gone; production stays as it was', async (n, file) => {
    const notes = { ...flinkDeploymentKind, namespace, name: 'argus-drill-notes' };
    const untouched = async () => [await objectsIn(production), await cluster.admin.get(notes)];
    const before = await untouched();
    expect(before[0]).toHaveLength(3);
    const { run, made } = worldWith(readFileSync(fixtureFile(file), 'utf8'));
    expect(await run(n)).toMatchObject({ exitCode: 0, report: { outcome: 'passed', causes: [], leaks: [] } });
    const bubble = bubbleOf(drillName(n));
    expect(made).toMatchObject([
      {
        metadata: { name: bubble.kubernetes(0), namespace },
        spec: {
          flinkConfiguration: {
            '$internal.pipeline.job-id': bubble.flinkJobId(0),
            'execution.checkpointing.dir': `memory:singapore/${bubble.checkpoints('counts')}`,
            'high-availability.type': 'NONE',
          },
          job: { state: 'running', initialSavepointPath: `memory:singapore/${bubble.restore('counts')}/metadata` },
        },
      },
    ]);
    expect(await ofDrills()).toEqual([]);
    expect(await podsThere()).toEqual([]);
    const after = await untouched();
    // The operator gives each a finalizer.
    const specs = (all: typeof before) => JSON.stringify(all.flat().map((each) => [each?.metadata.uid, each?.spec]));
    expect(specs(after)).toBe(specs(before));
    expect(after[0]).toEqual(before[0]);
  });

  test('whose object the cluster refuses has failed, and leaves nothing', async () => {
    const { report } = await worldWith(sample.replace('v1_19', 'v9_9')).run(4);
    expect(report).toMatchObject({
      outcome: 'failed',
      causes: [{ code: 'KubernetesInvalid', message: expect.stringContaining('spec.flinkVersion') }],
      leaks: [],
    });
    expect(await ofDrills()).toEqual([]);
  });

  test('that was killed is found by its name, and removed by the next sweep', async () => {
    const { sweep } = worldWith();
    const start = startOf(drillName(3));
    await flink.start(start);
    expect(await flink.start(start)).toEqual({ jobId: start.jobId });
    await expect.poll(async () => (await flink.list())[0]?.state, patience).toBe('RUNNING');
    expect((await flink.checkpoints(start.jobId)).restored?.path).toBe(start.savepointPath);
    expect(await sweep(4)).toEqual({ removed: { [drillName(3)]: 2 }, left: [] });
    expect(await ofDrills()).toEqual([]);
    expect(await podsThere()).toEqual([]);
  });

  test('is removed although no operator runs: its object, and pods that outlived it', async () => {
    const { sweep } = worldWith();
    const start = startOf(drillName(5));
    await flink.start(start);
    await expect.poll(async () => (await flink.list())[0]?.state, patience).toBe('RUNNING');
    operator.pause();
    try {
      expect(await sweep(6)).toEqual({ removed: { [drillName(5)]: 2 }, left: [] });
      expect(await ofDrills()).toEqual([]);
      expect(await podsThere()).toEqual([]);
    } finally {
      operator.resume();
    }
  });

  test('that is in the way of a failover is ended by it', async () => {
    const { world } = worldWith();
    const run = drillName(7);
    const start = startOf(run);
    await flink.start(start);
    await expect.poll(async () => (await flink.list())[0]?.state, patience).toBe('RUNNING');
    const jobs = [{ job: 'counts', flinkJobId: start.jobId, slots: 1 }];
    const note = { run, atMs: 1, by: 'me@here', region: 'singapore', jobs, ownCluster: true, points: [] };
    await writeDrillNote(world.state, note);
    const context = { state: world.state, standby: { name: 'singapore' }, drillFlink: flink };
    const signal = AbortSignal.timeout(20_000);
    expect(await openDrills(context, signal)).toEqual([{ run, jobs: [start.jobId], slots: 0 }]);
    const step = endDrill({ title: '', manual: [] });
    await step.act(context as never, {}, { signal, check: () => undefined } as never);
    await expect.poll(() => openDrills(context, signal), patience).toEqual([{ run, jobs: [], slots: 0 }]);
    expect(await ofDrills()).toEqual([]);
  });

  test('gets no further than its namespace and its name', async () => {
    const { site } = worldWith();
    const bubble = bubbleOf(drillName(8));
    const guarded = bubbleRegion(site, bubble);
    const start = startOf(drillName(8));
    const named = (name: string, where = namespace) => ({
      ...start,
      manifest: { ...start.manifest, metadata: { name, namespace: where } },
    });
    const refused = { code: 'OutsideBubble', exitCode: 3 };
    const act = async (call: () => Promise<unknown> | undefined) => call();
    await expect(act(() => guarded.flink.start(named('argus-flink')))).rejects.toMatchObject(refused);
    await expect(act(() => guarded.flink.start(startOf(drillName(9))))).rejects.toMatchObject(refused);
    await expect(act(() => guarded.flink.start(named(bubble.kubernetes(0), production)))).rejects.toMatchObject(
      refused,
    );
    await expect(act(() => guarded.flink.start(named(bubble.kubernetes(1))))).rejects.toMatchObject(refused);
    for (const name of ['argus-flink', 'argus-drill-notes', bubbleOf(drillName(9)).kubernetes(0)])
      await expect(act(() => guarded.deployments?.delete(name))).rejects.toMatchObject(refused);
    await expect(flink.deployments?.delete('argus-drill-notes')).rejects.toMatchObject({ code: 'JobMissing' });
    await expect(flink.cancel('a'.repeat(32))).rejects.toMatchObject({ code: 'JobMissing' });
    expect(await ofDrills()).toEqual([]);
  });
});

test('the configuration opens it where a region has the operator, and drills no session cluster', async () => {
  const of = `{ kubeconfig: ${cluster.server.kubeconfig} }`;
  const section = (n: number) => `    flink:\n      rest: http://127.0.${n}.1:8081`;
  const place = `{ namespace: ${production}, deployment: argus-flink }`;
  const drill = `drill: { kubernetes: { singapore: { namespace: ${namespace}, manifest: drill.yaml } } }`;
  const text = sampleYaml
    .replace(section(1), `    kubernetes: ${of}\n    flink: { kubernetes: {} }`)
    .replace(section(2), `    kubernetes: ${of}\n    flink: { kubernetes: {} }`)
    .replace(
      / {4}submit:[\s\S]*?\ndns:/,
      `    kubernetes: { mumbai: ${place}, singapore: ${place} }\n    ${drill}\ndns:`,
    );
  const env = new Proxy({}, { get: () => 'secret' });
  const composed = await compose({ file: 'argus.yaml', folder: '.', config: parseConfig(text, 'argus.yaml') }, env);
  try {
    const sites = await drillSites(composed);
    expect([...sites.keys()]).toEqual(['singapore']);
    const site = sites.get('singapore')!;
    expect(site.ownCluster).toBe(true);
    expect([await site.deployments?.list(), await site.flink.list()]).toEqual([[], []]);
    await expect(composed.drillFlink('mumbai')).rejects.toMatchObject({ code: 'NoDrillFlink', exitCode: 3 });
  } finally {
    await composed.close();
  }
});

describe('the role for drills', () => {
  const role = fixtureObjects('rbac-drill.yaml').find(({ kind }) => kind === 'Role') as KubernetesObject;
  const rules = rulesOf(role);
  // Without leave for events a reason may not be told, and nothing else changes.
  const pairs = rightsIn(rules).filter(([, resource]) => resource !== 'events');
  const start = startOf(drillName(6));
  const { name } = start.manifest.metadata;
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: `${name}-jm` };

  /** All that the adapter asks and does, where a job never came up and no operator ends it. */
  async function scenario(): Promise<void> {
    const { admin, server } = cluster;
    const ref = { ...flinkDeploymentKind, namespace, name };
    if ((await admin.get(ref)) !== undefined) await admin.patch(ref, { metadata: { finalizers: null } });
    await admin.delete(ref);
    await admin.delete(pod, { graceSeconds: 0 });
    const proxied = drillFlink(true);
    await proxied.start(start);
    await admin.patch(ref, { metadata: { finalizers: ['argus.test/held'] } });
    const labels = { app: name, component: 'jobmanager', type: 'flink-native-kubernetes' };
    const containers = [{ name: 'main', image: 'registry.example/flink' }];
    const spec = { automountServiceAccountToken: false, containers };
    await admin.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: pod.name, namespace, labels }, spec });
    const main = { ...containers[0], imageID: '', ready: false, restartCount: 2, state: {} };
    const status = JSON.stringify({ status: { phase: 'Running', containerStatuses: [main] } });
    const patch = ['patch', 'pods', pod.name, '-n', namespace, '--subresource=status', '--type=merge', '-p', status];
    await promisify(execFile)(server.binary, ['kubectl', '--kubeconfig', server.kubeconfig, ...patch]);
    expect((await proxied.list()).map(({ id }) => id)).toEqual([start.jobId]);
    expect(await proxied.deployments?.list()).toEqual([name]);
    const why = (await proxied.failureOf(start.jobId)) ?? '';
    if (why.includes('does not allow Argus')) throw new Error(why);
    await proxied.cancel(start.jobId);
    await proxied.forceStop?.(start.jobId);
    expect(await proxied.list()).toEqual([]);
  }

  beforeAll(() => operator.pause());
  afterAll(() => operator.resume());

  test('suffices', scenario);

  test.each(pairs)('needs %s on %s, and its absence is told by that name', async (verb, resource) => {
    await cluster.admin.apply({ ...role, rules: withoutRight(rules, resource, verb) });
    try {
      await untilTaken(kubernetesClient(transport), { verb, resource, group: groupOf(rules, resource), namespace });
      const told = new RegExp(`does not allow Argus to ${verb} ${resource}(\\.\\S+)? in the namespace ${namespace}`);
      await expect(scenario()).rejects.toThrow(told);
    } finally {
      await cluster.admin.apply(role);
    }
  });

  test('gives nothing in the namespace of production', async () => {
    const argus = kubernetesClient(transport);
    const question = { group: 'flink.apache.org', resource: 'flinkdeployments' };
    await untilAnswered(argus, { ...question, verb: 'delete', namespace }, true);
    for (const verb of ['get', 'list', 'create', 'patch', 'delete'])
      expect(await argus.may({ ...question, verb, namespace: production })).toBe(false);
  });
});
