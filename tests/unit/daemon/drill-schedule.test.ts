import { expect, test } from 'vitest';
import { runOfSlot } from '../../../daemon/drill-claims.ts';
import { type DrillOrder, type DrillOutcome, drillSchedule } from '../../../daemon/drill-schedule.ts';
import { type DaemonEvent, eventHub } from '../../../daemon/events.ts';
import type { DaemonView } from '../../../daemon/service.ts';
import { drillSchedule as scheduleConfig } from '../../../domain/drill-schedule-config.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { type DrillSlot, newestSlots, openSlot, readSlot, replaceSlot } from '../../../state/drill-slots.ts';
import { drillState } from '../../../state/drills.ts';
import { openJournal, runId } from '../../../state/journal.ts';
import { acquireLease } from '../../../state/lease.ts';
import { putReadiness } from '../../../state/readiness.ts';
import { writeRoles } from '../../../state/roles.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const at = (text: string) => Date.parse(text);
const firstSlot = 'isolated-20261201T090000Z';
const noTabletop = { kind: 'tabletop', enabled: false };
type Processes = Parameters<typeof drillSchedule>[0]['processes'];

/** A state, a clock, and daemons that come and go over them. */
async function world(beginsAt: string, entries: readonly object[] = [{ kind: 'isolated' }]) {
  const clock = virtualClock(at(beginsAt));
  const state = memoryObjectStore('state');
  const drills = drillState(state);
  const base = { atMs: clock.now(), by: 'ops@host' };
  await writeRoles(state, { epoch: 1, primary: 'blue', standby: 'green', replication: 'active', ...base });
  const runs: { readonly by: string; readonly at: string; readonly order: DrillOrder }[] = [];
  const events: DaemonEvent[] = [];
  const schedule = scheduleConfig.parse([...entries, noTabletop]);
  let random = 0;

  /** What a drill leaves in its journal. */
  async function carryOut(order: DrillOrder, { ends = true } = {}): Promise<void> {
    random += 1;
    const run = runId(clock.now(), 'drill', random.toString(16).padStart(4, '0'));
    const journal = openJournal(drills, { run, epoch: random }, clock);
    const { slotAtMs, late } = order.trigger;
    const details = { kind: order.kind, trigger: { kind: 'schedule', slotAtMs, late } };
    await journal.append({ kind: 'run-started', runbook: 'drill', by: 'x', details });
    if (ends) await journal.append({ kind: 'run-finished', outcome: 'done', report: { outcome: 'passed' } });
  }

  /** Begins a daemon; the function given ends it. */
  function daemon(
    name: string,
    parts: {
      readonly leads?: () => boolean;
      readonly drill?: (order: DrillOrder, signal: AbortSignal) => Promise<DrillOutcome>;
      readonly processes?: Processes;
      readonly clock?: typeof clock;
    } = {},
  ) {
    const stop = new AbortController();
    const hub = eventHub();
    hub.subscribe(({ event }) => events.push(event));
    const drill = async (order: DrillOrder, signal: AbortSignal): Promise<DrillOutcome> => {
      runs.push({ by: name, at: new Date(clock.now()).toISOString(), order });
      if (parts.drill) return parts.drill(order, signal);
      await carryOut(order);
      return { kind: 'ended', exitCode: 0 };
    };
    const { leads = () => true, processes } = parts;
    const view = { leads, events: hub } as unknown as DaemonView;
    const of = {
      schedule,
      observed: false,
      state,
      clock: parts.clock ?? clock,
      log: quietLog(),
      who: name,
      processes,
      drill,
    };
    const ended = drillSchedule(of)(view).run(stop.signal);
    return async () => {
      stop.abort();
      await ended;
    };
  }

  /** Lets time go on; readiness is told each minute meanwhile, as the daemon does. */
  async function until(text: string): Promise<void> {
    while (clock.now() < at(text)) {
      const word = { primary: 'blue', standby: 'green', status: 'green', sentence: '' } as const;
      await putReadiness(state, { ...word, blockers: [], warnings: [], atMs: clock.now() });
      await clock.sleep(Math.min(60_000, at(text) - clock.now()));
    }
  }

  const slots = async (): Promise<readonly DrillSlot[]> =>
    (await newestSlots(drills, 'isolated', 20)).map((s) => s.value);
  return { clock, state, drills, runs, events, daemon, until, carryOut, slots };
}

const gone = (isGone: () => boolean): Processes => ({
  own: () => ({ system: 's', pid: 1, started: '1' }),
  isGone,
});

test('a daemon that is started anew over the end of a month runs the drill exactly once', async () => {
  const { daemon, until, runs, slots } = await world('2026-11-30T23:50:00Z');
  for (const restart of [
    '2026-12-01T08:59:50Z',
    '2026-12-01T09:00:00Z',
    '2026-12-01T09:00:30Z',
    '2026-12-01T12:00:00Z',
  ]) {
    const stop = daemon('d');
    await until(restart);
    await stop();
  }
  expect(runs.map((r) => r.order.trigger)).toEqual([
    { kind: 'schedule', slotAtMs: at('2026-12-01T09:00:00Z'), late: false },
  ]);
  expect(runs[0]?.at).toMatch(/^2026-12-01T09:00:/);
  expect(await slots()).toMatchObject([{ slot: firstSlot, status: 'ended', end: { outcome: 'passed' } }]);
});

test('a drill that was missed is caught up once, whatever comes after', async () => {
  const { daemon, until, runs, clock } = await world('2026-11-30T23:00:00Z');
  const stop = daemon('before');
  await until('2026-12-01T01:00:00Z');
  await stop();
  clock.jump(3 * 86_400_000);
  for (const end of ['2026-12-04T02:00:00Z', '2026-12-04T03:00:00Z']) {
    const stopAgain = daemon('after');
    await until(end);
    await stopAgain();
  }
  expect(runs.map((r) => r.order.trigger)).toEqual([
    { kind: 'schedule', slotAtMs: at('2026-12-01T09:00:00Z'), late: true },
  ]);
});

test('during an incident it is put off, and begins when that is over', async () => {
  const { daemon, until, runs, slots, state, clock, events } = await world('2026-12-01T08:45:00Z');
  const held = await acquireLease(state, { holder: 'ops', purpose: 'failover', ttlMs: 3_600_000, waitMs: 0 }, clock);
  if (held.kind !== 'acquired') throw new Error('not acquired');
  const stop = daemon('d');
  await until('2026-12-01T09:30:00Z');
  expect(runs).toEqual([]);
  expect(await slots()).toMatchObject([{ status: 'open', putOff: { code: 'RunUnderWay' } }]);
  await held.lease.release();
  await until('2026-12-01T10:40:00Z');
  await stop();
  expect(runs).toHaveLength(1);
  expect(events).toEqual([]);
});

test('an incident that goes on leaves it out, with the reason, and tells so', async () => {
  const short = [{ kind: 'isolated', patience: '30m' }];
  const { daemon, until, runs, slots, state, events, clock } = await world('2026-12-01T08:50:00Z', short);
  const base = { atMs: clock.now(), by: 'ops@host', replication: 'suspended' } as const;
  await writeRoles(state, { epoch: 2, primary: 'green', standby: 'blue', ...base });
  const stop = daemon('d');
  await until('2026-12-01T09:31:00Z');
  await stop();
  expect(runs).toEqual([]);
  expect(await slots()).toMatchObject([{ status: 'skipped', skipped: { code: 'ReplicationSuspended' } }]);
  expect(events).toMatchObject([{ kind: 'drill-skipped', slot: firstSlot, code: 'ReplicationSuspended' }]);
});

test('of several daemons the one that leads runs it; one that takes over in the midst runs no second', async () => {
  const { daemon, until, runs, slots, carryOut } = await world('2026-12-01T08:45:00Z');
  let leader = 'a';
  const drill = async (order: DrillOrder, signal: AbortSignal): Promise<DrillOutcome> => {
    await carryOut(order, { ends: false });
    leader = 'b';
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    throw new Error('killed');
  };
  const stops = ['a', 'b'].map((name) =>
    daemon(name, { leads: () => leader === name, drill, processes: gone(() => true) }),
  );
  await until('2026-12-01T09:10:00Z');
  await Promise.all(stops.map((stop) => stop()));
  expect(runs.map((r) => r.by)).toEqual(['a']);
  expect(await slots()).toMatchObject([{ status: 'ended', end: { outcome: 'cut-off' } }]);
});

test('a claim whose daemon died before anything had begun is free again, and run once', async () => {
  const { daemon, until, runs, slots } = await world('2026-12-01T08:45:00Z');
  const dies = daemon('dies', {
    processes: gone(() => false),
    drill: (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  await until('2026-12-01T09:00:20Z');
  await dies();
  expect(await slots()).toMatchObject([{ status: 'claimed', claim: { by: 'dies' } }]);
  const elsewhere = daemon('elsewhere');
  await until('2026-12-01T09:05:00Z');
  // Nobody can tell whether it lives: it is given the time that it may have.
  expect(runs.map((r) => r.by)).toEqual(['dies']);
  await until('2026-12-01T09:12:00Z');
  await elsewhere();
  expect(runs.map((r) => r.by)).toEqual(['dies', 'elsewhere']);
  expect(await slots()).toMatchObject([{ status: 'ended', claim: { by: 'elsewhere' } }]);
});

test('a drill that finds another at work is put off; one that is refused is over, and told', async () => {
  const { daemon, until, runs, slots, events } = await world('2026-12-01T08:45:00Z');
  const answers: DrillOutcome[] = [
    { kind: 'refused', code: 'LeaseHeld', message: 'ops is at work' },
    { kind: 'refused', code: 'KafkaUnreachable', message: 'no answer', passing: true },
    { kind: 'refused', code: 'NotReady', message: 'readiness is yellow' },
    { kind: 'refused', code: 'FaultLeft', message: 'not healed: broker-down' },
    { kind: 'refused', code: 'NoDrillJobs', message: 'no job takes part' },
  ];
  const stop = daemon('d', { drill: async () => answers.shift() ?? { kind: 'ended', exitCode: 0 } });
  await until('2026-12-01T10:00:00Z');
  await stop();
  expect(runs).toHaveLength(5);
  expect(Date.parse(runs[4]?.at ?? '') - Date.parse(runs[0]?.at ?? '')).toBeGreaterThanOrEqual(240_000);
  expect(await slots()).toMatchObject([{ status: 'ended', end: { outcome: 'refused', code: 'NoDrillJobs' } }]);
  expect(events).toMatchObject([{ kind: 'drill-skipped', code: 'NoDrillJobs' }]);
});

test('a switchover is announced, waits for a word, and says who gave it', async () => {
  const entries = [{ kind: 'switchover', cron: '0 10 * * 2', stay: '5m', announce: '1h' }];
  const { daemon, until, runs, events, drills, clock } = await world('2026-12-01T08:30:00Z', entries);
  const stop = daemon('d');
  const name = 'switchover-20261201T100000Z';
  await until('2026-12-01T10:10:00Z');
  expect(events).toMatchObject([{ kind: 'drill-announced', slot: name, command: `argus drill approve ${name}` }]);
  expect(runs).toEqual([]);
  const read = await readSlot(drills, name);
  if (read === undefined) throw new Error('no slot');
  await replaceSlot(drills, read, { ...read.value, approval: { atMs: clock.now(), by: 'asha@host' } });
  await until('2026-12-01T10:12:00Z');
  await stop();
  expect(runs).toMatchObject([{ order: { kind: 'switchover', stayMs: 300_000 } }]);
  expect(runs[0]?.order.reason).toMatch(/approved by asha@host/);
});

test('the run of a slot is found behind many others', async () => {
  const { drills, carryOut, clock } = await world('2026-12-01T09:00:00Z');
  const slot = { kind: 'isolated', dueAtMs: clock.now(), seenAtMs: clock.now() } as const;
  const trigger = { kind: 'schedule', slotAtMs: clock.now(), late: false } as const;
  await carryOut({ kind: 'isolated', trigger, reason: '' });
  for (let n = 0; n < 45; n++) {
    await clock.sleep(30_000);
    await carryOut({ kind: 'tabletop', trigger: { ...trigger, slotAtMs: 0 }, reason: '' });
  }
  const call = { signal: new AbortController().signal };
  let [now, most, whole] = [0, 0, new Set<string>()];
  const get: typeof drills.get = async (key, ...rest) => {
    most = Math.max(most, ++now);
    const [, run = '', seq = ''] = /([^/]+-drill-[^/]+)\/0*(\d+)/.exec(key) ?? [];
    if (seq !== '1') whole.add(run);
    return drills.get(key, ...rest).finally(() => now--);
  };
  const counted = { ...drills, get };
  expect(await runOfSlot(counted, slot, call)).toMatchObject({ run: '20261201T090000Z-drill-0001' });
  // Of others the beginnings alone, many at once.
  expect([...whole]).toEqual(['20261201T090000Z-drill-0001']);
  expect(most).toBe(20);
  // What was begun long before is none of its.
  expect(await runOfSlot(drills, { ...slot, seenAtMs: clock.now() + 2 * 3_600_000 }, call)).toBeUndefined();
});

test('what waits by a line that is gone is left out, and told', async () => {
  const { daemon, until, runs, slots, drills, events, clock } = await world('2026-12-02T08:45:00Z');
  const opening = { seenAtMs: clock.now(), opensAtMs: clock.now(), closesAtMs: clock.now() + 3_600_000 };
  const slot = { kind: 'isolated', dueAtMs: clock.now(), ...opening, late: false, needsApproval: false } as const;
  await openSlot(drills, { slot: 'isolated-20261202T084500Z', ...slot, status: 'open' });
  await openSlot(drills, { ...slot, slot: 'switchover-20261202T084500Z', kind: 'switchover', status: 'open' });
  const stop = daemon('d');
  await until('2026-12-02T08:50:00Z');
  await stop();
  expect(runs).toEqual([]);
  expect(await slots()).toMatchObject([{ status: 'skipped', skipped: { code: 'NotScheduled' } }]);
  expect(events.map((e) => e.kind === 'drill-skipped' && e.slot)).toEqual([
    'isolated-20261202T084500Z',
    'switchover-20261202T084500Z',
  ]);
});

test('an idle daemon asks nothing of the state', async () => {
  const { daemon, until, state } = await world('2026-11-20T08:00:00Z');
  const stop = daemon('d');
  await until('2026-11-20T08:05:00Z');
  let asked = 0;
  for (const call of ['get', 'list', 'put'] as const) {
    const real = state[call].bind(state) as (...args: unknown[]) => unknown;
    Object.assign(state, {
      [call](...args: unknown[]) {
        if (!String(args[0]).startsWith('readiness')) asked += 1;
        return real(...args);
      },
    });
  }
  await until('2026-11-20T09:05:00Z');
  await stop();
  expect(asked).toBe(0);
});

test('what is not healed until the time is over leaves a drill out, with that reason', async () => {
  const { daemon, until, slots, events } = await world('2026-12-01T08:45:00Z', [{ kind: 'isolated', patience: '30m' }]);
  const left: DrillOutcome = { kind: 'refused', code: 'FaultLeft', message: 'not healed: broker-down' };
  const stop = daemon('d', { drill: async () => left });
  await until('2026-12-01T09:20:00Z');
  expect(await slots()).toMatchObject([{ status: 'open', putOff: { code: 'FaultLeft', message: left.message } }]);
  await until('2026-12-01T09:40:00Z');
  await stop();
  expect(await slots()).toMatchObject([{ status: 'skipped', skipped: { code: 'FaultLeft', message: left.message } }]);
  expect(events).toMatchObject([{ kind: 'drill-skipped', code: 'FaultLeft' }]);
});
