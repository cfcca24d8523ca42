import { expect, test } from 'vitest';
import { untilFollowed } from '../../../cli/follow-return.ts';
import type { Roles } from '../../../domain/roles.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { InSync } from '../../../runbooks/failback/in-sync.ts';
import { writeRoles } from '../../../state/roles.ts';
import { virtualClock } from '../state/virtual-clock.ts';

const roles: Roles = {
  epoch: 3,
  primary: 'singapore',
  standby: 'mumbai',
  replication: 'active',
  atMs: 1,
  by: 'me',
};

/** A standby that follows after so many looks; `atLook` is called before each. */
async function following(after: number, atLook: (n: number, store: ReturnType<typeof memoryObjectStore>) => unknown) {
  const store = memoryObjectStore('s');
  await writeRoles(store, roles);
  const told: string[] = [];
  let looks = 0;
  const watch = {
    async look(): Promise<InSync> {
      await atLook(++looks, store);
      if (looks > after) return { kind: 'ready', lagMs: 5, points: {} };
      return { kind: 'waiting', why: 'it catches up', missing: 1 };
    },
  };
  const context = {
    clock: virtualClock(),
    signal: new AbortController().signal,
    tell: (text: string) => void told.push(text),
  };
  return { told, looks: () => looks, store, done: (state = store) => untilFollowed(context, state, roles, watch) };
}

test('it is waited for until it follows, also while the state is silent', async () => {
  const { store, done, told } = await following(5, () => undefined);
  const silent = {
    ...store,
    list: () => Promise.reject(new Error('away')),
    get: () => Promise.reject(new Error('away')),
  };
  expect(await done(silent)).toMatchObject({ kind: 'ready', lagMs: 5 });
  expect(told).toEqual(['    waiting: it catches up']);
});

test('roles that are in force no more are not waited for', async () => {
  const change = { ...roles, epoch: 4, primary: 'mumbai', standby: 'singapore', replication: 'suspended' } as const;
  const { done, looks } = await following(50, (n, store) => n === 3 && writeRoles(store, change));
  await expect(done()).rejects.toMatchObject({ code: 'RolesChanged', exitCode: 3 });
  expect(looks()).toBe(3);
});
