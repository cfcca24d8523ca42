import { expect, test } from 'vitest';
import { newBoard } from '../../../../daemon/web/board.ts';
import { followRuns } from '../../../../daemon/web/follow-runs.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { openJournal } from '../../../../state/journal.ts';
import { acquireLease } from '../../../../state/lease.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

test('a run without an end is interrupted once its lease was silent for its time, whatever the wall clocks say', async () => {
  const clock = virtualClock();
  const board = newBoard(() => clock.monotonic());
  const state = memoryObjectStore('state');
  const run = '20261121T103000Z-failover-0001';
  const request = { holder: 'asha', purpose: 'failover', run, ttlMs: 15_000, waitMs: 0 };
  const taken = await acquireLease(state, request, clock);
  if (taken.kind !== 'acquired') throw new Error('held');
  const journal = openJournal(state, { run, epoch: 1 }, clock);
  await journal.append({ kind: 'run-started', runbook: 'failover', by: 'asha', details: null });

  // An hour ahead of the state's clock, and of the holder's.
  const ahead = { ...clock, now: () => clock.now() + 3_600_000 };
  const stop = new AbortController();
  const ended = followRuns({ board, state, clock: ahead }).run(stop.signal);
  const status = () => board.facts().runs[0]?.status;
  try {
    await clock.sleep(5_000);
    expect(status()).toBe('running');
    await taken.lease.renew();
    await clock.sleep(12_500);
    expect(status()).toBe('running');
    await clock.sleep(5_000);
    expect(status()).toBe('interrupted');
    const again = await acquireLease(state, { ...request, waitMs: 60_000 }, clock);
    expect(again.kind).toBe('acquired');
    await clock.sleep(2_500);
    expect(status()).toBe('running');
  } finally {
    stop.abort();
    await ended;
  }
});
