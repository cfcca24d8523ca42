import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StartedComponent, startComponent } from '../components/process.ts';
import { runTool } from '../setup/tool.ts';
import type { AddressPlan } from './address-plan.ts';
import { namespaceHolder } from './region-processes.ts';
import type { RegionRecord } from './region-record.ts';
import { within } from './within.ts';

/** Folders of which the node has its own: what it and its pods leave there is in the region's folder, or nowhere. */
export const ownFolders = ['/run', '/var/lib', '/var/log'];

const hint = 'regions with pods need root and Linux with network and mount namespaces';

/**
 * Makes the node's namespaces of network and mounts and lets one process hold them: with the region's last process they
 * are gone, and with them its mounts, links, routes and packet filters. In them, /run, /var/lib, /var/log and the
 * resolver's configuration are the node's own. Resolves with the process.
 */
export async function startNamespaces(region: RegionRecord, signal: AbortSignal): Promise<StartedComponent> {
  const { dir, addresses } = region;
  const [varLib, varLog] = [join(dir, 'var-lib'), join(dir, 'var-log')];
  for (const folder of [varLib, varLog]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(dir, 'resolv.conf'), `nameserver ${addresses.node}\nsearch svc.cluster.local\noptions ndots:1\n`);
  const resolver = realpathSync('/etc/resolv.conf');
  const script = [
    'set -e',
    'mount -t tmpfs -o mode=755,size=256m argus-run /run',
    `mount --bind "$1" /var/lib`,
    `mount --bind "$2" /var/log`,
    'mkdir -p "$(dirname "$4")" && touch "$4" && mount --bind "$3" "$4"',
    'ip link set lo up',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    ': > /run/argus-ready',
    'exec sleep infinity',
  ].join('\n');
  const arguments_ = [varLib, varLog, join(dir, 'resolv.conf'), resolver];
  const holder = startComponent(
    { id: region.labId, dir },
    {
      component: `${region.name}/${namespaceHolder}`,
      command: 'unshare',
      args: ['--net', '--mount', '--propagation', 'private', '--', '/bin/sh', '-c', script, 'sh', ...arguments_],
    },
  );
  await holder.ready(async () => existsSync(`/proc/${holder.pid}/root/run/argus-ready`), {
    timeoutMs: 20_000,
    signal,
    everyMs: 20,
  });
  await connectNode(holder.pid, addresses, signal);
  return holder;
}

async function connectNode(holderPid: number, addresses: AddressPlan, signal: AbortSignal): Promise<void> {
  const { link, gateway, node, pods, services } = addresses;
  const ip = (...args: readonly string[]) => runTool({ command: 'ip', args, hint }, { signal });
  const ipInside = async (...args: readonly string[]) => {
    const [command = '', ...rest] = within(holderPid, 'ip', args);
    await runTool({ command, args: rest, hint }, { signal });
  };
  await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${holderPid}`);
  await ip('address', 'add', `${gateway}/24`, 'dev', link);
  await ip('link', 'set', link, 'up');
  await ipInside('address', 'add', `${node}/24`, 'dev', 'eth0');
  await ipInside('link', 'set', 'eth0', 'up');
  await ipInside('route', 'add', 'default', 'via', gateway);
  await ip('route', 'add', pods, 'via', node);
  await ip('route', 'add', services, 'via', node);
}
