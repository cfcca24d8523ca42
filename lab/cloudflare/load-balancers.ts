import type {
  LoadBalancer,
  LoadBalancerEditParams,
  SteeringPolicy,
} from 'cloudflare/resources/load-balancers/load-balancers';
import type { Monitor } from 'cloudflare/resources/load-balancers/monitors';
import type { Pool, PoolEditParams } from 'cloudflare/resources/load-balancers/pools';
import { identifierOf } from './dns-zone.ts';
import { ZoneError } from './record-rules.ts';

/** What a PATCH of a load balancer may hold here; every field as the official client has it. */
export type BalancerChange = Pick<
  LoadBalancerEditParams,
  'default_pools' | 'fallback_pool' | 'enabled' | 'steering_policy' | 'proxied' | 'ttl' | 'region_pools'
>;
/** The same for a pool. */
export type PoolChange = Pick<PoolEditParams, 'enabled' | 'monitor' | 'origins' | 'name'>;

const steering: readonly SteeringPolicy[] = [
  'off',
  'geo',
  'random',
  'dynamic_latency',
  'proximity',
  'least_outstanding_requests',
  'least_connections',
  '',
];

/**
 * Load balancers, pools and monitors of one account, in memory. Where a name leads follows Cloudflare's words for `off`:
 * the first pool of the order that is enabled and healthy, else the fallback pool, whatever its health; a pool that has
 * no monitor counts as healthy.
 */
export class Balancers {
  readonly #now: () => Date;
  readonly #unhealthy = new Set<string>();
  #balancers: ReadonlyMap<string, LoadBalancer> = new Map();
  #pools: ReadonlyMap<string, Pool> = new Map();
  #monitors: ReadonlyMap<string, Monitor> = new Map();

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  balancers(): LoadBalancer[] {
    return [...this.#balancers.values()];
  }

  pools(): Pool[] {
    return [...this.#pools.values()];
  }

  monitors(): Monitor[] {
    return [...this.#monitors.values()];
  }

  balancer(id: string): LoadBalancer {
    return found(this.#balancers, id, 'load balancer');
  }

  pool(id: string): Pool {
    return found(this.#pools, id, 'pool');
  }

  monitor(id: string): Monitor {
    return found(this.#monitors, id, 'monitor');
  }

  healthy(pool: string): boolean {
    return (this.pool(pool).monitor ?? '') === '' || !this.#unhealthy.has(pool);
  }

  /** What the monitor of a pool is to find from now on. */
  setHealth(pool: string, healthy: boolean): void {
    this.pool(pool);
    if (healthy) this.#unhealthy.delete(pool);
    else this.#unhealthy.add(pool);
  }

  addMonitor(): Monitor {
    const id = identifierOf(`monitor ${this.#monitors.size}`);
    const monitor: Monitor = { id, type: 'https', interval: 60, retries: 2, timeout: 5 };
    this.#monitors = new Map(this.#monitors).set(id, monitor);
    return monitor;
  }

  addPool(name: string, address: string, monitor = ''): Pool {
    const id = identifierOf(`pool ${name}`);
    const origins = [{ name, address, enabled: true, weight: 1 }];
    const pool: Pool = { id, name, enabled: true, monitor, origins, created_on: this.#now().toISOString() };
    this.#pools = new Map(this.#pools).set(id, pool);
    return pool;
  }

  addBalancer(name: string, change: BalancerChange): LoadBalancer {
    const id = identifierOf(`load balancer ${name}`);
    const empty: LoadBalancer = { id, name, enabled: true, proxied: false, steering_policy: 'off', ttl: 30 };
    const balancer = this.#checked({ ...empty, created_on: this.#now().toISOString() }, change);
    this.#balancers = new Map(this.#balancers).set(id, balancer);
    return balancer;
  }

  patchBalancer(id: string, change: BalancerChange): LoadBalancer {
    const balancer = this.#checked(this.balancer(id), change);
    this.#balancers = new Map(this.#balancers).set(id, balancer);
    return balancer;
  }

  patchPool(id: string, change: PoolChange): Pool {
    const pool = { ...this.pool(id), ...change, modified_on: this.#now().toISOString() };
    this.#pools = new Map(this.#pools).set(id, pool);
    return pool;
  }

  /** The addresses that an unproxied load balancer's name answers with; undefined where there is none of that name. */
  addressesOf(name: string): { readonly addresses: readonly string[]; readonly ttl: number } | undefined {
    const balancer = this.balancers().find((b) => b.name === name && b.enabled !== false);
    if (balancer === undefined) return undefined;
    const usable = (balancer.default_pools ?? []).find((p) => this.pool(p).enabled !== false && this.healthy(p));
    const pool = this.pool(usable ?? balancer.fallback_pool ?? '');
    const addresses = (pool.origins ?? []).flatMap((o) => (o.enabled === false ? [] : (o.address ?? [])));
    return { addresses, ttl: balancer.ttl ?? 30 };
  }

  #checked(before: LoadBalancer, change: BalancerChange): LoadBalancer {
    const after = { ...before, ...change, modified_on: this.#now().toISOString() };
    const { default_pools = [], fallback_pool = '', steering_policy = '' } = after;
    if (default_pools.length === 0) throw new ZoneError(400, 1002, 'default_pools: must not be empty');
    for (const pool of [...default_pools, fallback_pool]) {
      if (!this.#pools.has(pool)) throw new ZoneError(400, 1002, `pool ${pool}: does not exist`);
    }
    if (!steering.includes(steering_policy)) throw new ZoneError(400, 1002, 'steering_policy: is not one of those');
    return after;
  }
}

function found<T>(things: ReadonlyMap<string, T>, id: string, what: string): T {
  const thing = things.get(id);
  if (thing === undefined) throw new ZoneError(404, 1001, `${what} ${id} does not exist`);
  return thing;
}
