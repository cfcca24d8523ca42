import { join } from 'node:path';
import { ArgusError } from '../../domain/errors.ts';
import { labProcesses } from '../components/process-table.ts';
import type { NodeTools } from '../setup/debian.ts';
import { runTool } from '../setup/tool.ts';
import type { AddressPlan } from './address-plan.ts';
import { endRegion } from './end-cluster-region.ts';
import { containerdSocket } from './node-config.ts';
import { continueRegionProcesses, killRegionProcesses, stopRegionProcesses } from './region-processes.ts';
import { isRecorded, type RegionRecord } from './region-record.ts';
import { within } from './within.ts';

/** One region: a real Kubernetes of one node, on a network of its own. */
export interface ClusterRegion {
  readonly name: string;
  /** Its folder; logs are below `logs/`. */
  readonly dir: string;
  readonly addresses: AddressPlan;
  /** Of its API server, which the machine reaches directly. */
  readonly server: string;
  /** File with the access of a user who may do everything. */
  readonly kubeconfig: string;
  /** Its program; `kubectl` is its first argument for that. */
  readonly binary: string;
  /** All that another process needs for the same controls: `clusterRegion(record, node)`. */
  readonly record: RegionRecord;
  readonly node: RegionNode;
  /**
   * The command, to be started by the lab, that runs another one on the node: with its addresses, names of services,
   * its /run, /var/lib and /var/log. What is started so must carry the lab's mark and a component `<name>/…`.
   */
  onNode(command: string, args: readonly string[]): readonly string[];
  /** Gives the node the images of an archive. */
  importImage(archive: string, signal?: AbortSignal): Promise<void>;
  nodeReady(): Promise<boolean>;
  /** SIGKILL to all processes, also those in pods. The node's addresses stay and refuse connections. */
  kill(): Promise<void>;
  /** SIGSTOP to all processes, also those in pods: connections are accepted by the kernel and never answered. */
  freeze(): Promise<void>;
  thaw(): void;
  /** The control process alone (API server, etcd, controllers); pods go on. */
  freezeApi(): void;
  thawApi(): void;
  /** Drops every packet between the region and everything else: connections hang, within it all goes on. Idempotent. */
  cut(): Promise<void>;
  /** Lets packets pass again; connections that were not given up go on. Idempotent. */
  restore(): Promise<void>;
  /** Kills everything, removes its folder and puts the machine back. May be called again. */
  end(): Promise<void>;
}

/** What is known of a region's node when it is up. */
export interface RegionNode {
  readonly holderPid: number;
  readonly binary: string;
  readonly tools: NodeTools;
  readonly apiPort: number;
}

const cutTable = `add table inet argus_cut
delete table inet argus_cut
table inet argus_cut {
  chain in { type filter hook prerouting priority -400; iifname "eth0" drop; }
  chain out { type filter hook postrouting priority 400; oifname "eth0" drop; }
}`;

/** The region that a record names and that is up or coming up. */
export function clusterRegion(record: RegionRecord, node: RegionNode): ClusterRegion {
  const { name, dir, addresses, labId } = record;
  const kubeconfig = join(dir, 'control/kubeconfig');
  const onNode = (command: string, args: readonly string[]) => within(node.holderPid, command, args);
  const nft = async (...args: readonly string[]) => {
    const [command = '', ...rest] = onNode(node.tools.nft, args);
    await runTool({ command, args: rest, env: toolEnvironment(node.tools), hint: `is region ${name} up?` });
  };
  const signalControl = (signal: NodeJS.Signals) => {
    for (const { pid, component } of labProcesses(labId)) {
      if (component === `${name}/control`) process.kill(pid, signal);
    }
  };
  return {
    name,
    dir,
    addresses,
    server: `https://${addresses.node}:${node.apiPort}`,
    kubeconfig,
    binary: node.binary,
    record,
    node,
    onNode,
    importImage: (archive, signal) => importImage(node, archive, signal),
    nodeReady: () => isNodeReady(name, kubeconfig),
    kill: async () => killRegionProcesses(stillUp(record)),
    freeze: async () => stopRegionProcesses(stillUp(record)),
    thaw: () => continueRegionProcesses(stillUp(record)),
    freezeApi: () => signalControl('SIGSTOP'),
    thawApi: () => signalControl('SIGCONT'),
    cut: () => nft(cutTable),
    restore: () => nft('add table inet argus_cut; delete table inet argus_cut'),
    end: () => endRegion(record),
  };
}

/** Its slot may be another region's by now, and that one's pods must not be hit. */
function stillUp(record: RegionRecord): RegionRecord {
  if (isRecorded(record)) return record;
  throw new ArgusError('RegionEnded', `region ${record.name} was ended`, { exitCode: 3 });
}

/** PATH and LD_LIBRARY_PATH with which the node's tools run. */
export function toolEnvironment(tools: NodeTools): Readonly<Record<string, string>> {
  return {
    PATH: [...tools.binFolders, process.env.PATH ?? ''].join(':'),
    LD_LIBRARY_PATH: tools.libraryFolders.join(':'),
  };
}

/** Gives a node's containerd the images of an archive. */
export async function importImage(
  { holderPid, tools }: Pick<RegionNode, 'holderPid' | 'tools'>,
  archive: string,
  signal?: AbortSignal,
): Promise<void> {
  const args = ['--address', containerdSocket, '--namespace', 'k8s.io', 'images', 'import', archive];
  const [command = '', ...rest] = within(holderPid, tools.ctr, args);
  const hint = 'an archive of images is needed, as `docker save` writes it';
  await runTool({ command, args: rest, env: toolEnvironment(tools), hint }, signal ? { signal } : {});
}

async function isNodeReady(region: string, kubeconfig: string): Promise<boolean> {
  // Only a start asks for this: the other controls need no client.
  const { clientNodeTransport } = await import('../../regions/kubernetes/client-node-transport.ts');
  const { kubernetesClient } = await import('../../regions/kubernetes/kubernetes-client.ts');
  const transport = await clientNodeTransport(region, { kind: 'kubeconfig', files: [kubeconfig] });
  const client = kubernetesClient(transport, { timeoutMs: 5_000 });
  try {
    const node = await client.get({ apiVersion: 'v1', kind: 'Node', name: `node-${region}` });
    const status = node?.status as { conditions?: readonly { type: string; status: string }[] } | undefined;
    return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  } finally {
    await client.close();
  }
}
