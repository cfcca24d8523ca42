import type { LoadBalancer, LoadBalancerEditParams } from 'cloudflare/resources/load-balancers/load-balancers';
import { ArgusError } from '../../domain/errors.ts';
import type { CloudflareAccess } from './cloudflare-access.ts';
import type { DnsRecord, DnsRecords, PoolOrder } from './dns-records.ts';
import { type BalancerView, orderFor, type RegionPool, recordsOf } from './load-balancer-order.ts';
import type { ProviderCall } from './provider-calls.ts';

/** A load balancer that follows the primary. */
export interface FollowingBalancer {
  readonly name: string;
  /** Each region's pool and address. */
  readonly regions: readonly { readonly pool: string; readonly address: string }[];
}

/**
 * A zone's load balancers as names that lead to a region. Only the order of the pools of one of those that were given is
 * ever changed, by one PATCH; pools are read, since other load balancers may use them.
 */
export function cloudflareLoadBalancers(
  access: CloudflareAccess,
  accountId: string,
  balancers: readonly FollowingBalancer[],
): DnsRecords {
  const { client, calls } = access;

  async function poolsOf({ regions }: FollowingBalancer, io: ProviderCall): Promise<readonly RegionPool[]> {
    return Promise.all(
      regions.map(async (region) => {
        await io.spend();
        const pool = await client.loadBalancers.pools.get(
          region.pool,
          { account_id: accountId },
          { signal: io.signal },
        );
        return { ...region, enabled: pool.enabled !== false };
      }),
    );
  }

  async function edit(id: string, order: PoolOrder, io: ProviderCall): Promise<LoadBalancer> {
    const change: LoadBalancerEditParams = {
      zone_id: await access.zoneId(io),
      default_pools: [...order.defaultPools],
      fallback_pool: order.fallbackPool,
    };
    await io.spend();
    return client.loadBalancers.edit(id, change, { signal: io.signal });
  }

  return {
    find: (name, type, options = {}) =>
      calls.run(`find load balancer ${name}`, options, async (io) => {
        const following = balancers.find((b) => b.name.toLowerCase() === name.toLowerCase());
        if (following === undefined || type !== 'A') return [];
        const zone_id = await access.zoneId(io);
        await io.spend();
        const { result } = await client.loadBalancers.list({ zone_id }, { signal: io.signal });
        const found = result.find((lb) => lb.name?.toLowerCase() === name.toLowerCase());
        return found === undefined ? [] : recordsOf(balancerView(found), await poolsOf(following, io));
      }),
    setContent: (id, content, options = {}) =>
      calls.run(`lead load balancer ${id} to ${content}`, options, async (io) => {
        const lb = balancerId(id);
        await io.spend();
        const zone_id = await access.zoneId(io);
        const now = balancerView(await client.loadBalancers.get(lb, { zone_id }, { signal: io.signal }));
        const following = balancers.find((b) => b.name.toLowerCase() === now.name.toLowerCase());
        if (following === undefined)
          throw new ArgusError('DnsUnlisted', `load balancer ${now.name} is not in argus.yaml`);
        const regions = await poolsOf(following, io);
        const to = regions.find((r) => r.address === content);
        const [record] = recordsOf(now, regions);
        const refusal = record?.refuses?.find((r) => r.content === content);
        if (to === undefined || refusal !== undefined) {
          throw new ArgusError(
            'DnsFailed',
            refusal?.why ?? `no pool of load balancer ${now.name} stands for ${content}`,
          );
        }
        const changed = recordsOf(balancerView(await edit(lb, orderFor(now, to.pool, regions), io)), regions);
        return changed.find((r) => r.content === content) ?? { ...(record as DnsRecord), content };
      }),
    restore: (record, options = {}) =>
      calls.run(`put back load balancer ${record.name}`, options, async (io) => {
        if (record.pools === undefined) throw new ArgusError('DnsFailed', `${record.name} is no load balancer`);
        await edit(balancerId(record.id), record.pools, io);
      }),
  };
}

/** What the API says of a load balancer, as far as it decides. */
function balancerView(lb: LoadBalancer): BalancerView {
  const places = [lb.region_pools, lb.country_pools, lb.pop_pools].flatMap((map) => Object.values(map ?? {}).flat());
  const rules = (lb.rules ?? []).flatMap(({ disabled, overrides }) =>
    disabled === true || overrides === undefined
      ? []
      : [
          ...(overrides.default_pools ?? []),
          ...(overrides.pools ?? []),
          ...(overrides.fallback_pool === undefined ? [] : [overrides.fallback_pool]),
          ...[overrides.region_pools, overrides.country_pools, overrides.pop_pools].flatMap((map) =>
            Object.values(map ?? {}).flat(),
          ),
        ],
  );
  return {
    id: lb.id ?? '',
    name: lb.name ?? '',
    enabled: lb.enabled !== false,
    // Empty: by place where a map names pools, else in order. Source: Cloudflare's API, "Create Load Balancer".
    steering: lb.steering_policy ?? '',
    proxied: lb.proxied === true,
    ttlSeconds: lb.ttl ?? 30,
    defaultPools: lb.default_pools ?? [],
    fallbackPool: lb.fallback_pool ?? '',
    namedElsewhere: [...new Set([...places, ...rules])],
  };
}

const balancerId = (recordId: string) => recordId.slice(0, recordId.indexOf('/'));
