import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partitionOfSlot, transactionalIdOf } from '../../../../regions/kafka/mirror-transactions.ts';

describe('a transactional id of the mirror', () => {
  test('tells its partition, whatever the topic`s name', () => {
    const topic = fc.stringMatching(/^[a-z0-9._-]{1,12}$/);
    fc.assert(
      fc.property(
        topic,
        fc.nat({ max: 99 }),
        fc.oneof(fc.nat({ max: 9 }), fc.constant('fill' as const)),
        (name, p, slot) => {
          const id = transactionalIdOf({ topic: name, partition: p }, slot);
          expect(partitionOfSlot(id)).toBe(`${name}-${p}`);
        },
      ),
    );
  });

  test.each(['counts-singapore-0-1', '__argus-mirror-events', 'argus-mirror-singapore-1-ab'])('is not %s', (id) => {
    expect(partitionOfSlot(id)).toBeUndefined();
  });
});
