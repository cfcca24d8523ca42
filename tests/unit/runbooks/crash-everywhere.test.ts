import { expect, test } from 'vitest';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import { runSteps } from '../../../runbooks/engine/run.ts';
import type { Step } from '../../../runbooks/engine/step.ts';
import { listRuns, openJournal, readRun } from '../../../state/journal.ts';
import { acquireLease } from '../../../state/lease.ts';
import { foldRun } from '../../../state/run-record.ts';
import { dieAndResume, enumerateDeaths, Killed, Mortal, type Story } from '../../support/crash-everywhere.ts';
import { type VirtualClock, virtualClock } from '../state/virtual-clock.ts';

interface Effects {
  has(what: string): Promise<boolean>;
  make(what: string): Promise<void>;
}

interface World {
  readonly clock: VirtualClock;
  readonly store: ObjectStore;
  readonly made: string[];
  readonly there: Effects;
}

interface Context {
  readonly effects: Effects;
  readonly store: ObjectStore;
}

function newWorld(): World {
  const made: string[] = [];
  const there: Effects = {
    has: async (what) => made.includes(what),
    make: async (what) => void made.push(what),
  };
  return { clock: virtualClock(), store: memoryObjectStore('s'), made, there };
}

/** A step of two effects, of which each is looked at before it is made. */
function step(id: string): Step<Context, object> {
  const parts = [`${id}-1`, `${id}-2`];
  const missing = async ({ effects }: Context) => {
    for (const part of parts) if (!(await effects.has(part))) return part;
    return undefined;
  };
  return {
    id,
    title: `make ${id}`,
    timeoutMs: 10_000,
    onFailure: { kind: 'stop', hint: 'mend it' },
    manual: [],
    async observe(context) {
      return (await missing(context)) === undefined ? { kind: 'done', evidence: id } : { kind: 'todo' };
    },
    async act(context, _facts, io) {
      const run = (await listRuns(context.store)).at(-1)!;
      expect((await readRun(context.store, run)).at(-1)?.fact, 'no act before its start is durable').toMatchObject({
        kind: 'step-started',
        step: id,
      });
      for (const part of parts) {
        if (await context.effects.has(part)) continue;
        io.check();
        await context.effects.make(part);
      }
    },
    async verify(context) {
      const open = await missing(context);
      return open === undefined ? { kind: 'done', evidence: id } : { kind: 'pending', waitingFor: open };
    },
  };
}

const ids = ['a', 'b', 'c'];

const story: Story<World> = {
  begin: async () => newWorld(),
  effects: (world) => world.made,
  endState: async (world) => [...world.made].sort(),
  async attempt(world, process, n) {
    const { clock } = world;
    const store = process.port('state', world.store);
    const runs = await Promise.all((await listRuns(store)).map((id) => readRun(store, id)));
    if (runs.some((entries) => foldRun(entries)?.status === 'done')) return;
    const run = `20261121T10300${n}Z-failover-000${n}`;
    const answer = await acquireLease(
      store,
      { holder: run, purpose: 'failover', run, ttlMs: 10_000, waitMs: 30_000 },
      clock,
    );
    if (answer.kind !== 'acquired') throw new Error('held');
    const stop = answer.lease.keepRenewed();
    const result = await runSteps({
      steps: ids.map(step),
      context: { effects: process.port('world', world.there, /^has$/), store },
      runbook: 'failover',
      by: 'me',
      details: null,
      epoch: n,
      lease: answer.lease,
      journal: openJournal(store, { run, epoch: answer.lease.epoch }, clock),
      clock,
      resumeHint: 'again',
    });
    await stop();
    await answer.lease.release();
    expect(result).toMatchObject({ outcome: 'done' });
  },
};

const { deaths, undisturbed } = await enumerateDeaths(story);

test('the points of death are every write of lease and journal, and every effect', () => {
  expect([...new Set(deaths.map((d) => d.name.replace(/^\d+, \w+ /, '')))]).toEqual([
    'state.put lease',
    ...Array.from({ length: 2 }, (_, i) => `state.put journal/00000${i + 1}`),
    'world.make a-1',
    'world.make a-2',
    ...[3, 4].map((i) => `state.put journal/00000${i}`),
    'world.make b-1',
    'world.make b-2',
    ...[5, 6].map((i) => `state.put journal/00000${i}`),
    'world.make c-1',
    'world.make c-2',
    ...[7, 8].map((i) => `state.put journal/00000${i}`),
  ]);
});

test.each(deaths)('killed at $name: the next run ends it as if nothing had happened', (death) =>
  dieAndResume(story, death, undisturbed),
);

test('killed at any two points, one after the other: likewise', async () => {
  for (const first of deaths) {
    for (const second of deaths.filter((d) => d.when === 'before' || d.when === 'after')) {
      await dieAndResume(story, first, undisturbed, second).catch((error: unknown) => {
        throw new Error(`${first.name}, then ${second.name}`, { cause: error });
      });
    }
  }
}, 120_000);

test('a runbook that does not see what the process before it did is found out', async () => {
  const blind: Story<World> = {
    ...story,
    attempt(world, process, n) {
      const before = world.made.length;
      const has = async (what: string) => world.made.slice(before).includes(what);
      return story.attempt({ ...world, there: { ...world.there, has } }, process, n);
    },
  };
  const after = deaths.find((d) => d.when === 'after' && d.name.includes('world.make b-1'))!;
  await expect(dieAndResume(blind, after, undisturbed)).rejects.toThrow('ended otherwise than undisturbed');
});

test('a killed process can do nothing any more', async () => {
  const { store, clock } = newWorld();
  const process = new Mortal(clock, { at: 0, when: 'after' });
  const mine = process.port('state', store);
  await expect(mine.put('a', Buffer.from('1'))).rejects.toBeInstanceOf(Killed);
  await expect(mine.get('a')).rejects.toBeInstanceOf(Killed);
  await expect(mine.put('b', Buffer.from('1'))).rejects.toBeInstanceOf(Killed);
  expect((await store.list('')).objects.map((o) => o.key)).toEqual(['a']);
});
