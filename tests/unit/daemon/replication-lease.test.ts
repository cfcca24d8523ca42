import { describe, expect, it } from 'vitest';
import { awaitReplicationLease } from '../../../daemon/replication-lease.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

describe('a daemon whose state is away', () => {
  function asking(again: boolean, failures: number) {
    const inner = memoryObjectStore('state');
    let left = failures;
    const state: ObjectStore = {
      ...inner,
      get: (...call) => (left-- > 0 ? Promise.reject(new Error('the store is away')) : inner.get(...call)),
    };
    const log = quietLog();
    const parts = { state, clock: virtualClock(), log, holder: 'test', again };
    return { log, lease: awaitReplicationLease(parts, new AbortController().signal) };
  }

  it('asks for the right that it had until the state is back, and says so once', async () => {
    const { log, lease } = asking(true, 5);
    expect((await lease).document).toMatchObject({ holder: 'test' });
    expect(log.lines.filter((l) => l.level === 'warn')).toHaveLength(1);
  });

  it('ends at its first start', async () => {
    await expect(asking(false, 5).lease).rejects.toThrow('the store is away');
  });
});
