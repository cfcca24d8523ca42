import { expect, test } from 'vitest';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { type DrillSlot, newestSlots, openSlot, replaceSlot, slotName } from '../../../state/drill-slots.ts';

const dayMs = 86_400_000;

function slot(day: number): DrillSlot {
  const dueAtMs = day * dayMs;
  const opening = { seenAtMs: dueAtMs, opensAtMs: dueAtMs, closesAtMs: dueAtMs + dayMs };
  const kind = 'tabletop';
  return {
    slot: slotName(kind, dueAtMs),
    kind,
    dueAtMs,
    ...opening,
    late: false,
    needsApproval: false,
    status: 'open',
  };
}

test('slots that are as they were are not read again; what another changed is', async () => {
  const store = memoryObjectStore('s');
  for (let day = 0; day < 30; day++) await openSlot(store, slot(day));
  let read = 0;
  const get = store.get.bind(store);
  store.get = (...args) => {
    read += 1;
    return get(...args);
  };
  const first = await newestSlots(store, 'tabletop', 20);
  expect([first.length, first[0]?.value, read]).toEqual([20, slot(29), 20]);
  expect(await newestSlots(store, 'tabletop', 20, {}, first)).toEqual(first);
  expect(read).toBe(20);
  await replaceSlot(store, first[0]!, { ...slot(29), status: 'ended' });
  await openSlot(store, slot(30));
  read = 0;
  const then = await newestSlots(store, 'tabletop', 20, {}, first);
  expect(then.slice(0, 3).map(({ value }) => value)).toEqual([slot(30), { ...slot(29), status: 'ended' }, slot(28)]);
  expect([then.length, read]).toEqual([20, 2]);
  // What it was read with can be changed.
  expect(await replaceSlot(store, then[2]!, { ...slot(28), status: 'ended' })).toBeDefined();
});
