import { join } from 'node:path';
import type { NodeTools } from '../setup/debian.ts';
import type { AddressPlan } from './address-plan.ts';

/** Where things lie in a region's folder. */
export interface NodePlace {
  readonly dir: string;
  readonly addresses: AddressPlan;
}

/** containerd's configuration (version 2). Everything of it lies in the region's folder. */
export function containerdConfig({ dir }: NodePlace, tools: NodeTools): string {
  return `version = 2
root = "${join(dir, 'containerd')}"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${tools.networkPlugins}"
    conf_dir = "${join(dir, 'network')}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      base_runtime_spec = "${join(dir, 'base-spec.json')}"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "${tools.runc}"
        SystemdCgroup = false
`;
}

/** In the region's own /run. */
export const containerdSocket = '/run/containerd/containerd.sock';

/**
 * The pods' network (CNI 0.4.0). A cable for each pod, not a bridge: between two pods of one bridge the answer of a
 * service goes straight back, past the place where its address is translated.
 */
export function networkConfig({ dir, addresses }: NodePlace): string {
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: join(dir, 'pod-addresses'),
          ranges: [[{ subnet: addresses.pods }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  });
}

/** The kubelet's configuration. */
export function kubeletConfig({ dir, addresses }: NodePlace): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.node,
    healthzBindAddress: '127.0.0.1',
    readOnlyPort: 0,
    failCgroupV1: false,
    failSwapOn: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${addresses.cgroup}`,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    resolvConf: join(dir, 'resolv.conf'),
    clusterDomain: 'cluster.local',
    clusterDNS: [addresses.node],
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(dir, 'control/ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    // Images are imported, not pulled: one that is thrown away would be missing.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    imageMinimumGCAge: '24h',
    // Lowering an out-of-memory score needs CAP_SYS_RESOURCE, which a virtual machine's root may lack.
    localStorageCapacityIsolation: false,
    oomScoreAdj: 0,
    featureGates: { KubeletInUserNamespace: true },
    volumePluginDir: join(dir, 'volume-plugins'),
    podLogsDir: join(dir, 'pod-logs'),
  });
}

/** What every container gets, from the text of `ctr oci spec`: containerd's default without limits of resources. */
export function baseSpec(defaultSpec: string): string {
  const spec = JSON.parse(defaultSpec) as { process: { rlimits?: unknown } };
  const { rlimits: _, ...process } = spec.process;
  return JSON.stringify({ ...spec, process });
}
