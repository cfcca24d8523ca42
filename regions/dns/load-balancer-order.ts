import type { DnsRecord, PoolOrder } from './dns-records.ts';

/** What of a load balancer decides where it leads; pools by their ids. */
export interface BalancerView extends PoolOrder {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** `off` or empty: in the order of the pools. */
  readonly steering: string;
  readonly proxied: boolean;
  readonly ttlSeconds: number;
  /** Pools that maps by place or custom rules name: they decide before the order does. */
  readonly namedElsewhere: readonly string[];
}

/** A region's pool. */
export interface RegionPool {
  readonly pool: string;
  /** The region's address: what the port calls the content. */
  readonly address: string;
  readonly enabled: boolean;
}

/**
 * A load balancer as the port's records: one for each region that it may lead to, the first choice first, and one for a
 * pool of nobody that comes before all. Pure.
 */
export function recordsOf(view: BalancerView, regions: readonly RegionPool[]): readonly DnsRecord[] {
  const ofPool = (pool: string) => regions.find((r) => r.pool === pool);
  const [first] = view.defaultPools;
  const reached = [...new Set([...view.defaultPools, view.fallbackPool, ...view.namedElsewhere])];
  const contents = reached.flatMap((pool) => {
    const region = ofPool(pool);
    if (region !== undefined) return [{ pool, content: region.address }];
    return pool === first ? [{ pool, content: `pool ${pool}` }] : [];
  });
  const refuses = refusalsOf(view, regions);
  return contents.map(({ pool, content }) => ({
    id: `${view.id}/${pool}`,
    name: view.name,
    type: 'A',
    content,
    ttlSeconds: view.ttlSeconds,
    proxied: view.proxied,
    pools: { defaultPools: view.defaultPools, fallbackPool: view.fallbackPool },
    ...(refuses.length > 0 ? { refuses } : {}),
  }));
}

/**
 * The order in which the load balancer leads to one region and to no other one: with the other's pool still in it, the
 * names would go back by themselves as soon as its monitor is content. Pools of nobody keep their places. Pure.
 */
export function orderFor(view: PoolOrder, to: string, regions: readonly Pick<RegionPool, 'pool'>[]): PoolOrder {
  const ours = (pool: string) => regions.some((r) => r.pool === pool);
  const others = view.defaultPools.filter((pool) => !ours(pool));
  return {
    defaultPools: [to, ...others],
    fallbackPool: ours(view.fallbackPool) ? to : view.fallbackPool,
  };
}

function refusalsOf(view: BalancerView, regions: readonly RegionPool[]): NonNullable<DnsRecord['refuses']> {
  const all = (why: string) => regions.map(({ address }) => ({ content: address, why }));
  if (!view.enabled) return all(`the load balancer ${view.name} is disabled: its order decides nothing`);
  if (view.steering !== 'off' && view.steering !== '') {
    return all(
      `the load balancer ${view.name} steers by ${view.steering}: only \`off\` follows the order of its pools`,
    );
  }
  const elsewhere = regions.find((r) => view.namedElsewhere.includes(r.pool));
  if (elsewhere !== undefined) {
    return all(`the load balancer ${view.name} names pool ${elsewhere.pool} by place or in a rule, before the order`);
  }
  return regions
    .filter((r) => !r.enabled)
    .map(({ pool, address }) => ({
      content: address,
      why: `pool ${pool} of the load balancer ${view.name} is disabled`,
    }));
}
