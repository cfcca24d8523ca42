import { describe, expect, test } from 'vitest';
import type { DnsRecord } from '../../../regions/dns/dns-records.ts';
import type { ProviderFacts } from '../../../regions/dns/provider-facts.ts';
import { checkNames, flipCosts, type NamesView, type ServerAnswer } from '../../../runbooks/names/check-names.ts';
import { decideRollback } from '../../../runbooks/names/decide-rollback.ts';

const name = 'ingest.example.com';
const primary = { name: 'mumbai', address: '203.0.113.10' };
const standby = { name: 'singapore', address: '203.0.113.20' };
const record = (over: Partial<DnsRecord> = {}): DnsRecord => ({
  id: 'r1',
  name,
  type: 'A',
  content: primary.address,
  ttlSeconds: 60,
  proxied: false,
  ...over,
});
const answer = (addresses: readonly string[], over: Partial<ServerAnswer> = {}, ttlSeconds = 60): ServerAnswer => ({
  server: '1.1.1.1:53',
  authoritative: false,
  answer: { kind: 'known', value: { addresses, ttlSeconds } },
  ...over,
});
const facts = (over: Partial<ProviderFacts> = {}): ProviderFacts => ({
  provider: 'Cloudflare',
  token: { status: 'active' },
  zone: { name: 'example.com', status: 'active', paused: false, nameServers: [] },
  balancers: [],
  healthChecks: [],
  unread: [],
  ...over,
});
const view = (
  records: readonly DnsRecord[] = [record()],
  answers: readonly ServerAnswer[] = [answer([primary.address])],
  over: Partial<NamesView> = {},
): NamesView => ({
  nowMs: 0,
  primary,
  standby,
  maxChanges: 10,
  names: [{ name, records: { kind: 'known', value: records }, answers }],
  provider: facts(),
  ...over,
});
const pool = (region: string | undefined, over: object = {}) => ({
  id: region ?? 'x',
  name: region ?? 'x',
  ...(region === undefined ? {} : { region }),
  leadsTo: true,
  enabled: true,
  monitored: true,
  ...over,
});
const balancer = (pools: readonly ReturnType<typeof pool>[], over: object = {}) =>
  view(undefined, undefined, {
    provider: facts({
      balancers: [{ name, enabled: true, steering: 'off', proxied: false, sessionAffinity: 'none', pools, ...over }],
    }),
  });

describe('argus dns check', () => {
  test.each<readonly [string, NamesView, readonly string[]]>([
    ['finds nothing wrong where nothing is', view(), []],
    ['advises a lower TTL', view([record({ ttlSeconds: 300 })]), ['warning TtlHigh']],
    [
      'tells what proxied means',
      view([record({ proxied: true, ttlSeconds: 300 })], [answer(['1.2.3.4'])]),
      ['advice NameProxied'],
    ],
    ['refuses a name without a record', view([]), ['refused NameMissing']],
    [
      'refuses a record that somebody pointed elsewhere',
      view([record({ content: '192.0.2.9' })]),
      ['refused NameHoldsOther'],
    ],
    [
      'refuses a name of both regions at once',
      view([record(), record({ id: 'r2', content: standby.address })]),
      ['refused NameHoldsBoth'],
    ],
    [
      'tells a name that is at the standby already',
      view([record({ content: standby.address })]),
      ['warning NameElsewhere'],
    ],
    [
      'refuses what the provider would',
      view([record({ refuses: [{ content: '*', why: 'an alias' }] })]),
      ['refused NameCantMove'],
    ],
    [
      'refuses more changes than are allowed',
      view(undefined, undefined, { maxChanges: 0 }),
      ['refused DnsTooManyChanges'],
    ],
    [
      'tells a resolver that answers otherwise',
      view(undefined, [answer([standby.address])]),
      ['warning ResolverDiffers'],
    ],
    [
      'tells a server of the zone that does',
      view(undefined, [answer([], { authoritative: true })]),
      ['warning NameServerDiffers'],
    ],
    [
      'tells a resolver that keeps answers longer',
      view(undefined, [answer([primary.address], {}, 900)]),
      ['warning ResolverKeepsLonger'],
    ],
    [
      'tells a resolver that is silent',
      view(undefined, [answer([], { answer: { kind: 'unknown', why: 'timed out' } })]),
      ['warning ResolverDown'],
    ],
    [
      'refuses a token that is off',
      view(undefined, undefined, { provider: facts({ token: { status: 'expired' } }) }),
      ['refused TokenInactive'],
    ],
    [
      'tells a token that soon will be',
      view(undefined, undefined, { provider: facts({ token: { status: 'active', expiresAtMs: 86_400_000 } }) }),
      ['warning TokenExpires'],
    ],
    [
      'refuses a zone that nobody is answered from',
      view(undefined, undefined, {
        provider: facts({ zone: { name: 'z', status: 'active', paused: true, nameServers: [] } }),
      }),
      ['refused ZoneNotActive'],
    ],
    [
      'tells a load balancer that moves clients by itself',
      balancer([pool('mumbai'), pool('singapore')]),
      ['advice MovesByItself'],
    ],
    ['not one that knows one region', balancer([pool('mumbai'), pool('singapore', { leadsTo: false })]), []],
    ['tells a pool without monitor', balancer([pool('mumbai', { monitored: false })]), ['advice PoolUnmonitored']],
    [
      'tells an unhealthy pool of the standby',
      balancer([pool('mumbai'), pool('singapore', { leadsTo: false, healthy: false })]),
      ['warning PoolUnhealthy'],
    ],
    ['tells sessions that stick', balancer([pool('mumbai')], { sessionAffinity: 'cookie' }), ['advice SessionsStick']],
    [
      'tells when the zone has servers that nobody finds',
      view(undefined, undefined, { serversUnknown: 'none' }),
      ['warning NameServersUnknown'],
    ],
  ])('%s', (_, given, expected) => {
    expect(checkNames(given).map((f) => `${f.severity} ${f.code}`)).toEqual(expected);
  });

  test('what can not be asked is unknown, never fine', () => {
    const names = [{ name, records: { kind: 'unknown' as const, why: 'HTTP 500' }, answers: [] }];
    expect(checkNames(view(undefined, undefined, { names }))).toMatchObject([
      { severity: 'unknown', code: 'NamesUnreachable' },
    ]);
    expect(flipCosts(names)).toEqual([]);
  });

  test('a flip costs the TTL, or seconds where the provider answers itself', () => {
    expect(flipCosts(view([record({ ttlSeconds: 300 })]).names)).toMatchObject([{ costSeconds: 300 }]);
    expect(flipCosts(view([record({ ttlSeconds: 300, proxied: true })]).names)).toMatchObject([{ costSeconds: 5 }]);
  });
});

describe('a rollback', () => {
  const before = { id: 'r1', name, type: 'A' as const, content: primary.address, ttlSeconds: 60, proxied: false };
  const pools = { defaultPools: ['m', 's'], fallbackPool: 'm' };
  const moved = record({ id: 'lb/s', content: standby.address, pools: { defaultPools: ['s'], fallbackPool: 's' } });
  test.each([
    ['puts back what holds what the run put there', before, [record({ content: standby.address })], 'restore'],
    ['does nothing where it is so already', before, [record()], 'already'],
    ['leaves what somebody changed since', before, [record({ content: '192.0.2.9' })], 'changed-since'],
    ['leaves what is gone', before, [], 'changed-since'],
    [
      'finds a record whose id is made of its value',
      before,
      [record({ id: 'new', content: standby.address })],
      'restore',
    ],
    ['puts back the order of a load balancer', { ...before, id: 'lb/m', pools }, [moved], 'restore'],
    ['not one that was ordered anew since', { ...before, id: 'lb/m', pools }, [moved, record()], 'changed-since'],
    ['nor one that is in order', { ...before, id: 'lb/m', pools }, [record({ id: 'lb/m', pools })], 'already'],
  ])('%s', (_, was, now, kind) => {
    const decided = decideRollback(was, standby.address, now);
    expect(decided.kind).toBe(kind);
    if (decided.kind === 'restore') expect(decided.record.content).toBe(primary.address);
  });
});
