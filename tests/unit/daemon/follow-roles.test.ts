import { afterEach, describe, expect, it } from 'vitest';
import { type FollowOptions, followRoles } from '../../../daemon/follow-roles.ts';
import type { Replicator, Stopped } from '../../../daemon/replicator.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import type { Roles } from '../../../domain/roles.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import { watchActing } from '../../../state/acting-watch.ts';
import { confirmFreeze, readFrozen, requestFreeze, thaw } from '../../../state/freeze.ts';
import { acquireLease } from '../../../state/lease.ts';
import { writeRoles } from '../../../state/roles.ts';
import { quietLog } from './quiet-log.ts';

const roles = (changes: Partial<Roles> = {}): Roles => ({
  epoch: 1,
  primary: 'mumbai',
  standby: 'singapore',
  replication: 'active',
  atMs: 1_000,
  by: 'ops@host',
  ...changes,
});
const suspended = roles({ epoch: 2, primary: 'singapore', standby: 'mumbai', replication: 'suspended' });
const request = { run: 'run-a', epoch: 7, rolesEpoch: 1, atMs: 1, drainMs: 10 };
const stopped: Stopped = { drained: true, endOffsets: [{ topic: 'events', partition: 0, offset: 9n }] };

/** A replicator that only notes what it is told. */
function fakeReplicator(onFreeze: () => Promise<Stopped | undefined>) {
  const told: string[] = [];
  let running: Replicator['running'];
  const replicator: Replicator = {
    get running() {
      return running;
    },
    start(direction) {
      told.push(`start ${direction.rolesEpoch}`);
      running = direction;
    },
    async freeze() {
      told.push('freeze');
      running = undefined;
      return onFreeze();
    },
    async stop() {
      if (running) told.push('stop');
      running = undefined;
    },
  };
  return { replicator, told };
}

const ends: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(ends.splice(0).map((end) => end())));

function following(
  state: ObjectStore,
  options: Partial<FollowOptions> & { onFreeze?: () => Promise<Stopped | undefined> } = {},
) {
  const { replicator, told } = fakeReplicator(options.onFreeze ?? (async () => stopped));
  const log = quietLog();
  const stop = new AbortController();
  const followed = followRoles(
    { state, clock: wallClock, log, replicator, confirms: true, pollMs: 5, ...options },
    stop.signal,
  );
  ends.push(async () => {
    stop.abort();
    await followed;
  });
  return { told, log, end: ends.at(-1) as () => Promise<void> };
}

describe('following the roles', () => {
  it('starts nothing before there are roles, and once when they are active', async () => {
    const state = memoryObjectStore('state');
    const { told, log, end } = following(state);
    await expect.poll(() => log.lines.at(-1)?.message).toBe('not replicating: no roles are written yet');
    await writeRoles(state, roles());
    await expect.poll(() => told).toEqual(['start 1']);
    await end();
    expect(told).toEqual(['start 1', 'stop']);
  });

  it('stops when a failover promoted the standby, and says why', async () => {
    const state = memoryObjectStore('state');
    await writeRoles(state, roles());
    const { told, log } = following(state);
    await expect.poll(() => told).toEqual(['start 1']);
    await writeRoles(state, suspended);
    await expect.poll(() => told).toEqual(['start 1', 'stop']);
    expect(log.lines.at(-1)?.message).toMatch(/singapore was promoted \(roles epoch 2\)/);
  });

  it('never starts under suspended roles', async () => {
    const state = memoryObjectStore('state');
    await writeRoles(state, roles());
    await writeRoles(state, suspended);
    const orders: string[] = [];
    const { told } = following(state, { onOrder: (order) => orders.push(order.kind) });
    await expect.poll(() => orders.length).toBeGreaterThan(3);
    expect(new Set(orders)).toEqual(new Set(['idle']));
    expect(told).toEqual([]);
  });

  it('changes direction only through a stop', async () => {
    const state = memoryObjectStore('state');
    await writeRoles(state, roles());
    const { told } = following(state);
    await expect.poll(() => told).toEqual(['start 1']);
    await writeRoles(state, roles({ epoch: 2, primary: 'singapore', standby: 'mumbai' }));
    await expect.poll(() => told).toEqual(['start 1', 'stop', 'start 2']);
  });

  it('freezes, confirms once, stands still, and goes on after a thaw', async () => {
    const state = memoryObjectStore('state');
    await writeRoles(state, roles());
    const { told, log } = following(state);
    await expect.poll(() => told).toEqual(['start 1']);
    await requestFreeze(state, request);
    await expect.poll(() => readFrozen(state, 7)).toMatchObject({ drained: true, by: 'mirror' });
    await expect.poll(() => log.lines.at(-1)?.message).toBe('replication stays frozen by run-a');
    expect(told).toEqual(['start 1', 'freeze']);
    await thaw(state, { run: 'run-a', epoch: 7, atMs: 2, reason: 'given up' });
    await expect.poll(() => told).toEqual(['start 1', 'freeze', 'start 1']);
  });

  it('confirms no freeze without proof, and asks for it once', async () => {
    const state = memoryObjectStore('state');
    await writeRoles(state, roles());
    await requestFreeze(state, request);
    const orders: string[] = [];
    const { told, log } = following(state, {
      onFreeze: async () => undefined,
      onOrder: (order) => orders.push(order.kind),
    });
    await expect.poll(() => orders.length).toBeGreaterThan(5);
    expect(told).toEqual(['freeze']);
    expect(await readFrozen(state, 7)).toBeUndefined();
    expect(log.lines.filter((l) => l.message.includes('without proof'))).toHaveLength(1);
  });

  it('leaves a freeze that the failover confirmed itself as it is', async () => {
    const state = memoryObjectStore('state');
    await writeRoles(state, roles());
    await requestFreeze(state, request);
    await confirmFreeze(state, { epoch: 7, atMs: 1, drained: false, by: 'failover', endOffsets: [] });
    const { told, log } = following(state);
    await expect.poll(() => log.lines.length).toBeGreaterThan(0);
    expect(told).toEqual([]);
    expect(await readFrozen(state, 7)).toMatchObject({ by: 'failover' });
  });

  it('writes a confirmation later that could not be written at once, and freezes only once', async () => {
    const inner = memoryObjectStore('state');
    await writeRoles(inner, roles());
    await requestFreeze(inner, request);
    let failures = 3;
    const state: ObjectStore = {
      ...inner,
      put: (key, ...rest) =>
        key.startsWith('frozen/') && failures-- > 0
          ? Promise.reject(new Error('the store is away'))
          : inner.put(key, ...rest),
    };
    const { told } = following(state);
    await expect.poll(() => readFrozen(inner, 7)).toMatchObject({ by: 'mirror' });
    expect(told).toEqual(['freeze']);
  });

  it('goes on without the state for the grace period, then stops; starts nothing meanwhile', async () => {
    const inner = memoryObjectStore('state');
    await writeRoles(inner, roles());
    let away = false;
    const state: ObjectStore = {
      ...inner,
      list: (...call) => (away ? Promise.reject(new Error('the store is away')) : inner.list(...call)),
    };
    const { told, log } = following(state, { graceMs: 150 });
    await expect.poll(() => told).toEqual(['start 1']);
    away = true;
    await expect.poll(() => log.lines.at(-1)?.message).toMatch(/the state can't be read/);
    expect(told).toEqual(['start 1']);
    await expect.poll(() => told).toEqual(['start 1', 'stop']);
    away = false;
    await expect.poll(() => told).toEqual(['start 1', 'stop', 'start 1']);
  });
});

describe('following the roles by who acts', () => {
  const acquire = async (state: ObjectStore) => {
    const answer = await acquireLease(state, { holder: 'me', purpose: 'failover', ttlMs: 9_000, waitMs: 0 }, wallClock);
    if (answer.kind !== 'acquired') throw new Error('held');
    return answer.lease;
  };

  it('lists nothing while nobody acts, and sees a freeze and new roles as soon as somebody does', async () => {
    const state = memoryObjectStore('state');
    const orders: string[] = [];
    const { told } = following(state, {
      acting: watchActing(state, wallClock),
      onOrder: (order) => orders.push(order.kind),
    });
    // The first roles are written without the lease.
    await expect.poll(() => orders.length).toBeGreaterThan(2);
    await writeRoles(state, roles());
    await expect.poll(() => told).toEqual(['start 1']);
    const lists = () => state.calls.filter((c) => c.startsWith('list ')).length;
    const [listed, seen] = [lists(), orders.length];
    await expect.poll(() => orders.length).toBeGreaterThan(seen + 5);
    expect(lists()).toBe(listed);

    const lease = await acquire(state);
    await requestFreeze(state, { ...request, epoch: lease.epoch });
    await expect.poll(() => told).toEqual(['start 1', 'freeze']);
    await thaw(state, { run: 'run-a', epoch: lease.epoch, atMs: 2, reason: 'given up' });
    await expect.poll(() => told).toEqual(['start 1', 'freeze', 'start 1']);
    await writeRoles(state, suspended);
    await lease.release();
    await expect.poll(() => told).toEqual(['start 1', 'freeze', 'start 1', 'stop']);
  });

  it('confirms the freeze of a run that is gone once', async () => {
    const state = memoryObjectStore('state');
    await writeRoles(state, roles());
    await (await acquire(state)).release();
    await requestFreeze(state, request);
    const orders: string[] = [];
    const { log } = following(state, {
      acting: watchActing(state, wallClock),
      onOrder: (order) => orders.push(order.kind),
    });
    await expect.poll(() => orders.filter((o) => o === 'frozen').length).toBeGreaterThan(5);
    expect(log.lines.filter((l) => l.message === 'replication is frozen')).toHaveLength(1);
  });
});
