import { describe, expect, it } from 'vitest';
import { acquireReplicationLease, awaitReplicationLease, contendForLead } from '../../../daemon/replication-lease.ts';
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

describe('the right to mirror, shared and not', () => {
  const signal = new AbortController().signal;
  const parts = () => ({ state: memoryObjectStore('state'), clock: virtualClock(), holder: 'test' });
  const isHeld = { code: 'AlreadyReplicating', exitCode: 3 };

  it('is refused to whoever does not share while those who share are alive', async () => {
    const { state, clock, holder } = parts();
    const first = await contendForLead({ state, clock, holder }, 'group', signal);
    if (first.kind !== 'acquired') throw new Error('nobody else was there');
    const stopRenewing = first.lease.keepRenewed();
    await expect(acquireReplicationLease({ state, clock, holder }, 'mirror run', signal)).rejects.toMatchObject(isHeld);
    await expect(contendForLead({ state, clock, holder }, 'other', signal)).rejects.toMatchObject(isHeld);
    expect(await contendForLead({ state, clock, holder }, 'group', signal)).toMatchObject({ kind: 'held' });
    await stopRenewing();
  });

  it('is refused to those who share beside one that does not', async () => {
    const { state, clock, holder } = parts();
    const lease = await acquireReplicationLease({ state, clock, holder }, 'mirror run', signal);
    const stopRenewing = lease.keepRenewed();
    await expect(contendForLead({ state, clock, holder }, 'group', signal)).rejects.toMatchObject(isHeld);
    await stopRenewing();
  });

  it.each(['dies', 'leaves'])('goes to another that shares first when the lead %s', async (how) => {
    const { state, clock, holder } = parts();
    const first = await contendForLead({ state, clock, holder }, 'group', signal);
    if (first.kind !== 'acquired') throw new Error('nobody else was there');
    if (how === 'leaves') await first.lease.release();
    const alone = acquireReplicationLease({ state, clock, holder }, 'mirror run', signal);
    alone.catch(() => undefined);
    await clock.sleep(how === 'leaves' ? 1_000 : 2_000);
    const second = await contendForLead({ state, clock, holder }, 'group', signal);
    expect(second).toMatchObject({ kind: 'acquired', lease: { epoch: 2 } });
    await expect(alone).rejects.toMatchObject(isHeld);
  });

  it('goes to one that does not share when nobody shares any more', async () => {
    const { state, clock, holder } = parts();
    const first = await contendForLead({ state, clock, holder }, 'group', signal);
    if (first.kind === 'acquired') await first.lease.release();
    expect((await acquireReplicationLease({ state, clock, holder }, 'daemon', signal)).epoch).toBe(2);
  });
});
