import { expect, test } from 'vitest';
import type { DnsRecord } from '../../../regions/dns/dns-records.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { rollBackNames } from '../../../runbooks/names/roll-back.ts';
import type { DnsBefore } from '../../../state/dns-before.ts';
import { acquireLease, leaseMark } from '../../../state/lease.ts';
import { virtualClock } from '../state/virtual-clock.ts';

test('names are put back only when nobody has acted since that was planned', async () => {
  const state = memoryObjectStore('state');
  const clock = virtualClock();
  const before: DnsBefore['records'][number] = {
    id: 'r1',
    name: 'ingest.example.com',
    type: 'A',
    content: '203.0.113.10',
    ttlSeconds: 60,
    proxied: false,
  };
  let now: DnsRecord = { ...before, content: '203.0.113.20' };
  const records = {
    find: async () => [now],
    setContent: async () => now,
    async restore(record: DnsRecord) {
      now = record;
    },
  };
  const rollBack = (n: number, plannedAtLease: string) =>
    rollBackNames({
      before: { run: 'failover-1', atMs: 0, to: '203.0.113.20', records: [before] },
      names: { records },
      run: `20261121T10300${n}Z-rollback-000${n}`,
      state,
      clock,
      holder: 'ann@laptop',
      by: 'ann@laptop',
      plannedAtLease,
    });

  const planned = await leaseMark(state);
  const other = { holder: 'bob@desk', purpose: 'failover', run: 'failover-2', ttlMs: 10_000, waitMs: 0 };
  const answer = await acquireLease(state, other, clock);
  if (answer.kind === 'acquired') await answer.lease.release();
  await expect(rollBack(1, planned)).rejects.toMatchObject({ code: 'AnotherActed', exitCode: 3 });
  expect(now.content).toBe('203.0.113.20');

  expect(await rollBack(2, await leaseMark(state))).toMatchObject({ outcome: 'done' });
  expect(now.content).toBe('203.0.113.10');
});
