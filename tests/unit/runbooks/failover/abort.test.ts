import { describe, expect, test } from 'vitest';
import { stopRun } from '../../../../runbooks/engine/take-back.ts';
import { abortFailover } from '../../../../runbooks/failover/abort-failover.ts';
import { directionOf } from '../../../../runbooks/failover/direction.ts';
import { freezeInForce } from '../../../../state/freeze.ts';
import { listRuns, readRun } from '../../../../state/journal.ts';
import { newestRoleGrant } from '../../../../state/role-grant.ts';
import { readRoles } from '../../../../state/roles.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { type Death, dieAndResume, enumerateDeaths, Mortal, type Story } from '../../../support/crash-everywhere.ts';
import { confirming } from './fail-over.ts';
import { denying, failoverStory, worlds } from './story.ts';
import { roles, runName, type World } from './world.ts';

type Circumstances = Parameters<typeof failoverStory>[0];

/** `argus runs abort` of whatever is open, as its command makes it. */
async function abort(world: World, circumstances: Circumstances, process: Mortal, n: number) {
  const { state, ...rest } = circumstances.mirror === 'confirms' ? confirming(world) : world.context;
  const context = process.context({ ...rest, state, run: runName(n), config: denying });
  const newest = (await listRuns(context.state)).at(-1);
  if (newest === undefined || foldRun(await readRun(context.state, newest))?.status !== 'running') return undefined;
  const request = { by: 'lead', atMs: 1 };
  // The dead process' last entry, that it has ended, may come while it is watched.
  if ((await stopRun(context.state, newest, request, world.clock)) !== 'dead') return undefined;
  const direction = await directionOf(context.state, (await readRoles(context.state))!);
  const dead = direction.open.map((r) => r.run);
  const start = () =>
    abortFailover({
      context: { ...context, roles: direction.roles },
      dead,
      processes: process.processes,
      holder: runName(n),
      occasion: {},
    });
  // The dead process' last request may come between the look and the lease: the operator repeats the command.
  const isGhost = ({ code }: { readonly code?: string }) => code === 'AnotherActed' || code === 'LeaseHeld';
  return start().catch((e) => (isGhost(e) ? start() : Promise.reject(e)));
}

/** A world in which a failover died. */
async function afterDeath(story: Story<World>, death: Pick<Death, 'at' | 'when'>): Promise<World> {
  const world = await story.begin();
  const process = new Mortal(world.clock, death);
  await Promise.race([story.attempt(world, process, 1).catch(() => undefined), process.died]);
  return world;
}

const isReturned = (effects: readonly string[]) => !effects.some((e) => /^(start|dns|commit|abort) /.test(e));

for (const [name, circumstances] of worlds) {
  const story = failoverStory(circumstances);
  const { deaths } = await enumerateDeaths(story);

  describe(`a failover that died while ${name}`, () => {
    test.each(deaths)('at $name: is aborted wholly, or refused past the point of no return', async (death) => {
      const world = await afterDeath(story, death);
      const before = await story.endState(await story.begin());
      let refused: unknown;
      const result = await abort(world, circumstances, new Mortal(world.clock), 2).catch((error) => {
        refused = error;
      });
      if (refused) {
        expect(refused).toMatchObject({ code: 'PastReturn', exitCode: 3 });
        return;
      }
      if (result === undefined) return;
      expect(isReturned(world.effects), 'nothing that can not be taken back was made').toBe(true);
      expect(await newestRoleGrant(world.store), 'the standby may not run').toBeUndefined();
      const open = (await directionOf(world.store, roles)).open;
      if (circumstances.mirror === 'silent' && result.error?.code === 'CompensationFailed') {
        expect(await freezeInForce(world.store, 1), 'a fenced mirror stays stopped').toBeDefined();
        expect(open, 'and the failover is to be finished').not.toEqual([]);
        return;
      }
      expect(result).toMatchObject({ outcome: 'interrupted' });
      expect(await freezeInForce(world.store, 1), 'the mirror goes on').toBeUndefined();
      // The primary's jobs stay stopped: that is told, not undone.
      expect(await story.endState(world)).toEqual({ ...(before as object), jobs: [] });
    });
  });

  // A fenced mirror can't go on: then there is nothing to abort.
  if (circumstances.mirror === 'silent') continue;

  describe(`an abort while ${name}`, async () => {
    // The last point before the role is given and the jobs are started.
    const at = deaths.find((d) => d.when === 'before' && d.name.includes('grant/'))!.at - 1;
    const aborting: Story<World> = {
      ...story,
      begin: () => afterDeath(story, { at, when: 'before' }),
      attempt: (world, process, n) => abort(world, circumstances, process, n + 1),
      endState: async (world) => ({ state: await story.endState(world), freeze: await freezeInForce(world.store, 1) }),
      repeatable: (effect) => story.repeatable!(effect) || effect === 'lift',
    };
    const { deaths: own, undisturbed } = await enumerateDeaths(aborting);

    test.each(own)('killed at $name: the next one ends it', (death) => dieAndResume(aborting, death, undisturbed));
  });
}

test('a run past the point of no return is not asked to stop', async () => {
  const story = failoverStory(worlds[0]![1]);
  const { deaths } = await enumerateDeaths(story);
  const death = deaths.find((d) => d.when === 'after' && d.name.includes('flink.start'))!;
  const world = await afterDeath(story, death);
  await expect(stopRun(world.store, runName(1), { by: 'lead', atMs: 1 }, world.clock)).rejects.toMatchObject({
    code: 'PastReturn',
  });
  expect((await world.store.list('stop/')).objects).toEqual([]);
});
