import { expect, test } from 'vitest';
import { planFileOf } from '../../../../cli/plan-files.ts';
import { prepareFailback, runFailback } from '../../../../runbooks/failback/run-failback.ts';
import { decodePlan, encodePlan, staleRefusal } from '../../../../runbooks/plan/plan-file.ts';
import { contextOf, newWorld, type World } from './world.ts';

const about = {
  runbook: 'failback',
  madeAtMs: 1,
  madeBy: 'me',
  options: { to: 'topic', acceptUnfenced: true },
  recoveryPoints: [],
};
const { signal } = new AbortController();
const planOf = (world: World) => prepareFailback(contextOf(world, 1), signal);

test('a reviewed failback holds while the old logs stand, and is stale when they moved or it was carried out', async () => {
  const world = await newWorld();
  const plan = await planOf(world);
  const file = planFileOf({ ...plan, from: plan.active, to: plan.region }, about);
  const read = decodePlan(encodePlan(file), 'plan.json', 'failback');
  expect(read).toMatchObject({ from: 'singapore', to: 'mumbai', pointOfNoReturn: 'begin-topics-anew' });
  expect(staleRefusal(read, (await planOf(world)).basis)).toBeUndefined();

  world.old.get('events')!.end += 1n;
  expect(staleRefusal(read, (await planOf(world)).basis)).toMatchObject({
    code: 'PlanStale',
    exitCode: 3,
    message: expect.stringMatching(/logs of events: was .*orphans \[100, 130\), is .*orphans \[100, 131\)/),
    hint: expect.stringContaining('argus failback --plan-out'),
  });
  world.old.get('events')!.end -= 1n;

  const report = await runFailback({ context: contextOf(world, 1), plan: await planOf(world), holder: 'me' });
  expect(report.outcome).toBe('done');
  expect(staleRefusal(read, (await planOf(world)).basis)?.message).toContain('logs of events');
});
