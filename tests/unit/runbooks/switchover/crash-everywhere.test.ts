import { describe, expect, test } from 'vitest';
import { directionOf } from '../../../../runbooks/failover/direction.ts';
import { readEarlier } from '../../../../runbooks/switchover/earlier.ts';
import { prepareSwitchover, runSwitchover } from '../../../../runbooks/switchover/run-switchover.ts';
import { readRoles } from '../../../../state/roles.ts';
import { dieAndResume, enumerateDeaths, type Story } from '../../../support/crash-everywhere.ts';
import { regionsWithRole, wouldWait } from '../failover/world.ts';
import { type SwitchoverWorld, startedSwitchover, switchoverRun } from './world.ts';

/** A switchover as its command makes it. */
const story: Story<SwitchoverWorld> = {
  async begin() {
    const world = await startedSwitchover();
    world.mirrorOpen = false;
    return world;
  },
  async attempt(world, process, n) {
    const context = process.context(world.context2(n));
    const { state } = context;
    const { roles, resumes } = await directionOf(state, (await readRoles(state))!, { runbook: 'switchover' });
    // Done: a next one would go back.
    if (roles.epoch !== 1) return undefined;
    const target = { ...context, roles, ...(await readEarlier(state, roles.epoch)) };
    const plan = await prepareSwitchover(target, resumes ? { resumes: resumes.run } : {});
    const report = await runSwitchover({
      context: target,
      plan,
      processes: process.processes,
      holder: switchoverRun(n),
    });
    if (!process.dead) expect(report).toMatchObject({ outcome: 'done', rpo: { provenZero: true } });
    return report;
  },
  endState: async (world) => ({
    roles: { ...(await readRoles(world.store)), atMs: 0, run: '' },
    mayRun: await regionsWithRole(world.store),
    records: await world.context.names.records.find('ingest.argus.test', 'A', { signal }),
    standbyJobs: await world.context.standby.flink.list(),
    primaryJobs: world.primaryJobs.map((j) => j.state),
    kept: [...world.kept].sort(),
    mirrorOpen: world.mirrorOpen,
    savepoints: world.savepoints.map((s) => s.directory),
  }),
  effects: (world) => world.effects,
  repeatable: (effect) => effect === 'sync group' || /^(deny|allow|copy) /.test(effect),
  async invariants(world) {
    const { effects } = world;
    expect((await regionsWithRole(world.store)).length, 'both regions may run').toBeLessThan(2);
    expect(effects).not.toContain(wouldWait);
    const started = effects.findIndex((e) => e.startsWith('start s3'));
    if (started >= 0) {
      expect(world.kept.has('producers'), 'producers are kept out before the standby`s jobs start').toBe(true);
      expect(world.primaryJobs.every((j) => j.state === 'FINISHED')).toBe(true);
    }
    const flipped = effects.findIndex((e) => e.startsWith('dns '));
    if (flipped >= 0) expect(started).toBeLessThan(flipped);
    const denied = effects.indexOf('deny jobs');
    if (denied >= 0) expect(effects.findIndex((e) => e.startsWith('stop '))).toBeLessThan(denied);
  },
};

const { signal } = new AbortController();
const { deaths, undisturbed } = await enumerateDeaths(story);

describe('a switchover', () => {
  test('ends with the sides swapped', () => {
    expect(deaths.length).toBeGreaterThan(60);
    expect(undisturbed).toMatchObject({
      roles: { epoch: 2, primary: 'singapore', replication: 'active' },
      records: [{ content: '127.0.2.1' }],
      primaryJobs: ['FINISHED'],
      kept: ['jobs', 'producers'],
      mirrorOpen: true,
    });
  });

  test.each(deaths)('killed at $name: the next run ends it as if nothing had happened', (death) =>
    dieAndResume(story, death, undisturbed),
  );
});
