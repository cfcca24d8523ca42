/** The addresses of one region with pods. */
export interface AddressPlan {
  /** What tells it from the other regions of this machine: 1 to 250. */
  readonly slot: number;
  /** The machine's end of the cable to the node, where its own servers are reached from pods. */
  readonly gateway: string;
  /** The node: its API server, its names, its ports. */
  readonly node: string;
  readonly nodes: string;
  readonly pods: string;
  readonly services: string;
  /** Name of the network link on the machine's side. */
  readonly link: string;
  /** Name of the region's cgroup in each hierarchy. */
  readonly cgroup: string;
}

/** First two numbers of nodes', pods' and services' addresses. */
const families: readonly (readonly [string, string, string])[] = [
  ['10.201', '10.202', '10.203'],
  ['172.29', '172.30', '172.31'],
];
const lastSlot = 250;

/**
 * The first plan whose networks meet none of `networks` (what the machine has as addresses and routes, `10.0.0.0/8`,
 * without the default route) and whose slot is not taken; undefined when there is none.
 */
export function freeAddressPlan(networks: readonly string[], taken: readonly number[]): AddressPlan | undefined {
  for (const family of families) {
    for (let slot = 1; slot <= lastSlot; slot++) {
      if (taken.includes(slot)) continue;
      const plan = planOf(slot, family);
      const own = [plan.nodes, plan.pods, plan.services];
      if (!own.some((network) => networks.some((other) => networksMeet(network, other)))) return plan;
    }
  }
  return undefined;
}

function planOf(slot: number, [nodes, pods, services]: readonly [string, string, string]): AddressPlan {
  return {
    slot,
    gateway: `${nodes}.${slot}.1`,
    node: `${nodes}.${slot}.2`,
    nodes: `${nodes}.${slot}.0/24`,
    pods: `${pods}.${slot}.0/24`,
    services: `${services}.${slot}.0/24`,
    link: `argus${slot}`,
    cgroup: `argus-${slot}`,
  };
}

/** Whether two IPv4 networks (`a.b.c.d/n`, without `/n` one address) have an address in common. */
export function networksMeet(a: string, b: string): boolean {
  const [x, y] = [parse(a), parse(b)];
  if (x === undefined || y === undefined) return false;
  const size = 2 ** (32 - Math.min(x.bits, y.bits));
  return Math.floor(x.first / size) === Math.floor(y.first / size);
}

function parse(network: string): { first: number; bits: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(network);
  if (!match) return undefined;
  const first = match.slice(1, 5).reduce((sum, part) => sum * 256 + Number(part), 0);
  return { first, bits: match[5] === undefined ? 32 : Number(match[5]) };
}
