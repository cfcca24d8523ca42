import { runTool } from '../setup/tool.ts';

/** The machine's IPv4 networks, `a.b.c.d/n`, by its addresses and routes; without the default route. */
export async function machineNetworks(): Promise<readonly string[]> {
  const hint = 'iproute2 is needed';
  const routes = await runTool({ command: 'ip', args: ['-4', '-json', 'route', 'show', 'table', 'all'], hint });
  const addresses = await runTool({ command: 'ip', args: ['-4', '-json', 'address'], hint });
  return networksIn(routes, addresses);
}

/** The networks in what `ip -json route` and `ip -json address` print. */
export function networksIn(routes: string, addresses: string): readonly string[] {
  const destinations = (JSON.parse(routes || '[]') as { dst: string }[]).map(({ dst }) => dst);
  const links = JSON.parse(addresses || '[]') as { addr_info?: { local: string; prefixlen: number }[] }[];
  const own = links.flatMap((link) => (link.addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen}`));
  return [...new Set([...destinations, ...own])].filter((network) => network !== 'default' && network !== '0.0.0.0/0');
}
