import fc from 'fast-check';
import { expect, test } from 'vitest';
import { transactionalIdOf } from '../../../../regions/kafka/mirror-transactions.ts';

const place = fc.record({
  topic: fc.stringMatching(/^[a-z0-9._-]{1,12}$/),
  partition: fc.nat({ max: 99 }),
  slot: fc.oneof(fc.nat({ max: 9 }), fc.constant('fill' as const)),
});

test('a transactional id of the mirror is of one place alone', () => {
  fc.assert(
    fc.property(place, place, (a, b) => {
      const same = a.topic === b.topic && a.partition === b.partition && a.slot === b.slot;
      expect(transactionalIdOf(a, a.slot) === transactionalIdOf(b, b.slot)).toBe(same);
    }),
  );
});
