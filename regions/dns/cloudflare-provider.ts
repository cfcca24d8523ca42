import type { LoadBalancer } from 'cloudflare/resources/load-balancers/load-balancers';
import { describeError } from '../../domain/errors.ts';
import type { CloudflareAccess } from './cloudflare-access.ts';
import type { DnsCallOptions } from './dns-records.ts';
import type { ProviderCall } from './provider-calls.ts';
import type { BalancerFacts, DnsProvider, ProviderFacts } from './provider-facts.ts';

/** What Cloudflare says of the token, the zone, its load balancers that follow the primary, and its health checks. */
export function cloudflareProvider(
  { client, calls, zone, zoneId }: CloudflareAccess,
  accountId: string | undefined,
  following: readonly { readonly name: string; readonly pools: Readonly<Record<string, string>> }[],
): DnsProvider {
  async function balancerFacts(lb: LoadBalancer, account: string, options: DnsCallOptions): Promise<BalancerFacts> {
    const pools = following.find((f) => f.name.toLowerCase() === lb.name?.toLowerCase())?.pools ?? {};
    const ids = new Set([...(lb.default_pools ?? []), ...(lb.fallback_pool ? [lb.fallback_pool] : [])]);
    return {
      name: lb.name ?? '',
      enabled: lb.enabled !== false,
      steering: lb.steering_policy ?? '',
      proxied: lb.proxied === true,
      sessionAffinity: lb.session_affinity ?? 'none',
      pools: await Promise.all(
        [...new Set([...ids, ...Object.values(pools)])].map(async (id) => {
          const region = Object.keys(pools).find((r) => pools[r] === id);
          const facts = await calls.run(`look at pool ${id}`, options, (io) => poolFacts(id, account, io));
          return { ...facts, leadsTo: ids.has(id), ...(region === undefined ? {} : { region }) };
        }),
      ),
    };
  }

  async function poolFacts(id: string, account: string, { signal, spend }: ProviderCall) {
    await spend();
    const pool = await client.loadBalancers.pools.get(id, { account_id: account }, { signal });
    await spend();
    const health = await client.loadBalancers.pools.health.get(id, { account_id: account }, { signal });
    const healthy = health.pop_health?.healthy;
    return {
      id,
      name: pool.name ?? id,
      enabled: pool.enabled !== false,
      monitored: (pool.monitor ?? '') !== '' || (pool.monitor_group ?? '') !== '',
      ...(healthy === undefined ? {} : { healthy }),
    };
  }

  return {
    async facts(options = {}): Promise<ProviderFacts> {
      const unread: { what: string; why: string }[] = [];
      const read = async <T>(what: string, call: (io: ProviderCall) => Promise<T>): Promise<T | undefined> => {
        try {
          return await calls.run(what, options, async (io) => {
            await io.spend();
            return call(io);
          });
        } catch (error) {
          options.signal?.throwIfAborted();
          unread.push({ what, why: describeError(error) });
          return undefined;
        }
      };
      const [token, found, balancers, checks] = await Promise.all([
        read('the token', ({ signal }) => client.user.tokens.verify({ signal })),
        read('the zone', async (io) => client.zones.get({ zone_id: await zoneId(io) }, { signal: io.signal })),
        following.length === 0 || accountId === undefined
          ? []
          : read('the load balancers', async (io) => {
              const { result } = await client.loadBalancers.list({ zone_id: await zoneId(io) }, { signal: io.signal });
              const names = following.map((f) => f.name.toLowerCase());
              const ours = result.filter((lb) => names.includes(lb.name?.toLowerCase() ?? ''));
              return Promise.all(ours.map((lb) => balancerFacts(lb, accountId, { ...options, signal: io.signal })));
            }),
        read('the health checks', async (io) => {
          const page = await client.healthchecks.list({ zone_id: await zoneId(io) }, { signal: io.signal });
          return page.result.map((c) => ({
            name: c.name ?? c.id ?? '',
            status: c.status ?? 'unknown',
            address: c.address ?? '',
          }));
        }),
      ]);
      return {
        provider: 'Cloudflare',
        ...(token && {
          token: {
            status: token.status,
            ...(token.expires_on === undefined ? {} : { expiresAtMs: Date.parse(token.expires_on) }),
          },
        }),
        ...(found && {
          zone: {
            name: zone,
            status: found.status ?? 'unknown',
            paused: found.paused === true,
            nameServers: found.name_servers ?? [],
          },
        }),
        balancers: balancers ?? [],
        healthChecks: checks ?? [],
        unread,
      };
    },
  };
}
