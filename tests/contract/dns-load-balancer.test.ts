import type { LoadBalancerEditParams } from 'cloudflare/resources/load-balancers/load-balancers';
import type { PoolEditParams } from 'cloudflare/resources/load-balancers/pools';
import { afterAll, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { type ApiServer, startApiServer } from '../../lab/cloudflare/api-server.ts';
import { type DnsServer, startDnsServer } from '../../lab/cloudflare/dns-server.ts';
import { DnsZone } from '../../lab/cloudflare/dns-zone.ts';
import { type BalancerChange, Balancers, type PoolChange } from '../../lab/cloudflare/load-balancers.ts';
import { cloudflareAccess } from '../../regions/dns/cloudflare-access.ts';
import { cloudflareLoadBalancers } from '../../regions/dns/cloudflare-load-balancers.ts';
import { cloudflareRecords } from '../../regions/dns/cloudflare-records.ts';
import type { DnsRecords } from '../../regions/dns/dns-records.ts';
import { listedRecords } from '../../regions/dns/listed-records.ts';
import { nodeResolver } from '../../regions/dns/node-resolver.ts';
import type { FailoverContext } from '../../runbooks/failover/context.ts';
import { flipOf } from '../../runbooks/failover/flip.ts';
import { flipNames } from '../../runbooks/failover/steps/flip-names.ts';
import { planRollback } from '../../runbooks/names/roll-back.ts';
import { readDnsBefore } from '../../state/dns-before.ts';
import { config, newWorld } from '../unit/runbooks/failover/world.ts';

const host = '127.0.0.1';
const name = 'ingest.argus.test';
const addresses = { primary: '127.0.1.1', standby: '127.0.2.1' };
let zone: DnsZone;
let balancers: Balancers;
let api: ApiServer;
let dns: DnsServer;
let records: DnsRecords;
let pools: { readonly mumbai: string; readonly singapore: string; readonly page: string };
let id: string;

beforeEach(async () => {
  await close();
  zone = new DnsZone('argus.test');
  balancers = new Balancers();
  zone.balanced = (n) => balancers.addressesOf(n);
  api = await startApiServer(zone, 't0ken', host, 0, balancers);
  dns = await startDnsServer(zone, host, 0);
  const monitor = balancers.addMonitor().id ?? '';
  const pool = (n: string, address: string) => balancers.addPool(n, address, monitor).id ?? '';
  pools = {
    mumbai: pool('mumbai', addresses.primary),
    singapore: pool('singapore', addresses.standby),
    page: pool('page', '127.0.9.1'),
  };
  const order = { default_pools: [pools.mumbai, pools.singapore], fallback_pool: pools.mumbai };
  id = balancers.addBalancer(name, order).id ?? '';
  balancers.addBalancer('other.argus.test', order);
  records = open();
});
afterAll(() => close());

const close = () => Promise.all([api?.close(), dns?.close()]);
const open = (deadlineMs = 5_000) =>
  cloudflareLoadBalancers(
    cloudflareAccess({
      zone: 'argus.test',
      token: 't0ken',
      apiUrl: `http://${host}:${api.port}/client/v4`,
      deadlineMs,
    }),
    zone.id,
    [
      {
        name,
        regions: [
          { pool: pools.mumbai, address: addresses.primary },
          { pool: pools.singapore, address: addresses.standby },
        ],
      },
    ],
  );
const answers = () => nodeResolver(`${host}:${dns.port}`).resolve(name, 'A');

/** As the step of a failover does it. */
async function flip(through = records): Promise<void> {
  const found = flipOf(name, await through.find(name, 'A'), addresses);
  if (found.kind === 'impossible') throw new Error(found.why);
  if (found.kind === 'change') for (const r of found.records) await through.setContent(r.id, addresses.standby);
}

describe('a load balancer that follows the primary', () => {
  test('leads to the standby alone after a flip, and does not go back when the primary is healthy again', async () => {
    expect(await answers()).toEqual([addresses.primary]);
    balancers.setHealth(pools.mumbai, false);
    expect(await answers()).toEqual([addresses.standby]);
    await flip();
    balancers.setHealth(pools.mumbai, true);
    expect(await answers()).toEqual([addresses.standby]);
    balancers.setHealth(pools.singapore, false);
    expect(await answers()).toEqual([addresses.standby]);
    expect(flipOf(name, await records.find(name, 'A'), addresses)).toEqual({ kind: 'already' });
  });

  test('keeps other pools, other load balancers and every pool as they are', async () => {
    balancers.patchBalancer(id, { default_pools: [pools.mumbai, pools.page], fallback_pool: pools.page });
    const before = [balancers.pools(), balancers.balancers().filter((b) => b.id !== id)];
    await flip();
    const { default_pools, fallback_pool } = balancers.balancer(id);
    expect({ default_pools, fallback_pool }).toEqual({
      default_pools: [pools.singapore, pools.page],
      fallback_pool: pools.page,
    });
    expect([balancers.pools(), balancers.balancers().filter((b) => b.id !== id)]).toEqual(before);
  });

  test('is put back as it was found', async () => {
    const [before] = await records.find(name, 'A');
    await flip();
    await records.restore?.(before!);
    expect(balancers.balancer(id)).toMatchObject({
      default_pools: [pools.mumbai, pools.singapore],
      fallback_pool: pools.mumbai,
    });
  });

  test.each([
    ['steers otherwise', () => balancers.patchBalancer(id, { steering_policy: 'dynamic_latency' }), /steers by dyn/],
    ['is disabled', () => balancers.patchBalancer(id, { enabled: false }), /is disabled/],
    ['names pools by place', () => balancers.patchBalancer(id, { region_pools: { SEAS: [pools.mumbai] } }), /by place/],
    [
      'has the pool of the standby disabled',
      () => balancers.patchPool(pools.singapore, { enabled: false }),
      /disabled/,
    ],
  ])('is not moved when it %s', async (_, change, why) => {
    change();
    const before = balancers.balancer(id);
    await expect(flip()).rejects.toThrow(why);
    const [record] = await records.find(name, 'A');
    await expect(records.setContent(record!.id, addresses.standby)).rejects.toThrow(why);
    expect(balancers.balancer(id)).toEqual(before);
  });

  test('one that is not listed is not found, and not moved by its id', async () => {
    expect(await records.find('other.argus.test', 'A')).toEqual([]);
    const other = balancers.balancers().find((b) => b.name === 'other.argus.test');
    const before = JSON.stringify(other);
    await expect(records.setContent(`${other?.id}/x`, addresses.standby)).rejects.toMatchObject({
      code: 'DnsUnlisted',
    });
    expect(JSON.stringify(balancers.balancer(other?.id ?? ''))).toBe(before);
  });
});

describe('faults', () => {
  test.each([
    ['429 with retry-after', { status: 429, retryAfter: 1, path: 'load_balancers', count: 1 }],
    ['500, twice', { status: 500, path: 'load_balancers', count: 2 }],
    ['a reset after the effect', { reset: true, afterEffect: true, method: 'PATCH' }],
  ])('gets through %s', async (_, fault) => {
    api.faults.set([fault]);
    await flip();
    expect(await answers()).toEqual([addresses.standby]);
  });

  test('ends by its deadline when the API hangs, and goes on where it stopped', async () => {
    api.faults.set([{ hang: true, method: 'PATCH', count: 9 }]);
    await expect(flip(open(400))).rejects.toMatchObject({ code: 'DnsUnreachable', retryable: true });
    expect(await answers()).toEqual([addresses.primary]);
    api.faults.set([]);
    await flip();
    expect(await answers()).toEqual([addresses.standby]);
  });

  test('is refused with a wrong token, and by a missing right', async () => {
    api.faults.set([{ status: 403, path: '/accounts/' }]);
    await expect(records.find(name, 'A')).rejects.toMatchObject({ code: 'DnsDenied', exitCode: 2 });
  });
});

describe('the step of a failover', () => {
  const words = { title: 't', manual: [] };
  const dns = {
    ...config.dns,
    records: ['n1', 'n2', 'n3'].map((n) => ({ name: `${n}.argus.test`, type: 'A' as const })),
    cloudflare: {
      zone: 'argus.test',
      token: 'env:TOKEN',
      loadBalancers: [{ name, pools: { mumbai: 'x', singapore: 'y' } }],
    },
  };
  function given() {
    for (const r of dns.records) zone.create({ ...r, content: addresses.primary, ttl: 60 });
    const access = cloudflareAccess({
      zone: 'argus.test',
      token: 't0ken',
      apiUrl: `http://${host}:${api.port}/client/v4`,
    });
    const listed = dns.records.map((r) => ({ ...r, through: cloudflareRecords(access) }));
    const names = listedRecords([...listed, { name, type: 'A', through: records }]);
    const world = newWorld();
    const context = {
      ...world.context,
      config: { ...config, dns },
      names: { records: names, resolvers: [] },
      epoch: 2,
    };
    const io = { clock: wallClock, signal: AbortSignal.timeout(20_000), check() {}, progress() {} };
    return { context: context as FailoverContext, io, names, store: world.store };
  }
  const held = () => dns.records.map((r) => zone.named(r.name)[0]?.content);

  test('moves records and load balancer, goes on where it was cut off, and is put back from what it kept', async () => {
    const { context, io, names, store } = given();
    const step = flipNames(words);
    expect(await step.observe(context, {}, io)).toEqual({ kind: 'todo' });
    api.faults.set([{ status: 400, method: 'PATCH', path: 'dns_records', skip: 1, count: 2 }]);
    await expect(step.act(context, {}, io)).rejects.toThrow();
    api.faults.set([]);
    expect(held().filter((content) => content === addresses.primary)).not.toEqual([]);
    const again = { ...context, run: '20261121T103009Z-failover-0009' };
    await step.act(again, {}, io);
    expect(await step.verify(again, {}, io)).toMatchObject({ kind: 'done' });
    expect(held()).toEqual(dns.records.map(() => addresses.standby));
    expect(await answers()).toEqual([addresses.standby]);

    for (const run of [again.run, context.run]) {
      const before = await readDnsBefore(store, run);
      for (const { rollback } of before ? await planRollback({ before, names: { records: names } }) : []) {
        if (rollback.kind === 'restore') await names.restore?.(rollback.record);
      }
    }
    expect(held()).toEqual(dns.records.map(() => addresses.primary));
    expect(balancers.balancer(id)).toMatchObject({ default_pools: [pools.mumbai, pools.singapore] });
  });
});

test('what the stand-in reads is what the official client sends', () => {
  expectTypeOf<BalancerChange>().toExtend<LoadBalancerEditParams>();
  expectTypeOf<PoolChange>().toExtend<Omit<PoolEditParams, 'account_id'>>();
});
