import type { Config } from '../domain/config.ts';
import type { DnsRecords } from '../regions/dns/dns-records.ts';
import type { ListedName } from '../regions/dns/listed-records.ts';
import type { DnsProvider } from '../regions/dns/provider-facts.ts';
import type { Names } from '../regions/region.ts';

/** Who holds the names, and who is asked for them. Nothing is asked yet. */
export async function openNames(config: Config, secret: Secret): Promise<Names> {
  const [{ nodeResolver }, { listedRecords }] = await Promise.all([
    import('../regions/dns/node-resolver.ts'),
    import('../regions/dns/listed-records.ts'),
  ]);
  const { resolvers, authoritative } = config.dns;
  const { listed, provider } = await openHolders(config, secret);
  return {
    records: listedRecords(listed),
    resolvers: [...resolvers, ...(authoritative ?? [])].map(nodeResolver),
    ...(provider && { provider }),
  };
}

type Secret = (reference: string) => Promise<string>;

interface Holders {
  readonly listed: readonly ListedName[];
  readonly provider?: DnsProvider;
}

async function openHolders({ dns, regions }: Config, secret: Secret): Promise<Holders> {
  const holding = (through: DnsRecords) => dns.records.map(({ name, type }): ListedName => ({ name, type, through }));
  if (dns.route53 !== undefined) return { listed: holding(await openRoute53(dns.route53, secret)) };
  if (dns.cloudflare === undefined) return { listed: [] };
  const [{ cloudflareAccess }, { cloudflareRecords }, { cloudflareProvider }] = await Promise.all([
    import('../regions/dns/cloudflare-access.ts'),
    import('../regions/dns/cloudflare-records.ts'),
    import('../regions/dns/cloudflare-provider.ts'),
  ]);
  const { zone, token, apiUrl, account, loadBalancers } = dns.cloudflare;
  const access = cloudflareAccess({ zone, token: await secret(token), ...(apiUrl === undefined ? {} : { apiUrl }) });
  const records = holding(cloudflareRecords(access));
  const provider = cloudflareProvider(access, account, loadBalancers);
  if (loadBalancers.length === 0 || account === undefined) return { listed: records, provider };
  const { cloudflareLoadBalancers } = await import('../regions/dns/cloudflare-load-balancers.ts');
  const following = loadBalancers.map(({ name, pools }) => ({
    name,
    regions: Object.entries(pools).map(([region, pool]) => ({ pool, address: regions[region]?.address ?? '' })),
  }));
  const through = cloudflareLoadBalancers(access, account, following);
  return { listed: [...records, ...following.map(({ name }): ListedName => ({ name, type: 'A', through }))], provider };
}

async function openRoute53(
  { zone, hostedZoneId, endpoint, ...keys }: NonNullable<Config['dns']['route53']>,
  secret: Secret,
): Promise<DnsRecords> {
  const { route53Records } = await import('../regions/dns/route53-records.ts');
  const credentials = keys.accessKeyId &&
    keys.secretAccessKey && {
      accessKeyId: await secret(keys.accessKeyId),
      secretAccessKey: await secret(keys.secretAccessKey),
    };
  return route53Records({
    zone,
    hostedZoneId,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials ? { credentials } : {}),
  });
}
