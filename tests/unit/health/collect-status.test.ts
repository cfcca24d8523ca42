import { describe, expect, test } from 'vitest';
import { collectStatus } from '../../../health/collect-status.ts';
import { assembleStatus } from '../../../health/status.ts';
import type { Region } from '../../../regions/region.ts';
import { openJournal } from '../../../state/journal.ts';
import { acquireLease } from '../../../state/lease.ts';
import { newWorld, runName } from '../runbooks/failover/world.ts';

const silent = () => new Promise<never>(() => undefined);
const silentPort = <T extends object>(): T => new Proxy({} as T, { get: () => silent });

function sources(over: Partial<Region> = {}) {
  const { context } = newWorld();
  const { primary, standby, ...rest } = context;
  const flink = { ...primary.flink, slots: async () => ({ free: 2, total: 4 }) };
  return { ...rest, regions: [{ ...primary, flink, ...over }, standby] };
}

describe('what is observed for a status', () => {
  test('a region that is silent in everything is unknown, and costs less than 2 s', async () => {
    const { primary } = newWorld().context;
    const dead = { kafka: silentPort<Region['kafka']>(), objects: silentPort<Region['objects']>() };
    const from = sources({ ...dead, flink: silentPort<typeof primary.flink>() });
    const began = from.clock.monotonic();
    const facts = await collectStatus(from);
    expect(from.clock.monotonic() - began).toBeLessThan(2_000);
    expect(facts.regions[0]).toMatchObject({
      kafka: { status: 'unknown' },
      objects: { status: 'unknown' },
      flink: { status: 'unknown' },
    });
    expect(assembleStatus(facts).blockers.map((b) => b.code)).toEqual(['NoRecoveryPoint']);
  });

  test.each([
    ['running', 'while its lease is renewed', 10_000],
    ['interrupted', 'once nobody renews its lease', 60_000],
  ])('a run without an end is %s %s', async (state, _when, ageMs) => {
    const from = sources();
    const run = runName(1);
    const request = { holder: 'me', purpose: 'failover', run, ttlMs: 10_000, waitMs: 0 };
    const answer = await acquireLease(from.state, request, from.clock);
    if (answer.kind !== 'acquired') throw new Error('held');
    await openJournal(from.state, { run, epoch: 1 }, from.clock).append({
      kind: 'run-started',
      runbook: 'failover',
      by: 'me',
      details: null,
    });
    const writtenAtMs = (await from.state.get('lease'))!.info.modifiedAtMs;
    const clock = { ...from.clock, now: () => writtenAtMs + ageMs };
    expect((await collectStatus({ ...from, clock })).runs).toMatchObject([{ id: run, state }]);
    await answer.lease.release();
    expect((await collectStatus({ ...from, clock })).runs).toMatchObject([{ id: run, state: 'interrupted' }]);
  });
});
