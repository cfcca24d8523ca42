import { beforeEach, describe, expect, test } from 'vitest';
import { readEarlier } from '../../../../runbooks/switchover/earlier.ts';
import { prepareSwitchover } from '../../../../runbooks/switchover/run-switchover.ts';
import { standingSavepoints } from '../../../../runbooks/switchover/switchover-step.ts';
import { type SwitchoverWorld, startedSwitchover, switchOver } from './world.ts';

const { signal } = new AbortController();

describe('after a switchover that was taken back', () => {
  let world: SwitchoverWorld;
  const contextNow = async () => ({ ...world.context2(3), ...(await readEarlier(world.store, 1)) });
  const blockers = async () => (await prepareSwitchover(await contextNow())).blockers;

  beforeEach(async () => {
    world = await startedSwitchover();
    world.behind = 3n;
    expect((await switchOver(world)).compensated).toContain('stop-with-savepoint');
    world.behind = 0n;
  });

  test.each<[string, (id: string) => boolean]>([
    ['nothing', () => false],
    ['only the job that was stopped', (id) => id === '1'.repeat(32)],
  ])('a job of which the cluster knows %s is lost: it has gone on since its savepoint', async (_, knows) => {
    world.primaryJobs.splice(0, Infinity, ...world.primaryJobs.filter(({ id }) => knows(id)));
    expect(await blockers()).toMatchObject([{ code: 'JobNotRunning' }]);
  });

  test('only what the next one takes tells where the job ended', async () => {
    world.behind = 3n;
    await switchOver(world, 2);
    expect(world.savepoints.map((s) => s.checkpointId)).toEqual([9, 8]);
    expect(await standingSavepoints(await contextNow(), 'counts', signal)).toEqual([]);
    const ended = { ...world.savepoints[0]!, flinkJobId: world.primaryJobs.at(-1)!.id, checkpointId: 10 };
    world.savepoints.unshift(ended);
    expect(await standingSavepoints(await contextNow(), 'counts', signal)).toEqual([ended]);
  });
});
