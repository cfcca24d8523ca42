import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compose } from '../../cli/compose.ts';
import { parseConfig } from '../../cli/config/parse.ts';
import type { CommandContext } from '../../cli/context.ts';
import { doctorChecks } from '../../cli/doctor/checks.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import type { AccessQuestion, KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { freePort } from '../support/kafka-broker.ts';
import {
  buildTimeoutMs,
  namespaceNamed,
  startTestKubernetes,
  type TestKubernetes,
  untilAnswered,
} from '../support/kubernetes-api.ts';
import { applyFixture, fixtureFile, fixtureObjects, objectsIn, refOf } from '../support/kubernetes-fixtures.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

// The API server, its rules and rights are real; the operator's Deployment and its settings are objects that this test
// made: simulated.
const namespace = 'argus-drills';
const production = 'argus-data';
const label = { 'app.kubernetes.io/name': 'flink-kubernetes-operator' };
const simulatedOperator: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'simulated-operator', namespace: production, labels: label },
  spec: {
    selector: { matchLabels: label },
    template: {
      metadata: { labels: label },
      spec: {
        containers: [{ name: 'operator', image: 'simulated' }],
        volumes: [{ name: 'settings', configMap: { name: 'flink-operator-config' } }],
      },
    },
  },
};
const v1 = objectsIn(namespace);
/** One right of each role: a role is seen whole. */
const drill: AccessQuestion = { verb: 'create', group: 'flink.apache.org', resource: 'flinkdeployments', namespace };
const check: AccessQuestion = { verb: 'list', group: '', resource: 'resourcequotas', namespace };
const inCluster: readonly AccessQuestion[] = [
  { verb: 'get', group: '', resource: 'configmaps', name: 'flink-operator-config', namespace: production },
  { verb: 'list', group: '', resource: 'nodes' },
];
const settings = (text: string) =>
  v1('ConfigMap', 'flink-operator-config', { data: { 'config.yaml': text } }, production);

let cluster: TestKubernetes;
/** As Argus. */
let argus: KubernetesApi;
let token: string;
let dir: string;

beforeAll(async () => {
  cluster = await startTestKubernetes();
  const { admin, server } = cluster;
  dir = await mkdtemp(join(tmpdir(), 'argus-test-doctor-drills-'));
  for (const each of [namespace, production]) await admin.apply(namespaceNamed(each));
  await admin.apply(v1('ServiceAccount', 'argus', {}, production));
  await admin.apply(v1('ServiceAccount', 'flink'));
  for (const each of ['rbac-drill.yaml', 'rbac-drill-check.yaml']) await applyFixture(admin, each);
  const ofCluster = fixtureObjects('rbac-standby-check.yaml').filter(({ kind }) => kind.startsWith('Cluster'));
  for (const each of ofCluster) await admin.apply(each);
  await admin.apply(simulatedOperator);
  await admin.apply(settings('kubernetes.operator.health.probe.enabled: true'));
  const status = JSON.stringify({ status: { replicas: 1, readyReplicas: 1, availableReplicas: 1 } });
  const kubectl = ['kubectl', '--kubeconfig', server.kubeconfig, '-n', production];
  const patch = ['patch', 'deployment', 'simulated-operator', '--subresource=status', '--type=merge', '-p', status];
  await promisify(execFile)(server.binary, [...kubectl, ...patch]);
  token = (await promisify(execFile)(server.binary, [...kubectl, 'create', 'token', 'argus'])).stdout.trim();
  const ca = readFileSync(join(server.dir, 'ca.crt'), 'utf8');
  argus = await cluster.connect({ kind: 'server', url: server.server, token: async () => token, ca });
  for (const question of [drill, check, ...inCluster]) await untilAnswered(argus, question, true);
}, buildTimeoutMs);

afterAll(async () => {
  await cluster?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

interface Asked {
  readonly where?: string;
  readonly manifest?: string;
  /** The region whose drills are looked at; singapore stands by. */
  readonly region?: string;
  /** Where its API server is thought to be. */
  readonly url?: string;
}

/** What the check of drills finds, each as `severity code`; it may change nothing. */
async function findings(asked: Asked = {}) {
  const { where = namespace, manifest = fixtureFile('flink-cluster-drill.yaml'), region } = asked;
  const { server } = cluster;
  const url = asked.url ?? server.server;
  const access = `{ server: '${url}', token: env:ARGUS_TOKEN, ca: ${join(server.dir, 'ca.crt')} }`;
  const flink = (n: number) => `    flink:\n      rest: http://127.0.${n}.1:8081`;
  const place = `{ namespace: ${production}, deployment: argus-session, sessionJob: argus-counts }`;
  const placed = `drill: { kubernetes: { ${region ?? 'singapore'}: { namespace: ${where}, manifest: ${manifest} } } }`;
  const text = sampleYaml
    .replace(flink(1), `    kubernetes: ${access}\n    flink: { kubernetes: {} }`)
    .replace(flink(2), `    kubernetes: ${access}\n    flink: { kubernetes: {} }`)
    .replace(
      / {4}submit:[\s\S]*?\ndns:/,
      `    kubernetes: { mumbai: ${place}, singapore: ${place} }\n    writes: [metrics]\n    ${placed}\ndns:`,
    );
  const env = new Proxy({}, { get: (_, name) => (name === 'ARGUS_TOKEN' ? token : 'secret') });
  const composed = await compose({ file: 'argus.yaml', folder: dir, config: parseConfig(text, 'argus.yaml') }, env);
  try {
    const [mumbai, singapore] = ['mumbai', 'singapore'].map((name) => composed.regions.get(name)!);
    const sides = { primary: mumbai!, standby: singapore! };
    const checks = doctorChecks(composed, { primary: 'mumbai', standby: 'singapore' }, sides, {});
    const context = { clock: wallClock, signal: AbortSignal.timeout(20_000) } as unknown as CommandContext;
    const found = await checks.find(({ check }) => check === 'drills')!.run(context);
    expect(await cluster.admin.list(flinkDeploymentKind, { namespace })).toEqual([]);
    for (const each of found) expect(each).toMatchObject({ check: 'drills', region: region ?? 'singapore' });
    return found;
  } finally {
    await composed.close();
  }
}
const codes = (found: Awaited<ReturnType<typeof findings>>) => found.map(({ severity, code }) => `${severity} ${code}`);

async function during(object: KubernetesObject, asked?: Asked) {
  await cluster.admin.apply(object);
  try {
    return await findings(asked);
  } finally {
    await cluster.admin.delete(refOf(object));
  }
}

/** A manifest in the test's own folder. */
async function manifestWith(from: string, to: string): Promise<string> {
  const text = readFileSync(fixtureFile('flink-cluster-drill.yaml'), 'utf8');
  expect(text).toContain(from);
  const file = join(dir, `${to.replaceAll(/\W/g, '')}.yaml`);
  await writeFile(file, text.replace(from, to));
  return file;
}

describe('argus doctor on drills whose jobs are FlinkDeployments', () => {
  // No nodes are here, so there is no room on any.
  const room = 'warning NoNodes';

  test('finds nothing where all is there, with the rights of the fixtures', async () => {
    expect(codes(await findings())).toEqual([room, room]);
    const session = fixtureFile('flink-session-drill.yaml');
    expect(codes(await findings({ manifest: session }))).toEqual([room, room]);
  });

  test('names what a plan would refuse, and a manifest that is not there', async () => {
    const incomplete = await findings({ manifest: await manifestWith('"{group}"', 'counts') });
    expect(codes(incomplete)).toEqual(['error DrillArgsIncomplete']);
    expect(incomplete[0]).toMatchObject({ job: 'counts', message: expect.stringContaining('lacks {group}') });
    const ingress = await findings({ manifest: await manifestWith('spec:', 'spec:\n  ingress: { template: x }') });
    expect(ingress[0]).toMatchObject({
      code: 'ManifestInvalid',
      message: expect.stringMatching(/:\d+:\d+: spec.ingress/),
    });
    const [absent] = await findings({ manifest: 'nowhere.yaml' });
    expect(absent).toMatchObject({ severity: 'error', code: 'ManifestInvalid', job: 'counts' });
    expect(absent?.fix).toContain('jobs[].drill.kubernetes.singapore.manifest');
  });

  test('says what it can where the API server is silent', async () => {
    const manifest = await manifestWith('"{group}"', 'counts');
    const found = await findings({ manifest, url: `https://127.0.0.1:${await freePort()}` });
    expect(codes(found)).toEqual(['error DrillArgsIncomplete', 'unknown KubernetesUnreachable']);
  });

  test('asks the server about the object, the quota and what the manifest names', async () => {
    const unknown = await findings({ manifest: await manifestWith('v1_19', 'v9_9') });
    expect(unknown[0]).toMatchObject({ severity: 'error', code: 'KubernetesInvalid', job: 'counts' });
    const quota = v1('ResourceQuota', 'small', { spec: { hard: { 'requests.memory': '1Gi', pods: '9' } } });
    const [small] = await during(quota);
    expect(small).toMatchObject({ severity: 'error', code: 'QuotaTooSmall' });
    expect(small?.message).toContain('for drills in argus-drills: the quota small leaves 1 GiB of requests.memory');
    const other = await findings({ manifest: await manifestWith('serviceAccount: flink', 'serviceAccount: who') });
    expect(codes(other)[0]).toBe('error ServiceAccountMissing');
  });

  test('tells a namespace that is not there from one in which nothing is allowed', async () => {
    const nowhere = await findings({ where: 'nowhere' });
    expect(codes(nowhere)).toEqual(['error DrillRightsMissing', room, room]);
    expect(nowhere[0]?.message).toContain('if there is one');
    const binding = fixtureObjects('rbac-drill.yaml').find(({ kind }) => kind === 'RoleBinding')!;
    await cluster.admin.delete(refOf(binding));
    try {
      await untilAnswered(argus, drill, false);
      // The authorizer sees roles by a watch of its own: some time after they changed, here and below.
      await expect.poll(async () => (await findings())[0]?.code).toBe('DrillRightsMissing');
      const [closed] = await findings();
      expect(closed).toMatchObject({ code: 'DrillRightsMissing', fix: expect.stringContaining('rbac-drill.yaml') });
      expect(closed?.message).not.toContain('if there is one');
      // In the region that doesn't stand by now nothing of it is an error yet.
      expect(codes(await findings({ region: 'mumbai' }))).toEqual(['warning DrillRightsMissing', room, room]);
    } finally {
      await cluster.admin.apply(binding);
      await untilAnswered(argus, drill, true);
    }
  });

  test('names each verb that is missing', async () => {
    const role = fixtureObjects('rbac-drill.yaml').find(({ kind }) => kind === 'Role') as KubernetesObject;
    const rules = role.rules as readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
    const told = (verb: string, what: string) => `Argus may not ${verb} ${what} in the namespace ${namespace}`;
    const all = rules
      .flatMap(({ resources, verbs }) => resources.flatMap((what) => verbs.map((verb) => [verb, what])))
      // Allowed in the whole cluster, for the room on its nodes.
      .filter(([verb, what]) => !(verb === 'list' && what === 'pods'));
    // Half of them each time, so that never all of them are missing.
    for (const half of [0, 1]) {
      const lacking = all.filter((_, i) => i % 2 === half);
      const less = rules.flatMap((rule) =>
        rule.verbs
          .filter((verb) => !lacking.some(([v, what]) => v === verb && rule.resources.includes(what ?? '')))
          .map((verb) => ({ ...rule, verbs: [verb] })),
      );
      await cluster.admin.apply({ ...role, rules: less });
      try {
        // Each half has one of these and lacks the other.
        await untilAnswered(argus, { ...drill, verb: all[half]?.[0] ?? '' }, false);
        await untilAnswered(argus, { ...drill, verb: all[1 - half]?.[0] ?? '' }, true);
        const words = async () =>
          (await findings())
            .filter(({ code }) => code === 'VerbMissing')
            .map(({ message }) => message.replace(/(\w)\.(apps|flink\.apache\.org)/, '$1').split(':')[0])
            .sort();
        await expect.poll(words).toEqual(lacking.map(([verb = '', what = '']) => told(verb, what)).sort());
      } finally {
        await cluster.admin.apply(role);
        await untilAnswered(argus, { ...drill, verb: all[half]?.[0] ?? '' }, true);
      }
    }
  });

  test('tells which namespaces the (simulated) operator looks after', async () => {
    const elsewhere = settings(`kubernetes.operator.watched.namespaces: ${production}`);
    try {
      await cluster.admin.apply(elsewhere);
      await expect.poll(async () => codes(await findings())).toEqual(['error OperatorElsewhere', room, room]);
      await cluster.admin.apply(settings(`kubernetes.operator.watched.namespaces: ${production},${namespace}`));
      expect(codes(await findings())).toEqual([room, room]);
    } finally {
      await cluster.admin.apply(settings(''));
    }
  });

  test('without the rights of the check itself, that is told as not known', async () => {
    const bindings = ['rbac-drill-check.yaml', 'rbac-standby-check.yaml']
      .flatMap(fixtureObjects)
      .filter(({ kind, metadata }) => kind.endsWith('Binding') && metadata.namespace !== production);
    for (const each of bindings) await cluster.admin.delete(refOf(each));
    try {
      for (const question of [check, ...inCluster]) await untilAnswered(argus, question, false);
      const unknown = ['ReferenceUnknown', 'QuotaUnknown', 'LimitRangeUnknown', 'NodesUnknown', 'OperatorUnknown'];
      await expect.poll(async () => codes(await findings())).toEqual(unknown.map((code) => `unknown ${code}`));
      const found = await findings();
      for (const { fix } of found.slice(0, 3)) expect(fix).toContain('rbac-drill-check.yaml');
    } finally {
      for (const each of bindings) await cluster.admin.apply(each);
    }
  });
});
