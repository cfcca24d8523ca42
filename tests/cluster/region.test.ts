import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ClusterRegion } from '../../lab/cluster/cluster-region.ts';
import { endClusterRegionsOf } from '../../lab/cluster/end-cluster-region.ts';
import { requireClusterMachine } from '../../lab/cluster/prerequisites.ts';
import { readRecords } from '../../lab/cluster/region-record.ts';
import { startClusterRegion } from '../../lab/cluster/start-cluster-region.ts';
import { killProcesses, labProcesses } from '../../lab/components/process-table.ts';
import { type Reaper, startReaper } from '../../lab/reaper.ts';
import { ensureNodeTools, type NodeTools } from '../../lab/setup/debian.ts';
import { ensureKubernetes } from '../../lab/setup/kubernetes.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import { clusterTest as test } from '../support/cluster-tests.ts';
import { settledDifference } from '../support/machine-difference.ts';
import { diffMachine, type MachineState, machineState } from '../support/machine-state.ts';

const childScript = fileURLToPath(new URL('../support/cluster-child.ts', import.meta.url));
const labId = randomUUID();
const port = 8000;
let folder: string;
let tools: NodeTools;
let before: MachineState;
let reaper: Reaper;

beforeAll(async () => {
  const signal = AbortSignal.timeout(45 * 60_000);
  // Before anything is built that takes minutes.
  await requireClusterMachine(signal);
  const progress = progressLines((line) => process.stderr.write(`${line}\n`), 15_000);
  await ensureKubernetes(signal, progress);
  tools = await ensureNodeTools(signal, progress);
  folder = await mkdtemp(join(tmpdir(), 'argus-test-cluster-'));
  reaper = startReaper(folder, labId);
  before = machineState(tools);
}, 46 * 60_000);
afterAll(async () => {
  await endClusterRegionsOf(labId);
  await reaper.end();
  await rm(folder, { recursive: true, force: true });
});

/** The machine is as it was. */
async function asBefore(): Promise<void> {
  const difference = await settledDifference(before, tools);
  expect(readRecords(), 'regions that nobody ended, or that others started meanwhile').toEqual([]);
  expect(difference).toEqual([]);
}

async function connect(region: ClusterRegion): Promise<KubernetesApi> {
  const transport = await clientNodeTransport(region.name, { kind: 'kubeconfig', files: [region.kubeconfig] });
  return kubernetesClient(transport, { timeoutMs: 3_000 });
}

const pod = (name: string, command: readonly string[]): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name, image: 'localhost/busybox:1', imagePullPolicy: 'Never', command }],
  },
});

/** Runs a web server as a pod behind a service, and another pod; gives the service's address. */
async function runPods(api: KubernetesApi): Promise<string> {
  const script = `echo started; echo hello > /tmp/index.html; exec httpd -f -p ${port} -h /tmp`;
  await api.create(pod('web', ['sh', '-c', script]));
  await api.create(pod('client', ['sleep', '2147483647']));
  const spec = { selector: { app: 'web' }, ports: [{ port, targetPort: port }] };
  await api.create({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec });
  for (const name of ['web', 'client']) await running(api, name);
  const service = await api.get({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' });
  const { clusterIP } = (service?.spec ?? {}) as { clusterIP?: string };
  return clusterIP ?? 'none';
}

async function running(api: KubernetesApi, name: string): Promise<void> {
  for (const endsAt = Date.now() + 60_000; ; await sleep(200)) {
    const found = await api.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name });
    const status = found?.status as { phase?: string } | undefined;
    if (status?.phase === 'Running') return;
    expect(Date.now(), `pod ${name}: ${JSON.stringify(status)}`).toBeLessThan(endsAt);
  }
}

const answer = async (address: string) => {
  const response = await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(2_000) });
  return (await response.text()).trim();
};
/** `timeout`: nobody answers; `refused`: nobody is there. */
const failure = (address: string) =>
  answer(address).then(
    () => 'answers',
    (error: Error & { cause?: { code?: string } }) =>
      error.name === 'TimeoutError' ? 'timeout' : (error.cause?.code ?? error.message),
  );
const eventually = async (address: string) => {
  for (const endsAt = Date.now() + 30_000; Date.now() < endsAt; await sleep(200)) {
    if ((await failure(address)) === 'answers') return 'answers';
  }
  return failure(address);
};
const kubectl = async (region: ClusterRegion, ...args: string[]) => {
  const command = ['kubectl', '--kubeconfig', region.kubeconfig, ...args];
  return (await promisify(execFile)(region.binary, command)).stdout.trim();
};
const setting = (name: string) => readFileSync(`/proc/sys/${name}`, 'utf8').trim();

test('two regions run pods, are cut, frozen and killed, and leave the machine as it was', async () => {
  const start = (name: string) => startClusterRegion({ labId, name, dir: join(folder, name) });
  const [mumbai, singapore] = await Promise.all([start('mumbai'), start('singapore')]);
  const [mumbaiApi, singaporeApi] = [await connect(mumbai), await connect(singapore)];
  const [inMumbai, inSingapore] = await Promise.all([runPods(mumbaiApi), runPods(singaporeApi)]);

  // From the machine, from a pod by name, and through the API.
  expect(await eventually(inMumbai)).toBe('answers');
  expect(await eventually(inSingapore)).toBe('answers');
  for (const name of ['web', 'web.default.svc.cluster.local', inMumbai]) {
    expect(await kubectl(mumbai, 'exec', 'client', '--', 'wget', '-q', '-O', '-', `http://${name}:${port}/`)).toBe(
      'hello',
    );
  }
  expect(await kubectl(mumbai, 'logs', 'web')).toBe('started');

  // What is compared at the end is really seen; mounts and packet filters are the node's own from the start.
  const kinds = diffMachine(before, machineState(tools)).map((line) => line.slice(0, line.indexOf(':')));
  for (const kind of ['processes', 'namespaces', 'cgroups', 'routes', 'links', 'settings', 'files']) {
    expect(kinds).toContain(kind);
  }
  expect(kinds).not.toContain('mounts');
  expect(kinds).not.toContain('packetFilters');

  await mumbai.cut();
  expect(await failure(inMumbai)).toBe('timeout');
  await expect(mumbaiApi.version()).rejects.toMatchObject({ code: 'KubernetesUnreachable' });
  expect(await answer(inSingapore)).toBe('hello');
  await mumbai.restore();
  expect(await eventually(inMumbai)).toBe('answers');
  expect(await mumbaiApi.version()).toMatch(/^v1/);

  singapore.freezeApi();
  await expect(singaporeApi.version()).rejects.toMatchObject({ code: 'KubernetesUnreachable' });
  expect(await answer(inSingapore)).toBe('hello');
  singapore.thawApi();
  expect(await singaporeApi.version()).toMatch(/^v1/);

  await singapore.freeze();
  expect(await failure(inSingapore)).toBe('timeout');
  await expect(singaporeApi.version()).rejects.toMatchObject({ code: 'KubernetesUnreachable' });
  singapore.thaw();
  expect(await eventually(inSingapore)).toBe('answers');

  await mumbai.kill();
  expect(await failure(`${mumbai.addresses.node}`)).toBe('ECONNREFUSED');
  await expect(mumbaiApi.version()).rejects.toMatchObject({ code: 'KubernetesUnreachable' });
  expect(await failure(inMumbai)).not.toBe('answers');
  expect(await answer(inSingapore)).toBe('hello');
  await Promise.all([mumbaiApi.close(), singaporeApi.close()]);

  await mumbai.end();
  // The kubelet of the other region still wants it so.
  expect(setting('vm/overcommit_memory')).toBe('1');
  await endClusterRegionsOf(labId);
  await asBefore();
  await singapore.end();
  await expect(singapore.kill()).rejects.toMatchObject({ code: 'RegionEnded' });
}, 600_000);

test('a region that fails to start leaves nothing, and says why', async () => {
  const images = [join(folder, 'no-image.tar')];
  const starting = startClusterRegion({ labId, name: 'mumbai', dir: join(folder, 'failing'), images });
  await expect(starting).rejects.toMatchObject({
    code: 'SetupFailed',
    message: expect.stringContaining('no-image.tar'),
    hint: expect.stringContaining('an archive of images is needed'),
  });
  await asBefore();
}, 600_000);

test('a start that is given up leaves nothing', async () => {
  const given = new AbortController();
  const dir = join(folder, 'given-up');
  const starting = startClusterRegion({ labId, name: 'mumbai', dir, signal: given.signal });
  for (const endsAt = Date.now() + 60_000; !labProcesses(labId).some((p) => p.component === 'mumbai/containerd'); ) {
    expect(Date.now()).toBeLessThan(endsAt);
    await sleep(20);
  }
  given.abort(new Error('given up'));
  await expect(starting).rejects.toThrow('given up');
  await asBefore();
}, 600_000);

test.each(['/run/argus-test', '/var/lib/argus/mumbai'])(
  '%s is refused as a folder: the node has its own',
  async (dir) => {
    await expect(startClusterRegion({ labId, name: 'mumbai', dir })).rejects.toMatchObject({
      code: 'NotALabFolder',
      exitCode: 2,
    });
  },
);

test('a folder that is there is refused, and stays', async () => {
  await expect(startClusterRegion({ labId, name: 'mumbai', dir: folder })).rejects.toMatchObject({
    code: 'NotALabFolder',
    message: `${folder} is there already`,
  });
  expect(existsSync(folder)).toBe(true);
});

test('a region goes with its starter, killed at once', async () => {
  const id = randomUUID();
  const child = spawn(process.execPath, [childScript, join(folder, 'child'), id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await new Promise<string>((resolve) => {
    child.stdout.once('data', (data: Buffer) => resolve(data.toString()));
    child.once('exit', () => resolve('ended'));
  });
  expect(said).toMatch(/^up https/);
  child.kill('SIGKILL');
  for (const endsAt = Date.now() + 60_000; readRecords().some((record) => record.labId === id); await sleep(200)) {
    expect(Date.now()).toBeLessThan(endsAt);
  }
  await asBefore();
}, 600_000);

test.each([0, 60, 250, 1_500])(
  'a start whose process is killed %i ms after it began leaves nothing once it is ended',
  async (ms) => {
    const id = randomUUID();
    const child = spawn(process.execPath, [childScript, join(folder, `killed-${ms}`), id, 'unwatched'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    for (const endsAt = Date.now() + 60_000; !readRecords().some((record) => record.labId === id); await sleep(5)) {
      expect(Date.now()).toBeLessThan(endsAt);
    }
    await sleep(ms);
    child.kill('SIGKILL');
    await endClusterRegionsOf(id);
    await asBefore();
  },
  600_000,
);

test('what a kill of all processes of a frozen region leaves, pods too, another process puts back', async () => {
  const id = randomUUID();
  const region = await startClusterRegion({ labId: id, name: 'mumbai', dir: join(folder, 'killed') });
  const api = await connect(region);
  await runPods(api);
  await api.close();
  await region.freeze();
  // Also what holds the namespaces; the pods' processes carry no mark and live on.
  await killProcesses(id);
  expect(labProcesses(id)).toEqual([]);
  await endClusterRegionsOf(id);
  await asBefore();
}, 600_000);
