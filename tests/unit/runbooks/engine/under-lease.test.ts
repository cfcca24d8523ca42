import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import type { Step } from '../../../../runbooks/engine/step.ts';
import { stopRun } from '../../../../runbooks/engine/take-back.ts';
import { type LeasedRun, runUnderLease } from '../../../../runbooks/engine/under-lease.ts';
import { readRun } from '../../../../state/journal.ts';
import { acquireLease, leaseMark, readLease } from '../../../../state/lease.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { askToStop } from '../../../../state/stop-requests.ts';
import { type VirtualClock, virtualClock } from '../../state/virtual-clock.ts';

const runName = (n: number) => `20261121T10300${n}Z-failover-000${n}`;

/** A step that lasts; what it has done can be taken back. */
function lasting(id: string, ms: number, log: string[], over: Partial<Step<null, object>> = {}): Step<null, object> {
  return {
    id,
    title: `make ${id}`,
    timeoutMs: 600_000,
    onFailure: { kind: 'stop', hint: 'mend it' },
    manual: [],
    observe: async () => ({ kind: 'todo' }),
    async act(_c, _f, io) {
      log.push(id);
      await io.clock.sleep(ms, io.signal);
    },
    verify: async () => ({ kind: 'done', evidence: id }),
    async compensate() {
      log.push(`not ${id}`);
      return id;
    },
    ...over,
  };
}

function start(store: ObjectStore, clock: VirtualClock, n: number, over: Partial<LeasedRun<null, object>> = {}) {
  return runUnderLease({
    state: store,
    clock,
    run: runName(n),
    runbook: 'failover',
    holder: `op${n}@here`,
    by: `op${n}@here`,
    details: null,
    resumeHint: 'again',
    steps: [],
    context: () => null,
    ...over,
  });
}

describe('a run under the lease', () => {
  test('is shown to another who starts, with its step, and not disturbed', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const log: string[] = [];
    const first = start(store, clock, 1, { steps: [lasting('a', 60_000, log)] });
    await clock.sleep(1_000);
    await expect(start(store, clock, 2, { steps: [lasting('b', 1, log)] })).rejects.toMatchObject({
      code: 'LeaseHeld',
      exitCode: 3,
      message: `op1@here is at work: failover ${runName(1)}, since 2027-01-15T08:00:00.000Z, at a`,
      hint: expect.stringContaining(`argus runs abort ${runName(1)}`),
    });
    expect(await first).toMatchObject({ outcome: 'done' });
    expect(log).toEqual(['a']);
    expect(await readRun(store, runName(2)), 'the other wrote nothing').toEqual([]);
    expect(await readLease(store)).toMatchObject({ released: true });
  });

  test('that stops when asked from elsewhere takes back what it did, and says who asked', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const log: string[] = [];
    const running = start(store, clock, 1, { steps: [lasting('a', 1, log), lasting('b', 60_000, log)] });
    await clock.sleep(5_000);
    await askToStop(store, runName(1), { by: 'lead@there', atMs: clock.now(), reason: 'false alarm' });
    await askToStop(store, runName(1), { by: 'late@there', atMs: clock.now() });
    expect(await running).toMatchObject({ outcome: 'interrupted', compensated: ['b', 'a'] });
    expect(log).toEqual(['a', 'b', 'not b', 'not a']);
    expect(clock.monotonic(), 'at once, not at the end of the step').toBeLessThan(15_000);
    expect(foldRun(await readRun(store, runName(1)))).toMatchObject({ status: 'interrupted', stoppedBy: 'lead@there' });
  });

  test('that is asked to stop past the point of no return goes on to its end', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const log: string[] = [];
    const steps = [lasting('a', 1, log), lasting('b', 60_000, log, { pointOfNoReturn: true })];
    const running = start(store, clock, 1, { steps });
    await clock.sleep(5_000);
    await askToStop(store, runName(1), { by: 'lead@there', atMs: clock.now() });
    expect(await running).toMatchObject({ outcome: 'done', pastReturn: true });
    expect(foldRun(await readRun(store, runName(1)))).toMatchObject({ pastReturn: true });
  });

  test('that is asked to stop while it notes the point of no return was not aborted: it is to be gone on with', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const slow: ObjectStore = {
      ...store,
      async put(key, body, options) {
        const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : '';
        if (text.includes('step-started') && text.includes('pastReturn')) await clock.sleep(5_000);
        return store.put(key, body, options);
      },
    };
    const log: string[] = [];
    const running = start(slow, clock, 1, { steps: [lasting('a', 1_000, log, { pointOfNoReturn: true })] });
    await clock.sleep(1);
    const asking = stopRun(store, runName(1), { by: 'lead@there', atMs: 1 }, clock).catch((error: unknown) => error);
    expect(await running).toMatchObject({ outcome: 'interrupted', pastReturn: true, compensated: [] });
    expect(foldRun(await readRun(store, runName(1)))).toMatchObject({ stoppedBy: 'lead@there', pastReturn: true });
    const over = { code: 'RunOver', exitCode: 3, hint: expect.stringContaining('`argus failover` goes on with it') };
    expect(await asking).toMatchObject(over);
  });

  test('that takes dead ones back looks at a region in the dark for a short while only, and not once it is stopped', async () => {
    const back = async (signal?: AbortSignal, clock = virtualClock()) => {
      const log: string[] = [];
      const dark: Step<null, object>['observe'] = async () => {
        await clock.sleep(500);
        throw new ArgusError('KafkaUnreachable', 'connect timed out', { retryable: true });
      };
      const steps = ['a', 'b', 'c'].map((id) => lasting(id, 1, log, { observe: dark }));
      const over = { steps, takeBack: ['a', 'b', 'c'], ...(signal && { signal }) };
      const result = await start(memoryObjectStore('s'), clock, 1, over);
      expect(result).toMatchObject({ outcome: 'interrupted', compensated: ['c', 'b', 'a'] });
      expect(log).toEqual(['not c', 'not b', 'not a']);
      return clock.monotonic();
    };
    expect(await back()).toBeLessThan(40_000);
    const clock = virtualClock();
    const stop = new AbortController();
    void clock.sleep(2_000).then(() => stop.abort());
    expect(await back(stop.signal, clock)).toBeLessThan(5_000);
  });

  test('that was planned before somebody else acted is refused, and gives the lease back', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    await start(store, clock, 1, { plannedAtLease: 'none' });
    await expect(start(store, clock, 2, { plannedAtLease: 'none' })).rejects.toMatchObject({
      code: 'AnotherActed',
      exitCode: 3,
    });
    expect(await readLease(store)).toMatchObject({ released: true, epoch: 2 });
    expect(await start(store, clock, 3, { plannedAtLease: await leaseMark(store) })).toMatchObject({ outcome: 'done' });
  });

  test('that was planned while somebody else was at work is refused once he has ended', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const log: string[] = [];
    const first = start(store, clock, 1, { steps: [lasting('a', 5_000, log)] });
    await clock.sleep(1_000);
    const plannedAtLease = await leaseMark(store);
    expect(await first).toMatchObject({ outcome: 'done' });
    const second = start(store, clock, 2, { plannedAtLease, steps: [lasting('b', 1, log)] });
    await expect(second).rejects.toMatchObject({ code: 'AnotherActed', exitCode: 3 });
    expect(log).toEqual(['a']);
  });

  test('that was planned while a dead run held the lease goes on from there', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const dead = { holder: 'op1@here', purpose: 'failover', run: runName(1), ttlMs: 10_000, waitMs: 0 };
    await acquireLease(store, dead, clock);
    const plannedAtLease = await leaseMark(store);
    expect(await start(store, clock, 2, { plannedAtLease })).toMatchObject({ outcome: 'done', epoch: 2 });
  });

  test('takes a dead run`s over after its time to live and what may be under way, not before', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const log: string[] = [];
    const dead = { holder: 'op1@here', purpose: 'failover', run: runName(1), ttlMs: 10_000, waitMs: 0 };
    expect(await acquireLease(store, dead, clock)).toMatchObject({ kind: 'acquired' });
    const from = clock.monotonic();
    expect(await start(store, clock, 2, { steps: [lasting('b', 1, log)] })).toMatchObject({
      outcome: 'done',
      epoch: 2,
    });
    expect(clock.monotonic() - from).toBeGreaterThanOrEqual(15_000);
    expect(clock.monotonic() - from).toBeLessThan(20_000);
  });

  describe('takes over a run that died on its own system', () => {
    const mine = { system: 'here', pid: 7, started: '70' };
    /** A dead run's lease, and how long another one waits for it. */
    const waits = async (isGone: (atMs: number) => boolean, holder: typeof mine | null = mine) => {
      const store = memoryObjectStore('s');
      const clock = virtualClock();
      const dead = { holder: 'op1@here', purpose: 'failover', run: runName(1), ttlMs: 10_000, waitMs: 0 };
      await acquireLease(store, { ...dead, ...(holder && { process: holder }) }, clock);
      const asked: number[] = [];
      const processes = {
        own: () => ({ ...mine, pid: 8 }),
        isGone: ({ pid }: typeof mine) => {
          asked.push(pid);
          return isGone(clock.monotonic());
        },
      };
      expect(await start(store, clock, 2, { processes })).toMatchObject({ outcome: 'done', epoch: 2 });
      expect(await readLease(store)).toMatchObject({ process: { pid: 8 } });
      expect(asked.every((pid) => pid === 7)).toBe(true);
      return clock.monotonic();
    };

    test('after what may be under way, not before', async () => {
      const ms = await waits(() => true);
      expect(ms).toBeGreaterThanOrEqual(5_000);
      expect(ms).toBeLessThan(6_000);
    });

    test('counted from when it was seen to be dead, however long its lease was silent by then', async () => {
      const ms = await waits((atMs) => atMs >= 6_000);
      expect(ms).toBeGreaterThanOrEqual(11_000);
      expect(ms).toBeLessThan(12_000);
    });

    test('and waits for the lease where nobody can tell, or it lives', async () => {
      expect(await waits(() => false)).toBeGreaterThanOrEqual(15_000);
      expect(await waits(() => true, null)).toBeGreaterThanOrEqual(15_000);
    });

    test('but leaves the lease to whoever renews it, even if his process seems to be gone', async () => {
      const store = memoryObjectStore('s');
      const clock = virtualClock();
      const processes = { own: () => mine, isGone: () => true };
      const first = start(store, clock, 1, { processes, steps: [lasting('a', 30_000, [])] });
      await clock.sleep(1_000);
      await expect(start(store, clock, 2, { processes })).rejects.toMatchObject({ code: 'LeaseHeld' });
      expect(await first).toMatchObject({ outcome: 'done' });
    });
  });

  test('has its act ended the moment the lease ends, though the renewal hangs', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    let cut = false;
    const hanging: ObjectStore = {
      ...store,
      put: (key, body, options) => (cut ? new Promise(() => undefined) : store.put(key, body, options)),
    };
    let endedAt = Number.NaN;
    const a = lasting('a', 0, [], {
      async act(_c, _f, io) {
        cut = true;
        await io.clock.sleep(60_000, io.signal).catch(() => undefined);
        endedAt = clock.monotonic();
      },
    });
    void start(hanging, clock, 1, { steps: [a] });
    await clock.sleep(30_000);
    expect(endedAt).toBeGreaterThan(8_000);
    expect(endedAt).toBeLessThanOrEqual(10_000);
  });

  test('makes nothing more after its machine was suspended, though the monotonic clock stood still', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    let suspendedMs = 0;
    const log: string[] = [];
    const a = lasting('a', 0, log, {
      async act(_c, _f, io) {
        suspendedMs = 3_600_000;
        io.check();
        log.push('late effect');
      },
    });
    const waking: VirtualClock = { ...clock, now: () => clock.now() + suspendedMs };
    expect(await start(store, waking, 1, { steps: [a] })).toMatchObject({ error: { code: 'LeaseLost' } });
    expect(log).toEqual([]);
  });
});
