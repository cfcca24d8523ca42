import { z } from 'zod';
import { hostPort, secretRef, serviceUrl } from './config-values.ts';

const cloudflare = z.strictObject({
  zone: z.string().min(1),
  token: secretRef,
  /** Another API root than Cloudflare's own, for tests. */
  apiUrl: serviceUrl.optional(),
  /** The account that the pools belong to; needed for load balancers. */
  account: z.string().min(1).optional(),
  /** Load balancers of the zone that follow the primary; `pools` says which pool stands for which region. */
  loadBalancers: z
    .array(z.strictObject({ name: z.string().min(1), pools: z.record(z.string(), z.string().min(1)) }))
    .default([]),
});

const route53 = z.strictObject({
  /** The hosted zone's name, e.g. `example.com`. */
  zone: z.string().min(1),
  hostedZoneId: z.string().min(1),
  /** Absent: the environment, files or role that the AWS SDK finds. */
  accessKeyId: secretRef.optional(),
  secretAccessKey: secretRef.optional(),
  /** Another API root than AWS' own, for tests. */
  endpoint: serviceUrl.optional(),
});

/** The section `dns`: names outside the regions, who holds them, and how a flip is seen. */
export const dnsSection = z
  .strictObject({
    cloudflare: cloudflare.optional(),
    route53: route53.optional(),
    /** Records that follow the primary: flipped as soon as the standby is promoted. */
    records: z.array(z.strictObject({ name: z.string().min(1), type: z.literal('A').default('A') })).default([]),
    /** DNS servers through which a flip is verified. */
    resolvers: z.array(hostPort).min(1),
    /** The zone's own servers, asked as well. Absent: only `argus dns check` looks for them. */
    authoritative: z.array(hostPort).min(1).optional(),
    /** A run that would change more records and load balancers than this changes none. */
    maxChanges: z.int().min(1).default(100),
    /** A flip counts as verified only when the old answer's TTL has passed, too. */
    awaitTtl: z.boolean().default(false),
  })
  .superRefine((dns, ctx) => {
    if ((dns.cloudflare === undefined) === (dns.route53 === undefined)) {
      ctx.addIssue({ code: 'custom', path: [], message: 'one of cloudflare and route53 is needed, and not both' });
    }
    const names = namesThatFollow(dns).map((n) => n.name.toLowerCase());
    if (names.length === 0) {
      ctx.addIssue({
        code: 'custom',
        path: ['records'],
        message: 'no record and no load balancer follows the primary',
      });
    }
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) ctx.addIssue({ code: 'custom', path: ['records'], message: `"${twice}" is listed twice` });
    if (dns.cloudflare?.loadBalancers.length && dns.cloudflare.account === undefined) {
      ctx.addIssue({ code: 'custom', path: ['cloudflare', 'account'], message: 'the account of the pools is needed' });
    }
    const keys = [dns.route53?.accessKeyId, dns.route53?.secretAccessKey];
    if (keys.filter((key) => key === undefined).length === 1) {
      ctx.addIssue({ code: 'custom', path: ['route53'], message: 'accessKeyId and secretAccessKey go together' });
    }
  });

/** A validated section `dns`. */
export type DnsConfig = z.output<typeof dnsSection>;

/** A name that follows the primary, whatever holds it. */
export interface FollowingName {
  readonly name: string;
  readonly type: 'A';
}

/** All names that follow the primary: records first, then load balancers. */
export function namesThatFollow(dns: {
  readonly records: readonly FollowingName[];
  readonly cloudflare?: { readonly loadBalancers: readonly { readonly name: string }[] } | undefined;
}): readonly FollowingName[] {
  const balancers = dns.cloudflare?.loadBalancers ?? [];
  return [...dns.records, ...balancers.map(({ name }) => ({ name, type: 'A' as const }))];
}

/** What a section `dns` says of regions that it can't mean. */
export function dnsGaps(
  dns: Pick<DnsConfig, 'cloudflare'>,
  regions: Readonly<Record<string, unknown>>,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  return (dns.cloudflare?.loadBalancers ?? []).flatMap(({ pools }, i) => {
    const path = ['cloudflare', 'loadBalancers', i, 'pools'];
    const unknown = Object.keys(pools).filter((region) => !(region in regions));
    const lacking = Object.keys(regions).filter((region) => !(region in pools));
    const same = new Set(Object.values(pools)).size < Object.keys(pools).length;
    return [
      ...unknown.map((region) => ({ path: [...path, region], message: `no region is called "${region}"` })),
      ...lacking.map((region) => ({ path, message: `no pool for region "${region}"` })),
      ...(same ? [{ path, message: 'each region needs a pool of its own' }] : []),
    ];
  });
}
