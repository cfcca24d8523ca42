import { expect, test } from 'vitest';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { isOvertaken, retirePoint } from '../../../../replication/checkpoints/retire-overtaken.ts';

const promotion = {
  atMs: 1_000,
  promotedAt: [
    { topic: 'events', partition: 0, offset: 100n },
    { topic: 'events', partition: 1, offset: 50n },
  ],
};
const point = (completedAtMs: number, ...offsets: readonly number[]) => ({
  completedAtMs,
  sourceOffsets: offsets.map((offset, partition) => ({ topic: 'events', partition, offset: String(offset) })),
});

test.each([
  ['read no further than what was promoted', point(900, 100, 50), false],
  ['read one record more in one partition', point(900, 99, 51), true],
  ['was completed after the promotion', point(1_001, 500, 500), false],
  ['stands at markers', point(900, -3, -1), false],
  ['reads a partition that was not promoted', point(900, 100, 50, 700), false],
] as const)('a checkpoint that %s', (_name, manifest, overtaken) => {
  expect(isOvertaken(manifest, promotion)).toBe(overtaken);
});

test('a retired point keeps its manifest by another name, and may be retired again', async () => {
  const { signal } = new AbortController();
  const store = memoryObjectStore('replica');
  await store.put('points/7/manifest.json', Buffer.from('{}'));
  await retirePoint(store, 'points/7', signal);
  await retirePoint(store, 'points/7', signal);
  expect((await store.list('points/7/')).objects.map((o) => o.key)).toEqual(['points/7/overtaken.json']);
});
