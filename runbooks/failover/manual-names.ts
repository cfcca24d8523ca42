import type { Config } from '../../domain/config.ts';
import { namesThatFollow } from '../../domain/dns-config.ts';
import type { DnsRecord } from '../../regions/dns/dns-records.ts';
import { orderFor } from '../../regions/dns/load-balancer-order.ts';

/** A record as a person has to know it to change it. */
export type ManualRecord = Pick<DnsRecord, 'id' | 'name'> & Partial<Pick<DnsRecord, 'pools' | 'ttlSeconds'>>;

/** What moves the names by hand: curl for Cloudflare, aws for Route 53. Pure. */
export function flipCommands(
  { dns, regions }: Config,
  standby: string,
  records: readonly ManualRecord[],
): readonly string[] {
  const address = regions[standby]?.address ?? '';
  if (dns.cloudflare === undefined) {
    const zone = dns.route53?.hostedZoneId ?? '$ZONE_ID';
    return records.map(({ name, ttlSeconds = 60 }) => {
      const set = { Name: name, Type: 'A', TTL: ttlSeconds, ResourceRecords: [{ Value: address }] };
      const batch = { Changes: [{ Action: 'UPSERT', ResourceRecordSet: set }] };
      return `aws route53 change-resource-record-sets --hosted-zone-id ${zone} --change-batch ${json(batch)}`;
    });
  }
  const { apiUrl = 'https://api.cloudflare.com/client/v4', loadBalancers } = dns.cloudflare;
  const api = apiUrl.replace(/\/+$/, '');
  const moved = new Set<string>();
  return records.flatMap(({ id, name, pools }) => {
    if (pools === undefined) return [patch(`${api}/zones/$ZONE_ID/dns_records/${id}`, { content: address }, name)];
    // One command for a load balancer, though it shows a record for each region.
    const balancer = id.slice(0, id.indexOf('/'));
    if (moved.has(balancer)) return [];
    moved.add(balancer);
    const ours = loadBalancers.find((lb) => lb.name.toLowerCase() === name.toLowerCase())?.pools ?? {};
    const order = orderFor(
      pools,
      ours[standby] ?? '<pool>',
      Object.values(ours).map((pool) => ({ pool })),
    );
    const body = { default_pools: order.defaultPools, fallback_pool: order.fallbackPool };
    return [patch(`${api}/zones/$ZONE_ID/load_balancers/${balancer}`, body, name)];
  });
}

/** What asks the resolvers by hand. Pure. */
export function digCommands({ dns }: Config): readonly string[] {
  return [...dns.resolvers, ...(dns.authoritative ?? [])].flatMap((server) => {
    const colon = server.lastIndexOf(':');
    return namesThatFollow(dns).map(
      (r) => `dig +short @${server.slice(0, colon)} -p ${server.slice(colon + 1)} ${r.name} ${r.type}`,
    );
  });
}

const patch = (url: string, body: unknown, name: string) =>
  `curl -fX PATCH "${url}" -H "Authorization: Bearer $CLOUDFLARE_API_TOKEN" -H 'Content-Type: application/json' -d ${json(body)} # ${name}`;

const json = (value: unknown) => `'${JSON.stringify(value).replaceAll("'", `'\\''`)}'`;
