import { expect, test } from 'vitest';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { drillState, stateOfRun } from '../../../state/drills.ts';

test('what a drill writes lies apart from what production reads', async () => {
  const state = memoryObjectStore('state');
  const drills = drillState(state);
  await drills.put('lease', Buffer.from('{}'));
  expect(await state.head('lease')).toBeUndefined();
  expect(await drills.head('lease')).toMatchObject({ key: 'lease' });
  expect((await drills.list('')).objects.map(({ key }) => key)).toEqual(['lease']);
  expect((await state.list('')).objects.map(({ key }) => key)).toEqual(['drills/lease']);
});

test('a run is looked for where it was written', () => {
  const state = memoryObjectStore('state');
  expect(stateOfRun(state, '20261122T033000Z-failover-ab12')).toBe(state);
  expect(stateOfRun(state, '20261122T033000Z-drill-ab12').uri).toBe(`${state.uri}/drills`);
});
