import { expect, test } from 'vitest';
import { allFaults, type Fault, faultCatalogue } from '../../../../drills/faults/catalogue.ts';
import { healLeft } from '../../../../drills/faults/heal-left.ts';
import { runFaultDrill } from '../../../../drills/faults/run.ts';
import type { LocalProcesses } from '../../../../runbooks/engine/under-lease.ts';
import { listRuns, readRun } from '../../../../state/journal.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { dieAndResume, enumerateDeaths, type Mortal, type Story } from '../../../support/crash-everywhere.ts';
import { calmSettings, type FaultWorld, faultWorld, notesIn } from './fault-world.ts';

const sides = { from: 'mumbai', to: 'singapore' };

function drillIn(world: FaultWorld, fault: Fault, signal = new AbortController().signal) {
  const { hooks, notes, eyes, clock, store: state } = world;
  return runFaultDrill(
    { state, clock, signal, holder: 'me', random: () => '0001' },
    {
      ...{ fault, hooks, notes, eyes, calm: calmSettings, occasion: {} },
      about: { trigger: { kind: 'person' }, ...sides },
    },
  );
}

test.each(allFaults)('$name: injected, seen as expected, healed, and all of it reported', async (fault) => {
  const world = faultWorld(fault);
  const report = await drillIn(world, fault);
  expect(report).toMatchObject({ outcome: 'passed', kind: 'fault', causes: [] });
  expect(report.faults?.length).toBeGreaterThan(fault.during.length + fault.after.length);
  expect(report.faults?.every((f) => f.met && f.healed)).toBe(true);
  expect(world.called).toEqual(['inject', 'heal', 'check']);
  expect(await world.notes.list(new AbortController().signal)).toEqual([]);
  const [run] = await listRuns(world.store);
  expect(foldRun(await readRun(world.store, run ?? ''))).toMatchObject({
    runbook: 'drill',
    status: 'done',
    details: {
      kind: 'fault',
      fault: fault.name,
      steps: expect.arrayContaining([
        { id: 'heal', title: `Heal it: ${fault.name}`, waitsFor: `the hook of ${fault.name}` },
      ]),
    },
    report: { outcome: 'passed' },
  });
});

const broker = faultCatalogue['broker-down'];

test('what does not come is a failed drill, and is healed all the same', async () => {
  const world = faultWorld(broker, { whileBroken: { standing: { mode: 'manual', verdicts: [], decision: 'idle' } } });
  const report = await drillIn(world, broker);
  expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'NotAsExpected' }] });
  expect(report.verdict).toContain('PrimaryDegraded');
  expect(world.platform.broken).toBe(false);
});

const verdictOf = (code: string) => ({ code, severity: 'critical', sentence: code });

test.each([
  ['WrongVerdict', { standing: { mode: 'manual', verdicts: [verdictOf('PrimaryDead')], decision: 'idle' } }],
  ['FailoverBegun', { run: { id: '20261122T000000Z-failover-0001', kind: 'failover', state: 'running' } }],
  ['RolesChanged', { roles: { epoch: 2, replication: 'active' as const } }],
  ['WouldFailOver', { standing: { mode: 'automatic', verdicts: [], decision: 'act' } }],
])('%s ends the fault at once', async (code, whileBroken) => {
  const world = faultWorld(broker, { whileBroken });
  const from = world.clock.monotonic();
  const report = await drillIn(world, broker);
  expect(report.outcome).toBe('failed');
  expect(report.causes[0]).toMatchObject({ code });
  expect(world.platform.broken).toBe(false);
  expect(world.clock.monotonic() - from).toBeLessThan(10_000);
});

test('records that differ behind it are a failed drill', async () => {
  const world = faultWorld(broker, { difference: 'events-0 differs at 7: its value' });
  expect(await drillIn(world, broker)).toMatchObject({ outcome: 'failed', causes: [{ code: 'MirrorDiffers' }] });
});

test('a hook that fails to break is healed, since half of it may be broken', async () => {
  const world = faultWorld(broker, { fails: (what) => what === 'inject' });
  const report = await drillIn(world, broker);
  expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'HookFailed' }] });
  expect(world.called).toEqual(['inject', 'heal', 'check']);
});

test('a heal that fails is tried once more; when that fails too the note stays and the report says so', async () => {
  const again = faultWorld(broker, { fails: (what, before) => what === 'heal' && before === 0 });
  await drillIn(again, broker);
  expect(again.platform.broken).toBe(false);
  const world = faultWorld(broker, { fails: (what) => what === 'heal' });
  const report = await drillIn(world, broker);
  expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'NotHealed' }, {}] });
  expect(report.verdict).toContain('NOT known to be healed');
  expect(await world.notes.list(new AbortController().signal)).toMatchObject([
    { fault: 'broker-down', heal: 'heal it' },
  ]);
});

test.each([broker.name, 'link-slow'] as const)('nothing is broken while %s is noted as broken', async (fault) => {
  const world = faultWorld(broker);
  const { signal } = new AbortController();
  const note = { fault, run: '20261122T000000Z-drill-0009', atMs: 1, by: 'me', heal: 'heal it' } as const;
  await world.notes.put(note, signal);
  expect(await drillIn(world, broker)).toMatchObject({ causes: [{ code: 'FaultLeft' }] });
  expect(world.called).toEqual([]);
  expect(await world.notes.list(signal)).toEqual([note]);
});

test('stopped in the middle: healed before it ends', async () => {
  const world = faultWorld(broker, { whileBroken: { standing: { mode: 'manual', verdicts: [], decision: 'idle' } } });
  const stop = new AbortController();
  void world.clock.sleep(5_000).then(() => stop.abort());
  expect(await drillIn(world, broker, stop.signal)).toMatchObject({ outcome: 'stopped' });
  expect(world.platform.broken).toBe(false);
  expect(await world.notes.list(stop.signal)).toEqual([]);
});

test('a fault whose hooks are not configured here is told with what a person would type', async () => {
  const { clock, store: state, notes } = faultWorld(broker);
  const signal = new AbortController().signal;
  const note = {
    fault: 'link-slow',
    run: '20261122T000000Z-drill-0001',
    atMs: 1,
    by: 'me',
    heal: 'tc qdisc del',
  } as const;
  await notes.put(note, signal);
  const left = await healLeft({ state, clock, signal, holder: 'me' }, notes, async () => undefined, sides);
  expect(left).toMatchObject([{ kind: 'left', note }]);
  expect(await notes.list(signal)).toEqual([note]);
});

test('a fault whose hooks can not be opened is told with the reason, and the others are healed all the same', async () => {
  const { clock, store: state, notes, hooks, platform } = faultWorld(broker);
  const signal = new AbortController().signal;
  const note = { run: '20261122T000000Z-drill-0001', atMs: 1, by: 'me', heal: 'heal it' } as const;
  for (const fault of ['link-slow', broker.name] as const) await notes.put({ ...note, fault }, signal);
  platform.broken = true;
  const hooksFor = async (fault: Fault['name']) => {
    if (fault === 'link-slow') throw new Error('the secret env:TOKEN has no value');
    return hooks;
  };
  expect(await healLeft({ state, clock, signal, holder: 'me' }, notes, hooksFor, sides)).toMatchObject([
    { kind: 'left', note: { fault: 'link-slow' }, why: 'the secret env:TOKEN has no value' },
    { kind: 'healed', note: { fault: broker.name } },
  ]);
  expect(platform.broken).toBe(false);
  expect(await notes.list(signal)).toMatchObject([{ fault: 'link-slow' }]);
});

test('what was left is healed under the roles that it was broken under, also when they changed since', async () => {
  const world = faultWorld(broker);
  const { clock, store: state, notes, hooks, orders } = world;
  const signal = new AbortController().signal;
  const note = { fault: broker.name, run: '20261122T000000Z-drill-0001', atMs: 1, by: 'me', heal: 'heal it' } as const;
  const actor = { state, clock, signal, holder: 'me' };
  const changed = { from: 'singapore', to: 'mumbai' };
  for (const kept of [{ ...note, ...sides }, note]) {
    await notes.put(kept, signal);
    expect(await healLeft(actor, notes, async () => hooks, changed)).toMatchObject([{ kind: 'healed' }]);
  }
  expect(orders.map(({ from, to }) => [from, to])).toEqual([
    ...[sides, sides].map(Object.values),
    ...[changed, changed].map(Object.values),
  ]);
});

test('a note says under which roles it was broken', async () => {
  const world = faultWorld(broker, { fails: (what) => what === 'heal' });
  await drillIn(world, broker);
  expect(await world.notes.list(new AbortController().signal)).toMatchObject([sides]);
});

test('nothing is broken when another region has become the primary since the drill was agreed to', async () => {
  const world = faultWorld(broker, { before: { primary: 'singapore', standby: 'mumbai' } });
  expect(await drillIn(world, broker)).toMatchObject({ causes: [{ code: 'RolesChanged' }] });
  expect(world.called).toEqual([]);
});

test('a run that could not heal what was left has failed; one that could is done', async () => {
  const {
    clock,
    store: state,
    notes,
    hooks,
  } = faultWorld(broker, { fails: (what, before) => what === 'heal' && before < 2 });
  const signal = new AbortController().signal;
  await notes.put(
    { fault: broker.name, run: '20261122T000000Z-drill-0001', atMs: 1, by: 'me', heal: 'heal it' },
    signal,
  );
  const ends = [];
  for (let n = 1; n <= 3; n++) {
    const actor = { state, clock, signal, holder: 'me', random: () => `000${n}` };
    const [left] = await healLeft(actor, notes, async () => hooks, sides);
    const run = (await listRuns(state)).at(-1) ?? '';
    ends.push(`${left?.kind} ${foldRun(await readRun(state, run))?.status}`);
  }
  expect(ends).toEqual(['left failed', 'left failed', 'healed done']);
});

// Killed wherever it touches the world: whatever starts next heals it.
const story: Story<FaultWorld> = {
  begin: async () => faultWorld(broker),
  effects: (world) => world.called,
  repeatable: () => true,
  endState: async (world) => ({ broken: world.platform.broken }),
  async invariants({ platform, notes }) {
    const noted = (await notes.list(new AbortController().signal)).length > 0;
    if (platform.broken && !noted) throw new Error('something is broken, and no note says so');
  },
  async attempt(world, process: Mortal, n) {
    const { clock, eyes } = world;
    const store = process.port('state', world.store);
    const hooks = { ...world.hooks, call: process.port('hooks', world.hooks).call };
    const notes = notesIn(store);
    const signal = new AbortController().signal;
    const processes: LocalProcesses | undefined = process.processes;
    const actor = { state: store, clock, signal, holder: `p${n}`, processes, random: () => `000${n}` };
    await healLeft(actor, notes, async () => hooks, sides);
    if (n > 1) return;
    const what = { fault: broker, hooks, notes, eyes, calm: calmSettings, occasion: {} };
    await runFaultDrill(actor, { ...what, about: { trigger: { kind: 'person' }, ...sides } });
  },
};

const { deaths, undisturbed } = await enumerateDeaths(story);

test.each(deaths)('killed at $name: the next start heals it', (death) => dieAndResume(story, death, undisturbed));

test('killed twice: the third start heals it', async () => {
  const first = deaths.filter((d) => d.name.includes('hooks.call inject') || d.name.includes('put faults/'));
  for (const death of first)
    for (const at of [0, 2, 4, 5, 6, 8])
      await dieAndResume(story, death, undisturbed, { at, when: 'before' }).catch((error: unknown) => {
        // The second process had less to do than to be killed at.
        if (!String(error).includes('ended alive')) throw error;
      });
});
