import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { ArgusError } from '../../domain/errors.ts';
import type { NodeTools } from '../setup/debian.ts';
import { runTool } from '../setup/tool.ts';

/** What decides whether this machine can have regions with pods. */
export interface ClusterMachine {
  readonly platform: string;
  readonly root: boolean;
  /** Hierarchies of cgroup v1 that are mounted below /sys/fs/cgroup. */
  readonly cgroups: readonly string[];
  readonly overlay: boolean;
  /** Programs that were looked for and not found in PATH. */
  readonly absentPrograms: readonly string[];
  readonly writableSettings: boolean;
  readonly freeBytes: number;
}

const neededCgroups = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'devices', 'freezer'];
const programs = ['ip', 'nsenter', 'unshare', 'mount', 'umount', 'tar', 'apt-get', 'dpkg'];
const regionGiB = 1.5;

/** What the machine lacks for regions with pods, each with what to do; empty when it has everything. */
export function missingForCluster(machine: ClusterMachine, neededGiB = regionGiB): readonly string[] {
  if (machine.platform !== 'linux') return [`Linux: this is ${machine.platform}; regions without pods work everywhere`];
  const cgroups = neededCgroups.filter((name) => !machine.cgroups.includes(name));
  const missing = [
    !machine.root && 'root: run the same as root (sudo -E), or without Kubernetes',
    cgroups.length > 0 &&
      `the cgroup v1 controllers ${cgroups.join(', ')} below /sys/fs/cgroup: boot with systemd.unified_cgroup_hierarchy=0 (cgroup v2 was not tried)`,
    !machine.overlay && 'the file system overlay in /proc/filesystems: modprobe overlay',
    machine.absentPrograms.length > 0 &&
      `${machine.absentPrograms.join(', ')} in PATH: on Debian apt-get install iproute2 util-linux tar; other systems have no apt-get, and none of them was tried`,
    !machine.writableSettings && 'a /proc/sys that can be written: a container needs to be privileged',
    machine.freeBytes < neededGiB * 2 ** 30 &&
      `${neededGiB} GiB of free memory: ${Math.round(machine.freeBytes / 2 ** 20)} MiB are free`,
  ];
  return missing.filter((line) => line !== false);
}

/**
 * Refuses (`ClusterMachine`, exit code 2) a machine that can't have regions with pods, with all that it lacks; the memory
 * is that for one region unless it is told. Changes nothing.
 */
export async function requireClusterMachine(signal: AbortSignal, neededGiB = regionGiB): Promise<void> {
  const missing = missingForCluster(readClusterMachine(), neededGiB);
  if (missing.length > 0) throw refusal(missing);
  const args = ['--net', '--mount', '--propagation', 'private', '--', 'true'];
  await runTool({ command: 'unshare', args, hint: 'namespaces of network and mounts are needed' }, { signal });
}

/** Refuses a kernel without packet filters (nf_tables), by trying in a network of its own that ends at once. */
export async function requirePacketFilter(
  tools: NodeTools,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const table = 'table ip argus { chain out { type nat hook postrouting priority 100; masquerade; }; }';
  await runTool(
    {
      command: 'unshare',
      args: ['--net', '--', tools.nft, table],
      env: environment,
      hint: "the kernel's packet filter (nf_tables with nat) is needed: modprobe nf_tables nft_chain_nat nft_masq",
    },
    { signal },
  );
}

function refusal(missing: readonly string[]): ArgusError {
  const lines = missing.map((line) => `  - ${line}`);
  return new ArgusError('ClusterMachine', ['this machine lacks for regions with pods:', ...lines].join('\n'), {
    exitCode: 2,
    hint: 'nothing was changed',
  });
}

/** Looks at this machine. */
export function readClusterMachine(): ClusterMachine {
  const linux = process.platform === 'linux';
  const path = (process.env.PATH ?? '').split(':');
  const mounted = linux ? readFileSync('/proc/self/mounts', 'utf8').split('\n') : [];
  return {
    platform: process.platform,
    root: process.geteuid?.() === 0,
    cgroups: mounted
      .map((line) => line.split(' '))
      .filter(([, point, kind]) => kind === 'cgroup' && point?.startsWith('/sys/fs/cgroup/'))
      .flatMap(([, , , options]) => options?.split(',') ?? []),
    overlay: linux && /\boverlay\b/.test(readFileSync('/proc/filesystems', 'utf8')),
    absentPrograms: programs.filter((name) => !path.some((folder) => has(folder, name))),
    writableSettings: linux && isWritable('/proc/sys/kernel/panic'),
    freeBytes: freemem(),
  };
}

function has(folder: string, name: string): boolean {
  try {
    return readdirSync(folder).includes(name);
  } catch {
    // PATH may name folders that aren't there.
    return false;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
