import type { DnsRecord } from '../../regions/dns/dns-records.ts';
import type { BalancerFacts, ProviderFacts } from '../../regions/dns/provider-facts.ts';
import { flipOf, tooManyChanges } from '../failover/flip.ts';
import type { Asked } from '../failover/gather-plan-view.ts';

/** What one DNS server answers for a name, and for how long that may be kept. */
export interface ServerAnswer {
  readonly server: string;
  /** The zone's own server, or one that keeps answers. */
  readonly authoritative: boolean;
  readonly answer: Asked<{ readonly addresses: readonly string[]; readonly ttlSeconds: number }>;
}

export interface NameFacts {
  readonly name: string;
  readonly records: Asked<readonly DnsRecord[]>;
  readonly answers: readonly ServerAnswer[];
}

/** All that `argus dns check` looked at. */
export interface NamesView {
  readonly nowMs: number;
  readonly primary: { readonly name: string; readonly address: string };
  readonly standby: { readonly name: string; readonly address: string };
  readonly maxChanges: number;
  readonly names: readonly NameFacts[];
  /** Absent: the provider says nothing of itself. */
  readonly provider?: ProviderFacts;
  /** Why the zone's own servers could not be found; absent: they were. */
  readonly serversUnknown?: string;
}

export interface NameFinding {
  /** `refused`: a failover would be refused, or stop there. `unknown`: it could not be asked. */
  readonly severity: 'refused' | 'unknown' | 'warning' | 'advice';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What a flip of a name costs until nobody is answered with the primary any more. */
export interface FlipCost {
  readonly name: string;
  readonly proxied: boolean;
  readonly ttlSeconds: number;
  /** Proxied: seconds, since the answer stays the provider's edge and only its way changes. */
  readonly costSeconds: number;
}

/** Below this Cloudflare takes no TTL from who isn't an Enterprise. Source: Cloudflare, "Time to Live (TTL)". */
const leastTtlSeconds = 60;
const expirySoonMs = 14 * 24 * 3_600_000;
/** What a change of a proxied name, or of a proxied load balancer, takes to reach the edge. */
const edgeSeconds = 5;

/** What a flip would cost, by name. Pure. */
export function flipCosts(names: readonly Pick<NameFacts, 'name' | 'records'>[]): readonly FlipCost[] {
  return names.flatMap(({ name, records }) => {
    if (records.kind === 'unknown' || records.value[0] === undefined) return [];
    const proxied = records.value.every((r) => r.proxied);
    const ttlSeconds = Math.max(...records.value.map((r) => r.ttlSeconds));
    return [{ name, proxied, ttlSeconds, costSeconds: proxied ? edgeSeconds : ttlSeconds }];
  });
}

/** Whether the names would follow a failover, what it would cost, and what to change beforehand. Pure. */
export function checkNames(view: NamesView): readonly NameFinding[] {
  return [
    ...view.names.flatMap((facts) => judgeRecords(facts, view)),
    ...changesOf(view),
    ...view.names.flatMap((facts) => judgeAnswers(facts, view)),
    ...(view.serversUnknown === undefined
      ? []
      : [
          finding('warning', 'NameServersUnknown', `the zone's own servers can't be asked: ${view.serversUnknown}`, {
            hint: 'list them under dns.authoritative',
          }),
        ]),
    ...(view.provider === undefined ? [] : judgeProvider(view.provider, view)),
  ];
}

const finding = (
  severity: NameFinding['severity'],
  code: string,
  message: string,
  { hint }: { readonly hint?: string } = {},
): NameFinding => ({ severity, code, message, ...(hint === undefined ? {} : { hint }) });

function judgeRecords({ name, records }: NameFacts, { primary, standby }: NamesView): readonly NameFinding[] {
  if (records.kind === 'unknown')
    return [finding('unknown', 'NamesUnreachable', `${name} can't be read: ${records.why}`)];
  const addresses = { primary: primary.address, standby: standby.address };
  const flip = flipOf(name, records.value, addresses);
  const found: NameFinding[] = [];
  if (flip.kind === 'impossible') found.push(finding('refused', flip.code, flip.why));
  if (flip.kind === 'already')
    found.push(finding('warning', 'NameElsewhere', `${name} leads to ${standby.name} already`));
  if (records.value.length > 1 && records.value.some((r) => r.content === standby.address && r.pools === undefined)) {
    const message = `${name} has a record of each region: clients reach the standby now, and a flip would make two alike`;
    found.push(finding('refused', 'NameHoldsBoth', message, { hint: "leave the primary's only" }));
  }
  const [cost] = flipCosts([{ name, records }]);
  if (cost?.proxied) {
    const message = `${name} is proxied: resolvers answer with the provider's edge (TTL 300 s), a flip reaches it within seconds and is seen at the provider alone`;
    found.push(finding('advice', 'NameProxied', message));
  } else if (cost !== undefined && cost.ttlSeconds > leastTtlSeconds) {
    const message = `${name} may be kept for ${cost.ttlSeconds} s: so long clients go on to the old primary after a flip`;
    found.push(finding('warning', 'TtlHigh', message, { hint: `set its TTL to ${leastTtlSeconds} s` }));
  }
  return found;
}

function changesOf({ names, maxChanges, primary }: NamesView): readonly NameFinding[] {
  const records = names.flatMap((n) => (n.records.kind === 'known' ? n.records.value : []));
  const tooMany = tooManyChanges(records.filter((r) => r.content === primary.address).length, maxChanges);
  return tooMany === undefined ? [] : [finding('refused', 'DnsTooManyChanges', tooMany)];
}

function judgeAnswers({ name, records, answers }: NameFacts, { primary }: NamesView): readonly NameFinding[] {
  const known = records.kind === 'known' ? records.value : [];
  if (known.length > 0 && known.every((r) => r.proxied)) return [];
  const ttlSeconds = Math.max(0, ...known.map((r) => r.ttlSeconds));
  return answers.flatMap(({ server, authoritative, answer }): NameFinding[] => {
    const who = authoritative ? `the zone's server ${server}` : `the resolver ${server}`;
    if (answer.kind === 'unknown') return [finding('warning', 'ResolverDown', `${who}: ${answer.why}`)];
    const { addresses, ttlSeconds: kept } = answer.value;
    if (addresses.join() !== primary.address) {
      const says = addresses.join(', ') || 'nothing';
      const code = authoritative ? 'NameServerDiffers' : 'ResolverDiffers';
      return [
        finding('warning', code, `${who} answers ${name} with ${says}, not ${primary.name}'s ${primary.address}`),
      ];
    }
    if (!authoritative && known.length > 0 && kept > ttlSeconds) {
      const message = `${who} keeps ${name} for ${kept} s, though its TTL is ${ttlSeconds} s: its clients move later`;
      return [finding('warning', 'ResolverKeepsLonger', message)];
    }
    return [];
  });
}

function judgeProvider(facts: ProviderFacts, view: NamesView): readonly NameFinding[] {
  const { token, zone, balancers, unread } = facts;
  const found: NameFinding[] = unread.map(({ what, why }) =>
    finding('warning', 'ProviderUnread', `${what} can't be read: ${why}`),
  );
  if (token !== undefined && token.status !== 'active') {
    found.push(finding('refused', 'TokenInactive', `the token is ${token.status}`, { hint: 'make another one' }));
  }
  if (token?.expiresAtMs !== undefined && token.expiresAtMs - view.nowMs < expirySoonMs) {
    found.push(finding('warning', 'TokenExpires', `the token expires at ${new Date(token.expiresAtMs).toISOString()}`));
  }
  if (zone !== undefined && (zone.status !== 'active' || zone.paused)) {
    const how = zone.paused ? 'paused' : zone.status;
    found.push(
      finding('refused', 'ZoneNotActive', `the zone ${zone.name} is ${how}: its records are not what is answered`),
    );
  }
  return [...found, ...balancers.flatMap((balancer) => judgeBalancer(balancer, view))];
}

function judgeBalancer({ name, pools, sessionAffinity }: BalancerFacts, { primary, standby }: NamesView) {
  const found: NameFinding[] = [];
  const of = (region: string) => pools.find((p) => p.region === region);
  const [ours, theirs] = [of(primary.name), of(standby.name)];
  if (pools.filter((p) => p.region !== undefined && p.leadsTo && p.monitored).length > 1) {
    const message = `${name} knows the pools of both regions: when a monitor finds ${primary.name}'s unhealthy, the provider moves clients to ${standby.name} by itself, unfenced and unpromoted, and back again`;
    found.push(
      finding('advice', 'MovesByItself', message, {
        hint: "keep the primary's pool alone in its order; a failover puts the standby's there",
      }),
    );
  }
  if (ours?.monitored === false) {
    found.push(
      finding('advice', 'PoolUnmonitored', `pool ${ours.name} of ${name} has no monitor: it counts as healthy`),
    );
  }
  if (theirs?.monitored === true && theirs.healthy === false) {
    const message = `pool ${theirs.name} of ${name} is unhealthy: after a flip clients get the fallback pool, which is the same`;
    found.push(finding('warning', 'PoolUnhealthy', message));
  }
  if (sessionAffinity !== 'none' && sessionAffinity !== '') {
    found.push(
      finding(
        'advice',
        'SessionsStick',
        `${name} has session affinity (${sessionAffinity}): sessions of a pool that is gone are dealt anew`,
      ),
    );
  }
  return found;
}
