import { expect, test } from 'vitest';
import { planFileOf } from '../../../../cli/plan-files.ts';
import { decodePlan, encodePlan, staleRefusal } from '../../../../runbooks/plan/plan-file.ts';
import { prepareSwitchover } from '../../../../runbooks/switchover/run-switchover.ts';
import { startedSwitchover, switchOver } from './world.ts';

const about = { runbook: 'switchover', madeAtMs: 1, madeBy: 'me', options: {}, recoveryPoints: [] };

test('a reviewed switchover holds while nothing moves, whatever checkpoints come, and is stale afterwards', async () => {
  const world = await startedSwitchover();
  const file = planFileOf(await prepareSwitchover(world.context2(1)), about);
  const read = decodePlan(encodePlan(file), 'plan.json', 'switchover');
  expect(Object.keys(read.basis).filter((name) => name.startsWith('recovery point'))).toEqual([]);
  world.clock.jump(60_000);
  expect(staleRefusal(read, (await prepareSwitchover(world.context2(1))).basis)).toBeUndefined();
  await switchOver(world);
  expect(staleRefusal(read, (await prepareSwitchover(world.context2(1))).basis)).toMatchObject({
    code: 'PlanStale',
    exitCode: 3,
    message: expect.stringContaining('record ingest.argus.test'),
    hint: expect.stringContaining('argus switchover --plan-out'),
  });
});
