import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { probeLabel } from '../../health/probe-pod.ts';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { type CommandProcess, startCommandProcess } from '../support/command-process.ts';
import { freePort } from '../support/kafka-broker.ts';
import {
  buildTimeoutMs,
  namespaceNamed,
  startTestKubernetes,
  type TestKubernetes,
  untilAnswered,
} from '../support/kubernetes-api.ts';
import {
  applyFixture,
  fixtureFile,
  fixtureObjects,
  objectsIn,
  refOf,
  simulatedNode,
} from '../support/kubernetes-fixtures.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

// The API server is real; the node and the operator's Deployment are objects that this test made: simulated.
const namespace = 'argus-data';
const primaryNamespace = 'argus-primary';
const main = join(import.meta.dirname, '../../cli/main.ts');
const v1 = objectsIn(namespace);

const label = { 'app.kubernetes.io/name': 'flink-kubernetes-operator' };
const simulatedOperator: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'simulated-operator', namespace: primaryNamespace, labels: label },
  spec: {
    selector: { matchLabels: label },
    template: { metadata: { labels: label }, spec: { containers: [{ name: 'operator', image: 'simulated' }] } },
  },
};

interface Told {
  readonly verdict: string;
  readonly findings: readonly { readonly severity: string; readonly code: string; readonly message: string }[];
}

let cluster: TestKubernetes;
let dir: string;
let token: string;
let commands: CommandProcess;

/** Runs a command. */
async function argus(config: string, ...args: readonly string[]) {
  const file = join(dir, 'argus.yaml');
  await writeFile(file, config);
  const env: Record<string, string> = { ARGUS_TOKEN: token };
  for (const [, name] of config.matchAll(/env:(\w+)/g)) env[name as string] ??= 'secret';
  const { exitCode, ...said } = await commands.run(['--config', file, ...args], env);
  return { code: exitCode, ...said };
}

/** Both regions are the same cluster; the primary has another namespace. */
function config(manifest = fixtureFile('flink-cluster-standby.yaml'), kubernetes = asArgus()): string {
  const flinkOf = (n: number) => `    flink:\n      rest: http://127.0.${n}.1:8081`;
  const admin = `{ kubeconfig: ${cluster.server.kubeconfig} }`;
  const place = (of: string) => `{ namespace: ${of}, deployment: argus-flink, manifest: ${manifest} }`;
  return sampleYaml
    .replace(flinkOf(1), `    kubernetes: ${admin}\n    flink: { kubernetes: {} }`)
    .replace(flinkOf(2), `    kubernetes: ${kubernetes}\n    flink: { kubernetes: {} }`)
    .replace(
      / {4}submit:[\s\S]*?\ndns:/,
      `    kubernetes: { mumbai: ${place(primaryNamespace)}, singapore: ${place(namespace)} }\ndns:`,
    );
}

function asArgus(bearer = 'env:ARGUS_TOKEN'): string {
  return `{ server: '${cluster.server.server}', token: ${bearer}, ca: ${join(cluster.server.dir, 'ca.crt')} }`;
}

/** The API server as Argus has it. */
function asClient() {
  const ca = readFileSync(join(cluster.server.dir, 'ca.crt'), 'utf8');
  return cluster.connect({ kind: 'server', url: cluster.server.server, token: async () => token, ca });
}

/** What the check says, in which it may not have changed anything. */
async function check(expected: number, text = config()): Promise<Told> {
  const before = await everything();
  const ended = await argus(text, 'standby', 'check', '--json');
  expect(ended.code, `${ended.stdout}${ended.stderr}`).toBe(expected);
  expect(await everything()).toEqual(before);
  return JSON.parse(ended.stdout);
}

const told = ({ findings }: Told) => findings.map(({ severity, code }) => `${severity} ${code}`);

/** All objects that a check could touch, with their versions. */
async function everything(): Promise<readonly string[]> {
  const { admin } = cluster;
  const kinds = [
    ...['ConfigMap', 'Secret', 'ServiceAccount', 'ResourceQuota', 'LimitRange', 'Pod', 'Event', 'Service', 'Node'].map(
      (kind) => ({ apiVersion: 'v1', kind }),
    ),
    ...['Role', 'RoleBinding'].map((kind) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind })),
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
    flinkDeploymentKind,
  ];
  const lists = await Promise.all(
    kinds.map((kind) => admin.list(kind, { namespace: '*' }).catch(() => [] as readonly KubernetesObject[])),
  );
  return lists
    .flat()
    .filter(({ metadata }) => metadata.namespace === undefined || /^argus-/.test(metadata.namespace))
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name} ${metadata.resourceVersion}`);
}

/** The fixture's manifest with some fields changed. */
async function manifestWith(name: string, fields: Readonly<Record<string, unknown>>): Promise<string> {
  const doc = parseDocument(readFileSync(fixtureFile('flink-cluster-standby.yaml'), 'utf8'));
  for (const [path, value] of Object.entries(fields)) doc.setIn(path.split('.'), value);
  const file = join(dir, name);
  await writeFile(file, doc.toString());
  return file;
}

async function during<T>(object: KubernetesObject, act: () => Promise<T>): Promise<T> {
  await cluster.admin.apply(object);
  try {
    return await act();
  } finally {
    await cluster.admin.delete(refOf(object));
  }
}

beforeAll(async () => {
  cluster = await startTestKubernetes();
  const { admin, server } = cluster;
  dir = await mkdtemp(join(tmpdir(), 'argus-test-standby-check-'));
  for (const name of [namespace, primaryNamespace]) await admin.apply(namespaceNamed(name));
  for (const name of ['default', 'flink']) await admin.apply(v1('ServiceAccount', name));
  await applyFixture(admin, 'flink-config.yaml');
  await applyFixture(admin, 'rbac-standby.yaml');
  await applyFixture(admin, 'rbac-standby-check.yaml');
  await admin.create(simulatedNode);
  // The server itself marks a new node as not ready.
  await admin.patch(refOf(simulatedNode), { spec: { taints: null } });
  await admin.apply(simulatedOperator);
  await setOperator(1);
  const primary = fixtureObjects('flink-cluster-standby.yaml')[0] as KubernetesObject;
  await admin.apply({ ...primary, metadata: { name: 'argus-flink', namespace: primaryNamespace } });
  const create = ['kubectl', '--kubeconfig', server.kubeconfig, 'create', 'token', 'argus', '-n', namespace];
  token = (await promisify(execFile)(server.binary, create)).stdout.trim();
  commands = startCommandProcess(dir, { ...process.env, NO_COLOR: '1' });
}, buildTimeoutMs);

afterAll(async () => {
  await commands?.stop();
  await cluster?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

async function setOperator(available: number): Promise<void> {
  const { kubeconfig, binary } = cluster.server;
  const status = { replicas: 1, readyReplicas: available, availableReplicas: available };
  const what = ['patch', 'deployment', 'simulated-operator', '-n', primaryNamespace, '--subresource=status'];
  const patch = ['--type=merge', '-p', JSON.stringify({ status })];
  await promisify(execFile)(binary, ['kubectl', '--kubeconfig', kubeconfig, ...what, ...patch]);
}

describe('argus standby check', () => {
  test('all is there: ready, with the rights of the fixtures', async () => {
    const what = 'its image is on every node that takes its pods';
    const warmth = [{ job: 'counts', wanted: 'cold', is: 'warm', what }];
    expect(await check(0)).toEqual({ region: 'singapore', jobs: ['counts'], verdict: 'ready', findings: [], warmth });
    const ended = await argus(config(), 'standby', 'check');
    expect(ended.stdout).toBe('singapore for counts: ready\n');
  });

  test('a quota that is too small', async () => {
    const quota = v1('ResourceQuota', 'small', { spec: { hard: { pods: '1', 'requests.memory': '10Gi' } } });
    const seen = await during(quota, () => check(3));
    expect(told(seen)).toEqual(['refused QuotaTooSmall']);
    expect(seen.findings[0]?.message).toBe('the quota small leaves 1 of pods, and 2 are needed');
  });

  test('a LimitRange that is against it', async () => {
    const range = v1('LimitRange', 'narrow', { spec: { limits: [{ type: 'Container', max: { memory: '512Mi' } }] } });
    expect(told(await during(range, () => check(3)))[0]).toBe('refused LimitRangeAgainst');
  });

  test('a secret and a service account that are missing, and a key', async () => {
    const env = [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 's3', key: 'id' } } }];
    const podTemplate = { spec: { containers: [{ name: 'flink-main-container', env }] } };
    const manifest = await manifestWith('secret.yaml', {
      'spec.podTemplate': podTemplate,
      'spec.serviceAccount': 'who',
    });
    const seen = await check(3, config(manifest));
    expect(told(seen)).toEqual(['refused ServiceAccountMissing', 'refused SecretMissing']);
    const secret = v1('Secret', 's3', { stringData: { other: 'never shown' } });
    const other = await during(secret, () => check(3, config(manifest)));
    expect(told(other)).toEqual(['refused ServiceAccountMissing', 'refused SecretKeyMissing']);
    expect(JSON.stringify(other)).not.toContain('never shown');
  });

  test('verbs that are missing, each by its name', async () => {
    const role = fixtureObjects('rbac-standby.yaml').find(({ kind }) => kind === 'Role') as KubernetesObject;
    const rules = role.rules as readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
    const fewer = rules.map((rule) => (rule.resources[0] === 'flinkdeployments' ? { ...rule, verbs: ['get'] } : rule));
    await cluster.admin.apply({ ...role, rules: fewer });
    const deletion = { verb: 'delete', group: 'flink.apache.org', resource: 'flinkdeployments', namespace };
    try {
      await untilAnswered(await asClient(), deletion, false);
      const seen = await check(3);
      expect(told(seen)).toEqual(Array.from({ length: 3 }, () => 'refused VerbMissing'));
      const words = seen.findings.map(({ message }) => message).join('\n');
      for (const verb of ['create', 'patch', 'delete']) expect(words).toContain(`may not ${verb} flinkdeployments`);
    } finally {
      await cluster.admin.apply(role);
      await untilAnswered(await asClient(), deletion, true);
    }
  });

  test('without the rights of the check itself, that is told as not known', async () => {
    const binding = fixtureObjects('rbac-standby-check.yaml').filter(({ kind }) => kind.endsWith('Binding'));
    const rights = [
      { verb: 'list', group: '', resource: 'nodes' },
      { verb: 'list', group: '', resource: 'resourcequotas', namespace },
    ];
    for (const each of binding) await cluster.admin.delete(refOf(each));
    try {
      for (const each of rights) await untilAnswered(await asClient(), each, false);
      const seen = await check(0);
      expect(seen.verdict).toBe('ready-with-warnings');
      const codes = ['ReferenceUnknown', 'QuotaUnknown', 'LimitRangeUnknown', 'NodesUnknown', 'OperatorUnknown'];
      expect(told(seen)).toEqual(codes.map((code) => `warning ${code}`));
    } finally {
      for (const each of binding) await cluster.admin.apply(each);
      for (const each of rights) await untilAnswered(await asClient(), each, true);
    }
  });

  test('an image that the (simulated) node has not', async () => {
    const image = 'registry.example/other:1';
    const pulled = await manifestWith('pulled.yaml', { 'spec.image': image });
    expect(told(await check(0, config(pulled)))).toEqual(['warning ImageDiffers', 'warning ImageToPull']);
    const warm = config(pulled).replaceAll('argus-flink, manifest', 'argus-flink, standby: warm, manifest');
    expect(told(await check(0, warm))).toEqual([
      'warning ImageDiffers',
      'warning StandbyNotWarm',
      'warning ImageToPull',
    ]);
    const never = await manifestWith('never.yaml', { 'spec.image': image, 'spec.imagePullPolicy': 'Never' });
    expect(told(await check(3, config(never)))).toEqual(['refused ImageAbsent', 'warning ImageDiffers']);
  });

  test('a (simulated) node without room', async () => {
    const large = await manifestWith('large.yaml', { 'spec.taskManager.resource.memory': '7500m' });
    const seen = await check(3, config(large));
    expect(told(seen)).toEqual(['refused CapacityTooSmall']);
    expect(seen.findings[0]?.message).toContain('have 4 CPU and 8 GiB left; all pods together take 1 CPU and 8.32 GiB');
  });

  test('another version of Flink than the primary’s, and one that the definition does not know', async () => {
    const older = await manifestWith('older.yaml', { 'spec.flinkVersion': 'v1_18' });
    expect(told(await check(3, config(older)))).toEqual(['refused FlinkVersionDiffers']);
    const unknown = await manifestWith('unknown.yaml', { 'spec.flinkVersion': 'v9_9' });
    const seen = await check(3, config(unknown));
    expect(told(seen)).toEqual(['refused KubernetesInvalid', 'refused FlinkVersionDiffers']);
    expect(seen.findings[0]?.message).toContain('spec.flinkVersion');
  });

  test('what an earlier job left for its own recovery, and an object that runs', async () => {
    const labels = { app: 'argus-flink', 'configmap-type': 'high-availability' };
    const left = v1('ConfigMap', 'argus-flink-cluster-config-map');
    const data = { 'checkpointID-0000000000000000007': 'a pointer' };
    const labelled = { ...left, metadata: { ...left.metadata, labels }, data };
    expect(told(await during(labelled, () => check(3)))).toEqual(['refused FlinkLeftovers']);
    const object = fixtureObjects('flink-cluster-standby.yaml')[0] as KubernetesObject;
    const spec = object.spec as { readonly job: object };
    const running = { ...object, spec: { ...spec, job: { ...spec.job, state: 'running' } } };
    expect(told(await during(running, () => check(3)))).toEqual(['refused FlinkRefused']);
  });

  test('a (simulated) operator that is down', async () => {
    await setOperator(0);
    try {
      expect(told(await check(3))).toEqual(['refused OperatorDown']);
    } finally {
      await setOperator(1);
    }
  });

  test('a namespace that is not there is told, and nothing of what it would hold', async () => {
    const manifest = await manifestWith('nowhere.yaml', { 'metadata.namespace': 'nowhere' });
    const text = config(manifest, `{ kubeconfig: ${cluster.server.kubeconfig} }`);
    const seen = await check(
      3,
      text.replace(`singapore: { namespace: ${namespace}`, 'singapore: { namespace: nowhere'),
    );
    expect(told(seen)).toEqual(['refused KubernetesNamespaceMissing']);
    expect(seen.findings[0]?.message).toContain('has no namespace nowhere');
  });

  test('a session cluster: its slots and the jar', async () => {
    const overview = { 'slots-available': 1, 'slots-total': 4 };
    const rest = createServer((_, answer) => void answer.end(JSON.stringify(overview)));
    await new Promise<void>((listening) => rest.listen(0, '127.0.0.1', listening));
    try {
      const { port } = rest.address() as AddressInfo;
      const session = sampleYaml.replace('http://127.0.2.1:8081', `http://127.0.0.1:${port}`);
      expect(told(await check(3, session))).toEqual(['refused JobJarUnreadable', 'refused SlotsTooFew']);
      await writeFile(join(dir, 'counts.jar'), '');
      overview['slots-available'] = 2;
      expect((await check(0, session)).verdict).toBe('ready');
    } finally {
      rest.close();
    }
  });

  test('an API server that does not answer is exit code 1, named', async () => {
    const nobody = `https://127.0.0.1:${await freePort()}`;
    const elsewhere = config().replaceAll(`'${cluster.server.server}'`, `'${nobody}'`);
    const ended = await argus(elsewhere, 'standby', 'check', '--json');
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stderr).error).toMatchObject({ code: 'KubernetesUnreachable', exitCode: 1 });
    const expired = await argus(config(undefined, asArgus('env:ARGUS_OLD_TOKEN')), 'standby', 'check', '--json');
    expect(expired.code).toBe(1);
    expect(JSON.parse(expired.stderr).error).toMatchObject({ code: 'KubernetesUnauthenticated' });
  });

  test('a check of the configuration names the Kubernetes that refuses, and a context that is not there', async () => {
    const expired = await argus(config(undefined, asArgus('env:ARGUS_OLD_TOKEN')), 'config', 'check', '--live');
    expect(expired.code, expired.stderr).toBe(2);
    // Nothing else of the regions is there either.
    expect(expired.stderr).toMatch(/^error: Kubernetes of singapore: .*refuses the credentials: they have expired/m);
    expect(expired.stderr).not.toContain('Kubernetes of mumbai');
    const lost = `{ kubeconfig: ${cluster.server.kubeconfig}, context: elsewhere }`;
    const context = await argus(config(undefined, lost), 'config', 'check', '--live');
    expect(context.code, context.stderr).toBe(2);
    expect(context.stderr).toContain('elsewhere');
  });

  test('a probe pod that Argus may not make is told as not known, by the verb', async () => {
    const ended = await argus(config(), 'standby', 'check', '--probe-pod', '--json');
    expect(ended.code, ended.stderr).toBe(0);
    const seen: Told = JSON.parse(ended.stdout);
    expect(told(seen)).toEqual(['warning ProbeUnknown']);
    expect(seen.findings[0]?.message).toContain('does not allow Argus to create pods');
  });

  test('a probe pod goes with the command that is ended: nothing is left', async () => {
    await applyFixture(cluster.admin, 'rbac-probe-pod.yaml');
    const pods = () => cluster.admin.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace });
    await writeFile(join(dir, 'probe.yaml'), config());
    const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', ARGUS_TOKEN: token };
    for (const [, name] of config().matchAll(/env:(\w+)/g)) env[name as string] ??= 'secret';
    const args = [main, '--config', join(dir, 'probe.yaml'), 'standby', 'check', '--probe-pod'];
    const child = spawn(process.execPath, args, { env, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      // No node takes it here: it waits.
      await expect.poll(async () => (await pods()).length, { interval: 200 }).toBe(1);
      const [pod] = await pods();
      expect(pod?.metadata.labels).toMatchObject(probeLabel);
      expect(pod?.spec).toMatchObject({ activeDeadlineSeconds: 120, automountServiceAccountToken: false });
      child.kill('SIGINT');
      await new Promise((resolve) => child.once('exit', resolve));
      expect(await pods()).toEqual([]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('without the operator’s definition', async () => {
    const { metadata, ...definition } = (await cluster.admin.get({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name: 'flinkdeployments.flink.apache.org',
    })) as KubernetesObject;
    await cluster.admin.delete(refOf({ ...definition, metadata }));
    const gone = async () => (await check(3)).findings.some(({ code }) => code === 'KubernetesKindMissing');
    await expect.poll(gone, { timeout: 60_000, interval: 500 }).toBe(true);
  });
});
