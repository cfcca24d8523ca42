import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { prepareFailback, runFailback } from '../../../../runbooks/failback/run-failback.ts';
import { readRescued } from '../../../../state/rescued.ts';
import { readRoles } from '../../../../state/roles.ts';
import { dieAndResume, enumerateDeaths, type Story } from '../../../support/crash-everywhere.ts';
import { activeRanges, contextOf, newWorld, oldEnds, promotedAt, type World } from './world.ts';

const story: Story<World> = {
  begin: newWorld,
  async attempt(world, process, n) {
    const state = process.port('state', world.store);
    const inForce = await readRoles(state);
    if (inForce?.replication !== 'suspended') throw new ArgusError('NothingToFailBack', 'done', { exitCode: 3 });
    const context = contextOf(world, n, process, { roles: inForce });
    const plan = await prepareFailback(context, new AbortController().signal);
    const report = await runFailback({ context, plan, processes: process.processes, holder: `me ${n}` });
    // The dead process' last request may come between the plan and the lease: the operator repeats the command.
    if (report.error?.code === 'RolesChanged') throw new ArgusError('NothingToFailBack', 'done', { exitCode: 3 });
    if (!process.dead)
      expect(report, JSON.stringify(report.error)).toMatchObject({ outcome: 'done', orphans: 30, rolesEpoch: 3 });
    return report;
  },
  async endState(world) {
    const rescued = await readRescued(world.store, 2);
    return {
      roles: { ...(await readRoles(world.store)), atMs: 0, run: '' },
      old: [...world.old],
      kept: [...world.kept].map(([key, records]) => [key, records.map((r) => `${r.reason} ${r.offset}`)]),
      rescued: Object.entries(rescued?.topics ?? {}).map(([topic, { partitions }]) => [topic, partitions]),
      overtaken: [...world.overtaken],
      jobs: world.jobs.map((j) => j.state),
    };
  },
  effects: (world) => world.effects,
  async invariants(world) {
    // Never a record deleted that exists nowhere else.
    if (world.old.get('events')?.end !== 0n) return;
    const kept = new Set(world.kept.get('events-0')?.map((r) => r.offset));
    for (let offset = 0n; offset < oldEnds.events; offset++) {
      const shared = offset >= activeRanges.events.from && offset < promotedAt.events;
      if (!shared) expect(kept.has(offset), `offset ${offset}`).toBe(true);
    }
    expect((await readRescued(world.store, 2))?.topics.events, 'noted before it was deleted').toBeDefined();
  },
};

const { deaths, undisturbed } = await enumerateDeaths(story);

describe('a failback', () => {
  test('keeps what only the old primary has, and begins anew what diverged', () => {
    expect(deaths.length).toBeGreaterThan(40);
    expect(undisturbed).toMatchObject({
      roles: { epoch: 3, primary: 'singapore', standby: 'mumbai', replication: 'active' },
      old: [
        ['clicks', { id: 1, end: 30n }],
        ['events', { id: 2, end: 0n }],
      ],
      rescued: [['events', [{ orphans: 30n, older: 20n }]]],
      jobs: ['CANCELED'],
      overtaken: [],
    });
  });

  test.each(deaths)('killed at $name: the next run ends it as if nothing had happened', (death) =>
    dieAndResume(story, death, undisturbed),
  );

  test.each(deaths.filter((d) => d.at % 3 === 0))('killed at $name, and its successor half way, too', (death) =>
    dieAndResume(story, death, undisturbed, { at: 8, when: 'after' }),
  );
});
