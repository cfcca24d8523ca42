import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../domain/clock.ts';
import { ArgusError } from '../../../domain/errors.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { unlessActed, watchActing } from '../../../state/acting-watch.ts';
import { acquireLease, type Lease } from '../../../state/lease.ts';

const ttlMs = 10_000;

/** A state with a number in it, which whoever holds the lease may change, and somebody who reads it again and again. */
function world({ notOlderMs }: { readonly notOlderMs?: number } = {}) {
  let elapsedMs = 0;
  const clock: Clock = {
    now: () => 1_800_000_000_000 + elapsedMs,
    monotonic: () => elapsedMs,
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
  };
  const state = memoryObjectStore('state', { now: clock.now });
  let value = 0;
  let reads = 0;
  const acting = watchActing(state, clock);
  const common = { acting, clock, ...(notOlderMs === undefined ? {} : { notOlderMs }) };
  const read = unlessActed(common, async () => {
    reads++;
    return { value };
  });
  return {
    state,
    acting,
    read: async () => (await read({})).value,
    reads: () => reads,
    write: () => {
      value++;
      return value;
    },
    pass(ms: number) {
      elapsedMs += ms;
    },
    async acquire(): Promise<Lease> {
      const answer = await acquireLease(state, { holder: 'me', purpose: 'failover', ttlMs, waitMs: 0 }, clock);
      if (answer.kind !== 'acquired') throw new Error('held');
      return answer.lease;
    },
  };
}

describe('what only a holder of the lease changes', () => {
  it('is read once while nobody acts, and once more after 10 s', async () => {
    const w = world();
    for (let i = 0; i < 19; i++) {
      await w.read();
      w.pass(500);
    }
    expect(w.reads()).toBe(1);
    w.pass(500);
    await w.read();
    expect(w.reads()).toBe(2);
  });

  it('is read each time while somebody holds the lease, and after he gave it back once', async () => {
    const w = world();
    await w.read();
    const lease = await w.acquire();
    for (let i = 0; i < 3; i++) await w.read();
    expect(w.reads()).toBe(4);
    w.write();
    await lease.release();
    expect([await w.read(), await w.read()]).toEqual([1, 1]);
    expect(w.reads()).toBe(5);
  });

  it('is read each time after a run was killed, until nothing of it can be under way', async () => {
    const w = world();
    await w.acquire();
    for (let i = 0; i < 25; i++) {
      await w.read();
      w.pass(1_000);
    }
    expect(w.reads()).toBe(25);
    for (let i = 0; i < 5; i++) await w.read();
    expect(w.reads()).toBe(26);
  });

  it('is read each time while a run is long, since its lease is renewed', async () => {
    const w = world();
    const lease = await w.acquire();
    for (let i = 0; i < 40; i++) {
      await lease.renew();
      await w.read();
      w.pass(3_000);
    }
    expect(w.reads()).toBe(40);
  });

  it('is read where the lease can not be', async () => {
    const w = world();
    await w.state.put('lease', Buffer.from('no JSON'));
    await w.read();
    await w.read();
    expect(w.reads()).toBe(2);
    w.state.get = () => Promise.reject(new ArgusError('ObjectStoreDenied', 'denied'));
    expect(await w.acting.look()).toBeUndefined();
  });

  it('is never older than the look at who acts, whatever holders do', async () => {
    const step = fc.constantFrom('acquire', 'write', 'renew', 'release', 'read', 'later');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const w = world();
        let lease: Lease | undefined;
        let written = 0;
        for (const what of steps) {
          if (what === 'acquire' && lease === undefined) lease = await w.acquire();
          else if (what === 'write' && lease !== undefined) written = w.write();
          else if (what === 'renew') await lease?.renew();
          else if (what === 'release') {
            await lease?.release();
            lease = undefined;
          } else if (what === 'later') w.pass(100);
          else if (what === 'read') expect(await w.read()).toBe(written);
        }
      }),
    );
  });

  it('costs those who share a look nothing as long as it is young', async () => {
    const w = world({ notOlderMs: 1_000 });
    await w.acting.look();
    for (let i = 0; i < 4; i++) await w.read();
    expect(w.state.calls.filter((c) => c === 'get lease')).toHaveLength(1);
    w.pass(1_001);
    await w.read();
    expect(w.state.calls.filter((c) => c === 'get lease')).toHaveLength(2);
  });
});
