import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { readEarlier } from '../../../../runbooks/switchover/earlier.ts';
import { prepareSwitchover, runSwitchover } from '../../../../runbooks/switchover/run-switchover.ts';
import { freezeInForce } from '../../../../state/freeze.ts';
import { Mortal } from '../../../support/crash-everywhere.ts';
import { type SwitchoverWorld, startedSwitchover, switchOver, switchoverRun } from './world.ts';

async function attempt(world: SwitchoverWorld, process: Mortal): Promise<void> {
  const context = process.context(world.context2(1));
  const begun = prepareSwitchover(context).then((plan) => runSwitchover({ context, plan, holder: switchoverRun(1) }));
  await Promise.race([begun.catch(() => undefined), process.died]);
}

/** A switchover of two jobs that was killed when the first had been started on the standby, which has written since. */
async function halfStarted(): Promise<SwitchoverWorld> {
  const undisturbed = await startedSwitchover({ secondJob: 'enrich' });
  const whole = new Mortal(undisturbed.clock);
  await attempt(undisturbed, whole);
  const starts = whole.points.flatMap((point, at) => (point.startsWith('standby.flink.start') ? [at] : []));
  expect(starts).toHaveLength(2);
  const world = await startedSwitchover({ secondJob: 'enrich' });
  await attempt(world, new Mortal(world.clock, { at: starts[1]!, when: 'before' }));
  expect(await world.context.standby.flink.list()).toHaveLength(1);
  world.ends.set('events-0', 101n);
  world.behind = -1n;
  return world;
}

/** Nothing that keeps the primary from writing was taken back. */
async function expectKept(world: SwitchoverWorld): Promise<void> {
  expect([...world.kept].sort()).toEqual(['jobs', 'producers']);
  expect(world.primaryJobs.map((j) => j.state)).toEqual(['FINISHED', 'FINISHED']);
  expect(await freezeInForce(world.store, 1)).toBeDefined();
}

const broken = () => Promise.reject(new ArgusError('KafkaFailed', 'as the test wants'));

test('one job started, and wrote: the next run starts the other, by the proof from before', async () => {
  const world = await halfStarted();
  const report = await switchOver(world, 2, {}, switchoverRun(1));
  expect(report.error).toBeUndefined();
  expect(report).toMatchObject({ outcome: 'done', rpo: { provenZero: true, partitions: [{ primaryEnd: '100' }, {}] } });
  expect(await world.context.standby.flink.list()).toHaveLength(2);
  await expectKept(world);
});

test('one job started: the next run gives up before it starts the other, and takes nothing back', async () => {
  const world = await halfStarted();
  const report = await switchOver(world, 2, { heldAtPrimary: broken }, switchoverRun(1));
  expect(report).toMatchObject({ outcome: 'failed', pastReturn: false, compensated: [] });
  expect(report.error?.message).toContain('was not taken back');
  await expectKept(world);
});

test('all jobs started: the next run is stopped before it comes to them, and takes nothing back', async () => {
  const world = await startedSwitchover({ secondJob: 'enrich' });
  await switchOver(world);
  const context = { ...world.context2(2), ...(await readEarlier(world.store, 1)) };
  const plan = await prepareSwitchover(context, { resumes: switchoverRun(1) });
  const stop = new AbortController();
  const report = await runSwitchover({
    context,
    plan,
    holder: switchoverRun(2),
    signal: stop.signal,
    onEvent: (event) => event.kind === 'step-ended' && event.step === 'prove-ends' && stop.abort(),
  });
  expect(report).toMatchObject({ outcome: 'interrupted', pastReturn: false, compensated: [] });
  await expectKept(world);
});

test('while the standby can`t be asked, nothing is taken back', async () => {
  const world = await halfStarted();
  let dark = false;
  const { standby } = world.context2(2);
  const list = () => (dark ? broken() : standby.flink.list());
  const heldAtPrimary = () => {
    dark = true;
    return broken();
  };
  const over = { standby: { ...standby, flink: { ...standby.flink, list } }, heldAtPrimary };
  expect(await switchOver(world, 2, over, switchoverRun(1))).toMatchObject({ outcome: 'failed', compensated: [] });
  await expectKept(world);
});

test('jobs that a failover started are not gone on with: nothing was proven', async () => {
  const world = await halfStarted();
  const context = world.context2(2);
  const plan = await prepareSwitchover(context);
  expect(plan.blockers).toMatchObject([{ code: 'NotProven', hint: expect.stringContaining('argus failover') }]);
  const report = await runSwitchover({ context, plan: { ...plan, blockers: [] }, holder: switchoverRun(2) });
  expect(report).toMatchObject({ outcome: 'refused', error: { code: 'NotProven' }, compensated: [] });
  await expectKept(world);
});
