import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../domain/errors.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import { acquireLease, type Lease, readLease } from '../../../state/lease.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

const request = { holder: 'a', purpose: 'failover', ttlMs: 10_000, waitMs: 0 };

async function take(store: ObjectStore, clock: VirtualClock, over: Partial<typeof request> = {}): Promise<Lease> {
  const answer = await acquireLease(store, { ...request, ...over }, clock);
  if (answer.kind !== 'acquired') throw new Error(`held by ${answer.by.holder}`);
  return answer.lease;
}

describe('a lease', () => {
  test('is refused to others while its holder renews it, however long they watch', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const lease = await take(store, clock);
    const stop = lease.keepRenewed();
    const answer = await acquireLease(store, { ...request, holder: 'b', waitMs: 60_000 }, clock);
    expect(answer).toMatchObject({ kind: 'held', by: { holder: 'a', epoch: 1 } });
    await stop();
  });

  test('of a dead holder is taken after its whole TTL of the watcher, not before', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    await take(store, clock);
    const from = clock.monotonic();
    const lease = await take(store, clock, { holder: 'b', waitMs: 20_000 });
    expect(lease.epoch).toBe(2);
    expect(clock.monotonic() - from).toBeGreaterThanOrEqual(10_000);
  });

  test('is not taken by the wall clock: a document that looks old is watched like any other', async () => {
    const store = memoryObjectStore('s');
    await take(store, virtualClock(0));
    const late = virtualClock(1_900_000_000_000);
    expect(await acquireLease(store, { ...request, waitMs: 9_000 }, late)).toMatchObject({ kind: 'held' });
  });

  test('does not let a holder act that slept through its deadline', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const lease = await take(store, clock);
    lease.check();
    clock.jump(8_999);
    lease.check();
    clock.jump(2);
    const calls = store.calls.length;
    expect(() => lease.check()).toThrow(expect.objectContaining({ code: 'LeaseLost' }));
    expect(store.calls.length, 'told by its own clock alone').toBe(calls);
    expect(lease.signal.aborted).toBe(true);
    await expect(lease.renew()).rejects.toMatchObject({ code: 'LeaseLost' });
  });

  test('that another has taken is lost at the next renewal', async () => {
    const store = memoryObjectStore('s');
    const own = virtualClock();
    const lease = await take(store, own);
    await take(store, virtualClock(), { holder: 'b', waitMs: 20_000 });
    await expect(lease.renew()).rejects.toMatchObject({ code: 'LeaseLost' });
    await lease.release();
    expect(await readLease(store)).toMatchObject({ holder: 'b', epoch: 2 });
    expect((await readLease(store))?.released).toBeUndefined();
  });

  test('survives a renewal whose answer got lost', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    let lose = false;
    const flaky: ObjectStore = {
      ...store,
      put: async (key, body, options) => {
        const result = await store.put(key, body, options);
        if (lose) throw new ArgusError('ObjectStoreUnreachable', 'answer lost', { retryable: true });
        return result;
      },
    };
    const lease = await take(flaky, clock);
    lose = true;
    await expect(lease.renew()).rejects.toMatchObject({ code: 'ObjectStoreUnreachable' });
    lose = false;
    clock.jump(5_000);
    await lease.renew();
    expect(lease.remainingMs()).toBe(9_000);
  });

  test('is lost when the store stays dark, at its deadline', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    let dark = false;
    const lease = await take(
      {
        ...store,
        put: async (...args) => {
          if (dark) throw new ArgusError('ObjectStoreUnreachable', 'dark', { retryable: true });
          return store.put(...args);
        },
      },
      clock,
    );
    dark = true;
    const stop = lease.keepRenewed();
    await clock.sleep(8_000);
    expect(lease.signal.aborted).toBe(false);
    await clock.sleep(3_000);
    expect(lease.signal.aborted).toBe(true);
    await stop();
  });
});
