import { expect, test } from 'vitest';
import { mirrorRates } from '../../../health/mirror-rates.ts';
import type { Sighting } from '../../../state/sightings.ts';

const seen = (atMs: number, logEndOffset: bigint, mirroredEndOffset: bigint): Sighting => ({
  region: 'mumbai',
  atMs,
  checkedAtMs: atMs,
  topics: {
    events: {
      recordsPerSecond: 0,
      partitions: [
        {
          partition: 0,
          logStartOffset: 0n,
          logEndOffset,
          mirroredEndOffset,
          newestTimestampMs: null,
          mirroredTimestampMs: null,
        },
      ],
    },
  },
});

test.each<[string, Sighting, Sighting, object | undefined]>([
  [
    'nothing missing',
    seen(0, 10n, 10n),
    seen(2_000, 30n, 30n),
    { recordsPerSecond: 10, mirroredPerSecond: 10, catchUpMs: 0 },
  ],
  ['faster than the primary', seen(0, 100n, 0n), seen(1_000, 110n, 60n), { mirroredPerSecond: 60, catchUpMs: 1_000 }],
  ['a log at rest', seen(0, 100n, 0n), seen(1_000, 100n, 50n), { recordsPerSecond: 0, catchUpMs: 1_000 }],
  ['one instant', seen(5, 10n, 10n), seen(5, 10n, 10n), undefined],
])('rates of a mirror: %s', (_case, before, after, rate) => {
  const found = mirrorRates(before, after).events;
  if (rate) expect(found).toMatchObject(rate);
  else expect(found).toBeUndefined();
});

test('a mirror that is no faster than the primary never catches up', () => {
  expect(mirrorRates(seen(0, 100n, 0n), seen(1_000, 200n, 90n)).events).not.toHaveProperty('catchUpMs');
});
