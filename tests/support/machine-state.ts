import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeTools } from '../../lab/setup/debian.ts';

/** What a region with pods could leave on a machine, by kind; each entry one line. */
export interface MachineState {
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly packetFilters: readonly string[];
  readonly routes: readonly string[];
  readonly links: readonly string[];
  readonly settings: readonly string[];
  readonly files: readonly string[];
}

/** Every entry that is in one of the two and not in the other: `links: + argus1`. */
export function diffMachine(before: MachineState, after: MachineState): readonly string[] {
  return (Object.keys(before) as (keyof MachineState)[]).flatMap((kind) => {
    const [had, has] = [new Set(before[kind]), new Set(after[kind])];
    return [
      ...[...had].filter((entry) => !has.has(entry)).map((entry) => `${kind}: - ${entry}`),
      ...[...has].filter((entry) => !had.has(entry)).map((entry) => `${kind}: + ${entry}`),
    ];
  });
}

// A Kubernetes without nodes, which has no addresses of pods, may be another test's.
const nodePrograms = /kubelet|kube-proxy|--pod-cidr|containerd|runc|nsenter|unshare|sleep infinity/;
// Settings that tell of the moment, or that the kernel sets by itself.
const fleeting =
  /^(fs\/(dentry-state|inode-|file-nr|aio-nr|quota)|kernel\/(random|ns_last_pid|pty\/nr|perf_event_max_sample_rate|perf_cpu_time_max_percent|hostname)|net\/netfilter\/nf_conntrack_count)/;
const places = [
  '/run/argus-cluster',
  '/run/containerd',
  '/run/netns',
  '/etc/cni',
  '/opt/cni',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/lib/containerd',
  '/var/log/pods',
  '/var/log/containers',
];

/** Looks at the machine. Processes that have ended and wait for their parent are none: they hold nothing any more. */
export function machineState(tools: NodeTools): MachineState {
  const environment = { ...process.env, LD_LIBRARY_PATH: tools.libraryFolders.join(':') };
  const lines = (command: string, ...args: readonly string[]) =>
    execFileSync(command, args, { encoding: 'utf8', env: environment }).split('\n').filter(Boolean);
  const live = liveProcesses();
  const own = namespacesOf('self');
  return {
    processes: live
      .filter(({ pid, args }) => nodePrograms.test(args) || namespacesOf(pid).some((name) => !own.includes(name)))
      .map(({ pid, args }) => `${pid} ${args}`),
    namespaces: [...new Set(live.flatMap(({ pid }) => namespacesOf(pid)))],
    mounts: readFileSync('/proc/self/mounts', 'utf8').split('\n').filter(Boolean),
    cgroups: readdirSync('/sys/fs/cgroup').flatMap((hierarchy) => foldersIn(join('/sys/fs/cgroup', hierarchy))),
    packetFilters: lines(tools.nft, 'list', 'ruleset'),
    routes: lines('ip', '-4', 'route', 'show', 'table', 'all'),
    links: readdirSync('/sys/class/net'),
    settings: settingsIn('/proc/sys', ''),
    files: places.flatMap((place) => namesIn(place).map((name) => join(place, name))),
  };
}

function liveProcesses(): readonly { pid: string; args: string }[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, args: textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 200) }))
    .filter(({ args }) => args !== '');
}

function namespacesOf(pid: string): readonly string[] {
  return ['net', 'mnt', 'pid'].flatMap((kind) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/${kind}`)];
    } catch {
      // It ended while we looked.
      return [];
    }
  });
}

function foldersIn(folder: string): readonly string[] {
  return namesIn(folder)
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
}

function settingsIn(folder: string, prefix: string): readonly string[] {
  return namesIn(folder).flatMap((name) => {
    const [path, short] = [join(folder, name), `${prefix}${name}`];
    if (fleeting.test(short)) return [];
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return settingsIn(path, `${short}/`);
    return [`${short} = ${textOf(path).trim()}`];
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty for what can't be read: some settings can only be written. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
