import { expect, test } from 'vitest';
import { samplesService } from '../../../daemon/samples.ts';
import type { DaemonView } from '../../../daemon/service.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { drillState } from '../../../state/drills.ts';
import { openJournal, runId } from '../../../state/journal.ts';
import { readSlot, samplesBetween, samplesOfRun, slotOf } from '../../../state/samples.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const minute = 60_000;

function daemon(state = memoryObjectStore('state'), clock = virtualClock()) {
  const stop = new AbortController();
  const now = { leads: true, lagMs: 400 as number | undefined };
  const view = {
    leads: () => now.leads,
    mirror: () => ({
      atMs: clock.now(),
      source: { reachable: now.lagMs !== undefined },
      topics: {
        events: { lagRecords: now.lagMs === undefined ? undefined : 12, lagMs: now.lagMs },
        audit: { lagRecords: 3, lagMs: 100 },
      },
    }),
    syncs: () => new Map([['counts', { status: () => ({ newest: { completedAtMs: clock.now() - 7_000 } }) }]]),
  } as unknown as DaemonView;
  const make = samplesService({ state, clock, log: quietLog(), everyMs: 5_000, keepMs: 60 * minute });
  const running = make(view).run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { state, clock, now, end };
}

test('notes the worst lag, the records of all topics and checkpoint ages; what nobody can tell is absent', async () => {
  const d = daemon();
  await d.clock.sleep(2 * minute);
  d.now.lagMs = undefined;
  await d.clock.sleep(2 * minute);
  await d.end();
  const noted = await samplesBetween(d.state, d.clock.now() - 10 * minute, d.clock.now());
  expect(noted.length).toBeGreaterThan(40);
  expect(noted[0]).toEqual({
    ...{ atMs: noted[0]?.atMs, primarySeen: true, lagRecords: 15, lagMs: 400 },
    checkpointAgeMs: { counts: 7_000 },
  });
  expect(noted.at(-1)).toEqual({
    ...{ atMs: noted.at(-1)?.atMs, primarySeen: false },
    checkpointAgeMs: { counts: 7_000 },
  });
});

test('a daemon that is started anew goes on with the same ten minutes', async () => {
  const first = daemon();
  await first.clock.sleep(minute);
  await first.end();
  const before = (await readSlot(first.state, slotOf(first.clock.now()))).length;
  const second = daemon(first.state, first.clock);
  await second.clock.sleep(minute);
  await second.end();
  expect((await readSlot(first.state, slotOf(first.clock.now()))).length).toBeGreaterThan(before + 10);
});

test('one that does not lead writes nothing', async () => {
  const d = daemon();
  d.now.leads = false;
  await d.clock.sleep(20 * minute);
  await d.end();
  expect((await d.state.list('samples/')).objects.length).toBeLessThanOrEqual(1);
});

test('what lies around a run stays with it, for drills too, and old slots are forgotten', async () => {
  const d = daemon();
  await d.clock.sleep(15 * minute);
  const runs = await Promise.all(
    [d.state, drillState(d.state)].map(async (store, i) => {
      const runbook = i === 0 ? 'switchover' : 'drill';
      const run = runId(d.clock.now(), runbook, 'ab12');
      const journal = openJournal(store, { run, epoch: 1 }, d.clock);
      await journal.append({ kind: 'run-started', runbook, by: 'ann', details: {} });
      await journal.append({ kind: 'run-finished', outcome: 'done' });
      return { run, atMs: d.clock.now() };
    }),
  );
  await d.clock.sleep(100 * minute);
  await d.end();
  for (const { run, atMs } of runs) {
    const kept = (await samplesOfRun(d.state, run)) ?? [];
    expect(kept.length).toBeGreaterThan(200);
    expect([
      Math.min(...kept.map((s) => s.atMs)) < atMs - 9 * minute,
      (kept.at(-1)?.atMs ?? 0) > atMs + 9 * minute,
    ]).toEqual([true, true]);
  }
  expect((await d.state.list('samples/slots/')).objects.length).toBeLessThanOrEqual(8);
});

test('what lies around a run that was cut off stays with it, also where samples are kept for an hour', async () => {
  const d = daemon();
  await d.clock.sleep(15 * minute);
  const run = runId(d.clock.now(), 'failover', 'ab12');
  const journal = openJournal(d.state, { run, epoch: 1 }, d.clock);
  await journal.append({ kind: 'run-started', runbook: 'failover', by: 'ann', details: {} });
  await d.clock.sleep(20 * minute);
  expect(await samplesOfRun(d.state, run)).toBeUndefined();
  await d.clock.sleep(80 * minute);
  await d.end();
  expect((await samplesOfRun(d.state, run))?.length).toBeGreaterThan(200);
});

test('what is too old is forgotten also where a journal can’t be read', async () => {
  const state = memoryObjectStore('state');
  const list = state.list.bind(state);
  const broken = { ...state, list: async (prefix: string) => (prefix.startsWith('journal/') ? fail() : list(prefix)) };
  const d = daemon(broken as typeof state);
  const first = slotOf(d.clock.now());
  await d.clock.sleep(20 * minute);
  expect((await readSlot(state, first)).length).toBeGreaterThan(0);
  await d.clock.sleep(70 * minute);
  expect(await readSlot(state, first)).toEqual([]);
  await d.end();
});

function fail(): never {
  throw new Error('the state is slow');
}
