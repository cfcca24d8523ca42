import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { directionOf } from '../../../../runbooks/failover/direction.ts';
import { abortSwitchover } from '../../../../runbooks/switchover/abort-switchover.ts';
import { readEarlier } from '../../../../runbooks/switchover/earlier.ts';
import { prepareSwitchover, runSwitchover } from '../../../../runbooks/switchover/run-switchover.ts';
import { freezeInForce } from '../../../../state/freeze.ts';
import { readRoles } from '../../../../state/roles.ts';
import { Mortal } from '../../../support/crash-everywhere.ts';
import { regionsWithRole, roles, wouldWait } from '../failover/world.ts';
import { type SwitchoverWorld, startedSwitchover, switchOver, switchoverRun } from './world.ts';

/** One switchover that is killed, as `death` says, or runs to its end. */
async function attempt(world: SwitchoverWorld, process: Mortal): Promise<void> {
  const context = process.context(world.context2(1));
  const begun = prepareSwitchover(context).then((plan) => runSwitchover({ context, plan, holder: switchoverRun(1) }));
  await Promise.race([begun.catch(() => undefined), process.died]);
}

/** As `argus runs abort` does it when the run is dead. */
async function abort(world: SwitchoverWorld) {
  const context = world.context2(2);
  const { state } = context;
  const now = await directionOf(state, (await readRoles(state))!, { runbook: 'switchover' });
  const earlier = await readEarlier(state, now.roles.epoch);
  const dead = now.open.map((r) => r.run);
  if (dead.length === 0) throw new ArgusError('RunOver', 'it ended, or never began', { exitCode: 3 });
  return abortSwitchover({ context: { ...context, ...earlier, roles: now.roles }, dead, holder: 'me', occasion: {} });
}

const undisturbed = await startedSwitchover();
const whole = new Mortal(undisturbed.clock);
await attempt(undisturbed, whole);
const deaths = whole.points.flatMap((name, at) =>
  (['before', 'after'] as const).map((when) => ({ at, when, name: `${at} ${when} ${name}` })),
);

describe('a dead switchover that is aborted', () => {
  test.each(deaths)('after it was killed at $name', async (death) => {
    const world = await startedSwitchover();
    await attempt(world, new Mortal(world.clock, death));
    const past = world.effects.some((e) => e.startsWith('start s3'));
    let refused: ArgusError | undefined;
    await abort(world).catch((error: unknown) => {
      if (!(error instanceof ArgusError)) throw error;
      refused = error;
    });
    if (refused !== undefined) {
      // At the very start of the act nobody knows whether it had its effect: that counts as past it, too.
      expect(refused.exitCode).toBe(3);
      if (refused.code === 'RunOver') expect([0, 2]).toContain([...world.kept].length);
      else expect(world.savepoints).toHaveLength(1);
      return;
    }
    expect(past).toBe(false);
    expect([...world.kept]).toEqual([]);
    expect(await regionsWithRole(world.store)).toEqual(['mumbai']);
    expect(world.effects).not.toContain(wouldWait);
    expect(world.primaryJobs.filter((j) => j.state === 'RUNNING')).toHaveLength(1);
    expect(await readRoles(world.store)).toEqual(roles);
    expect(await freezeInForce(world.store, 1)).toBeUndefined();
    // And it can be made again.
    expect(await switchOver(world, 3)).toMatchObject({ outcome: 'done' });
  });
});
