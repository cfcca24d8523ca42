import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ArgusError } from '../../domain/errors.ts';
import { type StartedComponent, startComponent } from '../components/process.ts';
import { ensureNodeTools, type NodeTools } from '../setup/debian.ts';
import { ensureKubernetes } from '../setup/kubernetes.ts';
import type { SetupEvent } from '../setup/part.ts';
import { runTool } from '../setup/tool.ts';
import { freeAddressPlan } from './address-plan.ts';
import { type ClusterRegion, clusterRegion, importImage, toolEnvironment } from './cluster-region.ts';
import { endAbandonedRegions, endRegion, lockRecords, processStart } from './end-cluster-region.ts';
import { machineNetworks } from './machine-networks.ts';
import { baseSpec, containerdConfig, containerdSocket, kubeletConfig, networkConfig } from './node-config.ts';
import { ownFolders, startNamespaces } from './node-namespaces.ts';
import { requireClusterMachine, requirePacketFilter } from './prerequisites.ts';
import { cgroupFolders } from './region-processes.ts';
import { currentBoot, type RegionRecord, readRecords, writeRecord } from './region-record.ts';
import { within } from './within.ts';

export interface ClusterRegionOptions {
  /** Of the lab that it belongs to: what ends that lab ends the region. */
  readonly labId: string;
  /** `mumbai` */
  readonly name: string;
  /** A folder of its own, which must not exist: it is removed with the region. */
  readonly dir: string;
  /** Archives of images (docker-archive or OCI) that its pods use; `localhost/busybox:1` is there anyway. */
  readonly images?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly progress?: (event: SetupEvent) => void;
}

const apiPort = 6443;
const readyMs = 180_000;

/**
 * Starts a whole one-node Kubernetes with real pods, on a network of its own; ready when its node is. What the machine
 * lacks is told before anything is made or fetched. Everything that is changed is written down first, so that
 * `endClusterRegionsOf` puts it back, also from another process after a kill of all of them.
 */
export async function startClusterRegion(options: ClusterRegionOptions): Promise<ClusterRegion> {
  const signal = options.signal ?? new AbortController().signal;
  await requireClusterMachine(signal);
  const dir = unusedFolder(options.dir);
  const binary = await ensureKubernetes(signal, options.progress ?? (() => undefined));
  const tools = await ensureNodeTools(signal, options.progress);
  requireVisible(binary);
  requireVisible(tools.containerd);
  await requirePacketFilter(tools, toolEnvironment(tools), signal);
  await endAbandonedRegions();
  const record = await writeDown({ ...options, dir });
  try {
    const holder = await startNode(record, { ...options, binary, tools, signal });
    return clusterRegion(record, { holderPid: holder.pid, binary, tools, apiPort });
  } catch (error) {
    await endRegion(record);
    signal.throwIfAborted();
    throw error;
  }
}

function unusedFolder(path: string): string {
  const dir = resolve(path);
  requireVisible(dir);
  if (existsSync(dir)) {
    throw new ArgusError('NotALabFolder', `${dir} is there already`, { exitCode: 2, hint: 'name a new folder' });
  }
  return dir;
}

/** Refuses (`NotALabFolder`, exit code 2) what a region's node doesn't see: it has some folders of its own. */
export function requireVisible(path: string): void {
  const hidden = ownFolders.find((folder) => `${path}/`.startsWith(`${folder}/`));
  if (hidden === undefined) return;
  throw new ArgusError('NotALabFolder', `a region would not see ${path}: its node has a ${hidden} of its own`, {
    exitCode: 2,
    hint: `the lab's folder and cache (ARGUS_LAB_CACHE) and this program can't be below ${ownFolders.join(', ')}`,
  });
}

async function writeDown(options: ClusterRegionOptions): Promise<RegionRecord> {
  const unlock = await lockRecords(options.signal);
  try {
    const taken = readRecords().map((record) => record.addresses.slot);
    const addresses = freeAddressPlan(await machineNetworks(), taken);
    if (addresses === undefined) {
      throw new ArgusError('NoFreeAddresses', 'every network that a region could have meets one of this machine', {
        exitCode: 2,
        hint: '`ip route` shows them; a region needs 10.201-203.N.0/24 or 172.29-31.N.0/24 for one N',
      });
    }
    const record: RegionRecord = {
      labId: options.labId,
      name: options.name,
      dir: options.dir,
      addresses,
      owner: { pid: process.pid, startedAt: processStart(process.pid) ?? '' },
      bootId: currentBoot(),
    };
    writeRecord(record);
    return record;
  } finally {
    await unlock();
  }
}

interface NodeParts extends ClusterRegionOptions {
  readonly binary: string;
  readonly tools: NodeTools;
  readonly signal: AbortSignal;
}

async function startNode(record: RegionRecord, parts: NodeParts): Promise<StartedComponent> {
  const { dir, addresses, name } = record;
  const { binary, tools, signal } = parts;
  mkdirSync(join(dir, 'network'), { recursive: true, mode: 0o700 });
  const holder = await startNamespaces(record, signal);
  const environment = toolEnvironment(tools);
  const start = (component: string, program: string, args: readonly string[]) => {
    const [command = '', ...rest] = within(holder.pid, program, args);
    return startComponent({ id: record.labId, dir }, { component, command, args: rest, env: environment });
  };
  const control = start(`${name}/control`, binary, controlArguments(record));
  makeCgroups(record);
  const defaultSpec = await runTool({ command: tools.ctr, args: ['oci', 'spec'], env: environment, hint: '' });
  writeFileSync(join(dir, 'base-spec.json'), baseSpec(defaultSpec));
  writeFileSync(join(dir, 'network/10-pods.conflist'), networkConfig(record));
  writeFileSync(join(dir, 'containerd.toml'), containerdConfig(record, tools));
  writeFileSync(join(dir, 'kubelet.json'), kubeletConfig(record));
  const containerd = start(`${name}/containerd`, tools.containerd, ['--config', join(dir, 'containerd.toml')]);
  const wait = { timeoutMs: readyMs, signal };
  await containerd.ready(async () => existsSync(`/proc/${holder.pid}/root${containerdSocket}`), wait);
  for (const image of [tools.busyboxImage, ...(parts.images ?? [])]) {
    await importImage({ holderPid: holder.pid, tools }, image, signal);
  }
  const controlLog = control.logPath;
  await control.ready(async () => readFileSync(controlLog, 'utf8').includes('argus-kubernetes: ready'), wait);
  const kubeconfig = join(dir, 'control/kubeconfig');
  const kubelet = start(`${name}/kubelet`, binary, [
    'kubelet',
    `--config=${join(dir, 'kubelet.json')}`,
    `--kubeconfig=${kubeconfig}`,
    `--root-dir=${join(dir, 'kubelet')}`,
    `--cert-dir=${join(dir, 'kubelet-keys')}`,
    `--hostname-override=node-${name}`,
    `--node-ip=${addresses.node}`,
  ]);
  const proxy = start(`${name}/proxy`, binary, [
    'kube-proxy',
    `--kubeconfig=${kubeconfig}`,
    '--proxy-mode=nftables',
    `--cluster-cidr=${addresses.pods}`,
    `--hostname-override=node-${name}`,
    `--nodeport-addresses=${addresses.node}/32`,
    '--metrics-bind-address=127.0.0.1:10249',
    '--healthz-bind-address=127.0.0.1:10256',
    // These would be settings of the whole machine.
    '--conntrack-max-per-core=0',
    '--conntrack-min=0',
  ]);
  const region = clusterRegion(record, { holderPid: holder.pid, binary, tools, apiPort });
  await kubelet.ready(() => region.nodeReady(), { ...wait, everyMs: 1_000 });
  await proxy.ready(async () => true, wait);
  return holder;
}

function controlArguments({ dir, addresses }: RegionRecord): readonly string[] {
  return [
    'up',
    `--dir=${join(dir, 'control')}`,
    `--bind=${addresses.node}`,
    `--port=${apiPort}`,
    `--service-cidr=${addresses.services}`,
    `--pod-cidr=${addresses.pods}`,
    `--dns=${addresses.node}:53`,
    '--with=controller-manager,scheduler',
  ];
}

/** The kubelet makes its pods' cgroups below one that must be there; one of `cpuset` is empty until it is told. */
function makeCgroups(record: RegionRecord): void {
  for (const folder of cgroupFolders(record)) {
    mkdirSync(folder, { recursive: true });
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const own = join(folder, file);
      if (existsSync(own)) writeFileSync(own, readFileSync(join(folder, '..', file), 'utf8'));
    }
  }
}
