import { expect, test } from 'vitest';
import { type ActOutcome, type AutomaticOrder, decideService } from '../../../daemon/decide.ts';
import { type DaemonEvent, eventHub } from '../../../daemon/events.ts';
import type { DaemonView } from '../../../daemon/service.ts';
import type { ProbeName } from '../../../domain/observation.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import { listDecisions, readStanding } from '../../../state/decisions.ts';
import { openJournal } from '../../../state/journal.ts';
import { putObserverReport } from '../../../state/observers.ts';
import { putReadiness } from '../../../state/readiness.ts';
import { putSighting } from '../../../state/sightings.ts';
import { settingsOf } from '../health/simulated-watch.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const places = { east: 'blue', west: 'green', far: 'outside' } as const;
const probes: readonly ProbeName[] = ['kafka', 'flink', 'ingress'];

interface World {
  readonly mode?: 'manual' | 'advise' | 'automatic';
  readonly leads?: boolean;
  readonly ready?: 'green' | 'red';
  readonly outcome?: ActOutcome;
  readonly seconds?: number;
  readonly deadFrom?: number;
  /** There is a run without an end, begun by this. */
  readonly cutOffBy?: string;
  /** It had passed its point of no return. */
  readonly pastReturn?: boolean;
  /** A failover that is begun is under way until the daemon ends. */
  readonly goesOn?: boolean;
}

/** A daemon that decides for a while, the primary being dead from some second on. */
async function deciding({
  mode = 'automatic',
  leads = true,
  ready = 'green',
  seconds = 60,
  deadFrom = 20,
  ...world
}: World) {
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const began = clock.now();
  const acts: { readonly atS: number; readonly order: AutomaticOrder }[] = [];
  const proposals: AutomaticOrder[] = [];
  const events: DaemonEvent[] = [];
  const hub = eventHub();
  hub.subscribe(({ event }) => events.push(event));
  if (world.cutOffBy !== undefined) {
    const journal = openJournal(state, { run: '20270115T080000Z-failover-0000', epoch: 1 }, clock);
    await journal.append({
      kind: 'run-started',
      runbook: 'failover',
      by: world.cutOffBy,
      details: { from: 'blue', to: 'green' },
    });
    if (world.pastReturn) await journal.append({ kind: 'step-started', step: 'promote', pastReturn: true });
  }
  const readiness = { primary: 'blue', standby: 'green', status: ready, sentence: '', blockers: [], warnings: [] };
  await putReadiness(state, { ...readiness, atMs: began });
  await putSighting(state, { region: 'blue', atMs: began, topics: {} });
  const service = decideService({
    settings: settingsOf({ mode }),
    statePlace: 'outside',
    guarded: false,
    rpoMs: 60_000,
    state,
    clock,
    log: quietLog(),
    who: 'argus automatic on test',
    actions: {
      async failover(order, signal) {
        acts.push({ atS: (clock.now() - began) / 1_000, order });
        if (world.goesOn) {
          const journal = openJournal(state, { run: '20270115T080000Z-failover-0000', epoch: 1 }, clock);
          await journal.append({
            kind: 'run-started',
            runbook: 'failover',
            by: 'argus automatic on test',
            details: {},
          });
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        }
        return world.outcome ?? { kind: 'ended', exitCode: 0 };
      },
      async propose(order) {
        proposals.push(order);
        return [];
      },
    },
  })({
    roles: () => ({ epoch: 1, primary: 'blue', standby: 'green', replication: 'active', atMs: 0, by: '' }),
    leads: () => leads,
    events: hub,
  } as unknown as DaemonView);
  const stop = new AbortController();
  const running = service.run(stop.signal);
  for (let s = 0; s < seconds; s++) {
    await report(state, clock.now(), s, s >= deadFrom);
    await clock.sleep(1_000);
  }
  stop.abort();
  await running;
  return { acts, proposals, events, decisions: await listDecisions(state, 20), standing: await readStanding(state) };
}

async function report(state: ObjectStore, atMs: number, sequence: number, dead: boolean) {
  for (const [observer, place] of Object.entries(places)) {
    const seen = ['blue', 'green'].flatMap((region) =>
      probes.map((probe) => ({
        observer,
        probe,
        region,
        atMs,
        latencyMs: 1,
        ...(dead && region === 'blue'
          ? { status: 'failed' as const, reason: 'refused', sinceMs: atMs, lastOkAtMs: 1_800_000_000_000 }
          : { status: 'ok' as const, sinceMs: atMs, lastOkAtMs: atMs }),
      })),
    );
    await putObserverReport(state, { observer, place, atMs, sequence, seen });
  }
}

test('begins one failover, as soon as the hold-down allows it, with its reason', async () => {
  const { acts, events, decisions, standing } = await deciding({
    outcome: { kind: 'ended', exitCode: 0 },
    seconds: 32,
  });
  expect(acts[0]?.atS).toBeGreaterThanOrEqual(28);
  expect(acts[0]?.atS).toBeLessThanOrEqual(31);
  expect(acts[0]?.order).toMatchObject({ from: 'blue', to: 'green', acceptUnfenced: true });
  expect(acts[0]?.order.reason).toMatch(/^PrimaryDead: nothing in blue gives a good answer/);
  expect(decisions.map((d) => d.kind)).toEqual(['act', 'wait']);
  expect(decisions[1]?.reasons.map((r) => r.code)).toEqual(['HoldDown']);
  expect(standing).toMatchObject({ mode: 'automatic', decision: { kind: 'act' } });
  const raised = events.filter((e) => e.kind === 'verdict-changed' && e.change === 'raised');
  expect(raised.map((e) => 'code' in e && e.code)).toEqual(expect.arrayContaining(['AllWell', 'PrimaryDead']));
});

test('does nothing by itself where a person decides, and says so', async () => {
  const { acts, decisions } = await deciding({ mode: 'manual' });
  expect(acts).toEqual([]);
  expect(decisions[0]?.reasons.map((r) => r.code)).toEqual(['ModeManual']);
});

test('asks a person once, where that is the mode', async () => {
  const { acts, proposals } = await deciding({ mode: 'advise' });
  expect(acts).toEqual([]);
  expect(proposals).toHaveLength(1);
});

test('a daemon that doesn’t lead keeps still, and writes nothing', async () => {
  const { acts, decisions, standing, events } = await deciding({ leads: false });
  expect(acts).toEqual([]);
  expect([decisions, standing]).toEqual([[], undefined]);
  expect(events.some((e) => e.kind === 'verdict-changed' && e.code === 'PrimaryDead')).toBe(true);
});

test('waits for a standby that is not ready', async () => {
  const { acts, decisions } = await deciding({ ready: 'red' });
  expect(acts).toEqual([]);
  expect(decisions[0]?.reasons.map((r) => r.code)).toContain('NotReady');
});

test('a plan that is refused is told as the reason to wait, and tried again later', async () => {
  const refused: ActOutcome = { kind: 'refused', code: 'NoRecoveryPoint', message: 'nothing to restore' };
  const { acts, decisions } = await deciding({ outcome: refused, seconds: 70 });
  expect(acts.length).toBeGreaterThanOrEqual(2);
  expect(acts.length).toBeLessThanOrEqual(3);
  expect(decisions.flatMap((d) => d.reasons.map((r) => r.code))).toContain('PlanBlocked');
});

test('reports that were there before the daemon began count for nothing', async () => {
  const { acts } = await deciding({ deadFrom: 0, seconds: 8 });
  expect(acts).toEqual([]);
});

test('goes on with an automatic run that was cut off past its point of no return, though nothing is wrong by then', async () => {
  const cut = { cutOffBy: 'argus automatic on other', deadFrom: 99, seconds: 20 };
  const { acts } = await deciding({ ...cut, pastReturn: true });
  expect(acts[0]?.order.reason).toBe('the automatic run 20270115T080000Z-failover-0000 was cut off');
  expect((await deciding({ ...cut, pastReturn: true, cutOffBy: 'asha@laptop' })).acts).toEqual([]);
  const before = await deciding(cut);
  expect(before.acts).toEqual([]);
  expect(before.decisions.map((d) => d.reasons.map((r) => r.code))).toEqual([['RunCutOff']]);
});

test('its own run that is under way is neither begun twice nor taken for cut off', async () => {
  const { acts, decisions } = await deciding({ goesOn: true, seconds: 60 });
  expect(acts).toHaveLength(1);
  expect(decisions.map((d) => d.sentence).join()).not.toMatch(/cut off/);
});
