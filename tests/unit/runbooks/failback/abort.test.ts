import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { abortFailback } from '../../../../runbooks/failback/abort-failback.ts';
import { prepareFailback, runFailback } from '../../../../runbooks/failback/run-failback.ts';
import { directionOf } from '../../../../runbooks/failover/direction.ts';
import { readRun } from '../../../../state/journal.ts';
import { readRoles } from '../../../../state/roles.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { Mortal } from '../../../support/crash-everywhere.ts';
import { contextOf, newWorld, roles, type World } from './world.ts';

const { signal } = new AbortController();

/** A failback that is killed, as `death` says, or runs to its end. */
async function attempt(world: World, process: Mortal, n = 1) {
  const context = contextOf(world, n, process);
  const begun = prepareFailback(context, signal).then((plan) => runFailback({ context, plan, holder: `me ${n}` }));
  return Promise.race([begun.catch(() => undefined), process.died]);
}

/** As `argus runs abort` does it when the run is dead. */
async function abort(world: World) {
  const now = await directionOf(world.store, (await readRoles(world.store))!, { runbook: 'failback' });
  const dead = now.open.map((r) => r.run);
  if (dead.length === 0) throw new ArgusError('RunOver', 'it ended, or never began', { exitCode: 3 });
  const context = contextOf(world, 2, undefined, { roles: now.roles });
  return abortFailback({ context, dead, holder: 'me', occasion: {} });
}

const undisturbed = await newWorld();
const whole = new Mortal(undisturbed.clock);
await attempt(undisturbed, whole);
const deaths = whole.points.flatMap((name, at) =>
  (['before', 'after'] as const).map((when) => ({ at, when, name: `${at} ${when} ${name}` })),
);

describe('a dead failback that is aborted', () => {
  test.each(deaths)('after it was killed at $name', async (death) => {
    const world = await newWorld();
    await attempt(world, new Mortal(world.clock, death));
    const before = [...world.effects];
    const ended = await abort(world).catch((error: unknown) => error);
    expect(world.effects, 'an abort does nothing to the regions').toEqual(before);
    if (ended instanceof ArgusError) {
      expect(ended).toMatchObject({ exitCode: 3 });
      if (ended.code === 'PastReturn') return;
      // It never began, or is done.
      expect(ended.code).toBe('RunOver');
      return;
    }
    expect(ended).toMatchObject({ outcome: 'interrupted', compensated: [] });
    expect(world.old.get('events')?.end, 'nothing was deleted').toBe(130n);
    expect(await readRoles(world.store)).toEqual(roles);
    const { run } = ended as { readonly run: string };
    expect(foldRun(await readRun(world.store, run))).toMatchObject({ status: 'interrupted' });
    // And it can be made again.
    expect(await attempt(world, new Mortal(world.clock), 3)).toMatchObject({ outcome: 'done', orphans: 30 });
  });

  test('past its point of no return it is refused', async () => {
    const at = whole.points.findIndex((p) => p.startsWith('old.'));
    const world = await newWorld();
    await attempt(world, new Mortal(world.clock, { at, when: 'after' }));
    await expect(abort(world)).rejects.toMatchObject({ code: 'PastReturn' });
  });
});
