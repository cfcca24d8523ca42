import { describe, expect, test } from 'vitest';
import { freeAddressPlan, networksMeet } from '../../../../lab/cluster/address-plan.ts';
import { networksIn } from '../../../../lab/cluster/machine-networks.ts';

describe('freeAddressPlan', () => {
  test('takes the first slot that is free', () => {
    expect(freeAddressPlan(['192.0.2.0/24'], [])).toEqual({
      slot: 1,
      gateway: '10.201.1.1',
      node: '10.201.1.2',
      nodes: '10.201.1.0/24',
      pods: '10.202.1.0/24',
      services: '10.203.1.0/24',
      link: 'argus1',
      cgroup: 'argus-1',
    });
    expect(freeAddressPlan([], [1, 2, 4])?.slot).toBe(3);
  });

  test('passes over a slot of which one network meets one of the machine', () => {
    expect(freeAddressPlan(['10.202.1.7', '10.203.2.0/25', '10.201.3.0/24'], [])?.slot).toBe(4);
  });

  test('goes to other addresses when a route takes all of the first ones, and gives up when none are left', () => {
    expect(freeAddressPlan(['10.0.0.0/8'], [])?.node).toBe('172.29.1.2');
    expect(freeAddressPlan(['10.0.0.0/8', '172.16.0.0/12'], [])).toBeUndefined();
  });
});

test.each([
  ['10.0.0.0/8', '10.201.1.0/24', true],
  ['10.201.1.0/24', '10.201.1.255', true],
  ['10.201.1.0/24', '10.201.2.0/24', false],
  ['0.0.0.0/0', '172.29.1.0/24', true],
  ['broadcast', '172.29.1.0/24', false],
])('%s and %s meet: %s', (a, b, expected) => {
  expect(networksMeet(a, b)).toBe(expected);
  expect(networksMeet(b, a)).toBe(expected);
});

test('reads networks from what ip prints, without the default route', () => {
  const routes = '[{"dst":"default","gateway":"192.0.2.1"},{"dst":"192.0.2.0/24"},{"dst":"127.0.0.1"}]';
  const addresses = '[{"addr_info":[{"local":"127.0.0.1","prefixlen":8}]},{},{"addr_info":[]}]';
  expect(networksIn(routes, addresses)).toEqual(['192.0.2.0/24', '127.0.0.1', '127.0.0.1/8']);
});
