import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partitionKey, type TopicPartition } from '../../../../domain/offsets.ts';
import { type ShareMember, sharePartitions } from '../../../../replication/topics/share-partitions.ts';

const of = (topic: string, ...partitions: number[]) => partitions.map((partition) => ({ topic, partition }));
const shared = (partitions: readonly TopicPartition[], members: Record<string, readonly TopicPartition[]>) =>
  Object.fromEntries(
    [
      ...sharePartitions(
        partitions,
        Object.entries(members).map(([id, owned]) => ({ id, owned })),
      ),
    ].map(([id, list]) => [id, list.map(partitionKey).join(' ')]),
  );

describe('sharing partitions', () => {
  const four = of('t', 0, 1, 2, 3);
  test.each([
    ['one member has all', four, { a: [] }, { a: 't-0 t-1 t-2 t-3' }],
    ['two have half each', four, { a: [], b: [] }, { a: 't-0 t-1', b: 't-2 t-3' }],
    ['a new one gets a share, the others keep the rest', four, { a: four, b: [] }, { a: 't-0 t-1', b: 't-2 t-3' }],
    [
      'what a dead one had goes to those who have least',
      of('t', 0, 1, 2, 3, 4),
      { a: of('t', 3, 4), b: of('t', 1) },
      { a: 't-0 t-3 t-4', b: 't-1 t-2' },
    ],
    ['who had most keeps one more', of('t', 0, 1, 2), { a: of('t', 0), b: of('t', 1, 2) }, { a: 't-0', b: 't-1 t-2' }],
    ['what two claim has one', of('t', 0, 1), { a: of('t', 0, 1), b: of('t', 0, 1) }, { a: 't-0', b: 't-1' }],
    ['a topic that is gone is nobody’s', of('t', 0), { a: of('gone', 0), b: [] }, { a: 't-0', b: '' }],
    ['more members than partitions', of('t', 0), { a: [], b: [], c: of('t', 0) }, { a: '', b: '', c: 't-0' }],
    ['nothing to share', [], { a: of('t', 0) }, { a: '' }],
    ['nobody to share it', four, {}, {}],
  ])('%s', (_, partitions, members, expected) => {
    expect(shared(partitions, members)).toEqual(expected);
  });

  const partition = fc.record({ topic: fc.constantFrom('a', 'b', 'c'), partition: fc.nat(12) });
  const partitions = fc.uniqueArray(partition, { selector: partitionKey, maxLength: 30 });
  const members = fc.uniqueArray(
    fc.record({ id: fc.string({ minLength: 1, maxLength: 3 }), owned: fc.array(partition, { maxLength: 20 }) }),
    { selector: (m) => m.id, minLength: 1, maxLength: 7 },
  );

  test('leaves no gap and no overlap, and nobody has two more than another', () => {
    fc.assert(
      fc.property(partitions, members, (all, who) => {
        const result = sharePartitions(all, who);
        const given = [...result.values()].flat().map(partitionKey);
        expect([...given].sort()).toEqual(all.map(partitionKey).sort());
        expect([...result.keys()].sort()).toEqual(who.map((m) => m.id).sort());
        const counts = [...result.values()].map((list) => list.length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('changes nothing where nothing has changed', () => {
    fc.assert(
      fc.property(partitions, members, (all, who) => {
        const first = sharePartitions(all, who);
        const again: ShareMember[] = [...first].map(([id, owned]) => ({ id, owned })).reverse();
        const second = sharePartitions([...all].reverse(), again);
        expect(second).toEqual(first);
      }),
    );
  });
});
