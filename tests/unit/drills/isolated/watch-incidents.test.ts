import { describe, expect, test } from 'vitest';
import { reasonToYield } from '../../../../drills/isolated/watch-incidents.ts';
import type { Sighting } from '../../../../state/sightings.ts';

const lease = { holder: 'ann@desk', purpose: 'failover', run: '20261122T033000Z-failover-0001' };
const seen = (over: Partial<Sighting> = {}): Sighting => ({ region: 'mumbai', atMs: 100_000, topics: {}, ...over });
const silent = (forMs: number) => seen({ firstFailureAtMs: 101_000, checkedAtMs: 101_000 + forMs });
const healthy = { primary: 'mumbai', silentAtStart: false };

describe('a drill', () => {
  test.each([
    ['goes on while nobody has ever acted', undefined, seen(), healthy, undefined],
    ['goes on when whoever acted has ended', { ...lease, released: true }, seen(), healthy, undefined],
    ['makes way for whoever acts', lease, seen(), healthy, 'ann@desk is at work: failover'],
    ['makes way for whoever acts, also in the dark', lease, undefined, healthy, 'failover 20261122'],
    ['goes on while the primary misses a look', undefined, silent(9_000), healthy, undefined],
    ['makes way when the primary falls silent', undefined, silent(10_000), healthy, 'mumbai does not answer since'],
    [
      'goes on in the silence in which it was begun',
      undefined,
      silent(60_000),
      { ...healthy, silentAtStart: true },
      undefined,
    ],
    ['goes on where no daemon watches', undefined, undefined, healthy, undefined],
  ] as const)('%s', (_, held, sighting, at, why) => {
    const reason = reasonToYield(held, sighting, at);
    if (why === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(why);
  });
});
