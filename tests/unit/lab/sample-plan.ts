import type { LabInfo, Warmth } from '../../../lab/lab-info.ts';
import { type PlannedNode, planLab } from '../../../lab/plan.ts';

/** A planned lab with ports from 20001 on and readable secrets. */
export function samplePlan(
  flavour: 'local' | 'cluster' = 'local',
  standby: Warmth = 'cold',
  observers = false,
  drills = false,
): LabInfo {
  let port = 20_000;
  let secret = 0;
  return planLab({
    id: '00000000-0000-4000-8000-000000000001',
    dir: '/tmp/some-lab',
    nowMs: 0,
    artifacts: {
      java: '/java',
      kafkaLibs: '/kafka',
      flinkLibs: '/flink',
      flinkPlugins: '/plugins',
      jobJar: '/counts-job.jar',
      versitygw: '/versitygw',
      toxiproxy: '/toxiproxy',
    },
    flink: { version: '2.2', settings: {} },
    anchorPort: 20_000,
    takePort: () => ++port,
    secret: () => `secret-${++secret}`,
    observers,
    drills,
    ...(flavour === 'cluster' && {
      cluster: {
        image: { name: 'localhost/argus-flink:1', archive: '/flink.tar', jarUri: 'local:///counts.jar' },
        regions: { mumbai: sampleNode('mumbai', 1), singapore: sampleNode('singapore', 2) },
        ...(standby === 'warm' && { sessionJar: '/counts-1.20.jar' }),
      },
    }),
  });
}

function sampleNode(name: string, slot: number): PlannedNode {
  const dir = `/tmp/some-lab/${name}`;
  const addresses = {
    slot,
    gateway: `10.201.${slot}.1`,
    node: `10.201.${slot}.2`,
    nodes: `10.201.${slot}.0/24`,
    pods: `10.202.${slot}.0/24`,
    services: `10.203.${slot}.0/24`,
    link: `argus${slot}`,
    cgroup: `argus-${slot}`,
  };
  return {
    addresses,
    kubeconfig: `${dir}/control/kubeconfig`,
    record: { labId: 'lab', name, dir, addresses, owner: { pid: 1, startedAt: '0' }, bootId: 'boot' },
    node: {
      holderPid: 100 + slot,
      binary: '/kubernetes',
      tools: {
        containerd: '/containerd',
        ctr: '/ctr',
        runc: '/runc',
        nft: '/nft',
        networkPlugins: '/cni',
        binFolders: [],
        libraryFolders: [],
        busyboxImage: '/busybox.tar',
      },
      apiPort: 6443,
    },
  };
}
