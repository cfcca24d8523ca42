import { expect, test } from 'vitest';
import { drillState } from '../../../../state/drills.ts';
import { readRun } from '../../../../state/journal.ts';
import { acquireLease } from '../../../../state/lease.ts';
import { drillName, drillWorld, leftIn, nothingLeft } from './world.ts';

const failover = { holder: 'ann@desk', purpose: 'failover', run: '20261122T033000Z-failover-0001', ttlMs: 10_000 };

test('names that a failover has moved amidst a drill are no leak of that, and it says so', async () => {
  const world = drillWorld({ stuck: true });
  const running = world.run(1);
  await world.clock.sleep(10_000);
  await acquireLease(world.state, { ...failover, waitMs: 0 }, world.clock);
  const { find } = world.records;
  world.records.find = async (...args) => (await find(...args)).map((record) => ({ ...record, content: '127.0.1.2' }));
  const { report, exitCode } = await running;
  expect(report).toMatchObject({ outcome: 'stopped', causes: [{ code: 'DrillYielded' }], leaks: [] });
  expect(exitCode).toBe(1);
  expect(await leftIn(world)).toEqual(nothingLeft);
  const told = JSON.stringify(await readRun(drillState(world.state), drillName(1)));
  expect(told).toContain('"dnsNotCompared":"somebody acted');
});
