import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BalancerView,
  orderFor,
  type RegionPool,
  recordsOf,
} from '../../../../regions/dns/load-balancer-order.ts';

const mumbai: RegionPool = { pool: 'm', address: '203.0.113.10', enabled: true };
const singapore: RegionPool = { pool: 's', address: '203.0.113.20', enabled: true };
const regions = [mumbai, singapore];
const view = (over: Partial<BalancerView> = {}): BalancerView => ({
  id: 'lb',
  name: 'ingest.example.com',
  enabled: true,
  steering: 'off',
  proxied: false,
  ttlSeconds: 30,
  defaultPools: ['m', 's'],
  fallbackPool: 'm',
  namedElsewhere: [],
  ...over,
});

describe('a load balancer as records', () => {
  test.each([
    ['shows each region that it may lead to, the first choice first', view(), [mumbai.address, singapore.address]],
    ['shows one region when it leads nowhere else', view({ defaultPools: ['m'] }), [mumbai.address]],
    ['counts the fallback pool', view({ defaultPools: ['s'] }), [singapore.address, mumbai.address]],
    ['shows a pool of nobody that comes first', view({ defaultPools: ['x', 'm'] }), ['pool x', mumbai.address]],
    ['passes over one that comes later', view({ defaultPools: ['m', 'x'] }), [mumbai.address]],
  ])('%s', (_, given, contents) => {
    expect(recordsOf(given, regions).map((r) => r.content)).toEqual(contents);
  });

  test.each([
    ['that is disabled', view({ enabled: false }), regions, /is disabled/],
    ['that steers by place', view({ steering: 'geo' }), regions, /steers by geo/],
    ['whose rules name a pool', view({ namedElsewhere: ['s'] }), regions, /names pool s/],
    ['whose pool is disabled', view(), [mumbai, { ...singapore, enabled: false }], /pool s .* is disabled/],
  ])('one %s refuses to lead to the standby, with the reason', (_, given, pools, why) => {
    const refusal = recordsOf(given, pools)[0]?.refuses?.find((r) => r.content === singapore.address);
    expect(refusal?.why).toMatch(why);
  });

  test('a disabled pool of the primary refuses nothing of the standby', () => {
    const [record] = recordsOf(view(), [{ ...mumbai, enabled: false }, singapore]);
    expect(record?.refuses?.map((r) => r.content)).toEqual([mumbai.address]);
  });
});

test('after a flip no pool of the other region is left, and pools of nobody keep their order', () => {
  const pools = fc.uniqueArray(fc.constantFrom('m', 's', 'a', 'b', 'c'), { minLength: 1 });
  fc.assert(
    fc.property(pools, fc.constantFrom('m', 's', 'a'), fc.constantFrom('m', 's'), (defaultPools, fallbackPool, to) => {
      const order = orderFor({ defaultPools, fallbackPool }, to, regions);
      const other = to === 'm' ? 's' : 'm';
      expect(order.defaultPools[0]).toBe(to);
      expect([...order.defaultPools, order.fallbackPool]).not.toContain(other);
      const strangers = (list: readonly string[]) => list.filter((p) => p !== 'm' && p !== 's');
      expect(strangers(order.defaultPools)).toEqual(strangers(defaultPools));
      expect(orderFor(order, to, regions)).toEqual(order);
      const contents = recordsOf(view({ ...order }), regions).map((r) => r.content);
      expect(contents).toEqual([to === 'm' ? mumbai.address : singapore.address]);
    }),
  );
});
