import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../../../../domain/clock.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import type { Step } from '../../../../runbooks/engine/step.ts';
import { runUnderLease } from '../../../../runbooks/engine/under-lease.ts';
import { listRuns, readRun } from '../../../../state/journal.ts';
import { foldRun } from '../../../../state/run-record.ts';

const runName = (n: number) => `20261121T1030${n}Z-failover-00${n}`;

/** Time that goes on when the test says so: whoever is not scheduled meanwhile has slept. */
function steppedClock() {
  let elapsed = 0;
  const sleepers = new Set<{ readonly at: number; wake(): void }>();
  const clock: Clock = {
    now: () => 1_800_000_000_000 + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { at: elapsed + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
  };
  const advance = (ms: number) => {
    elapsed += ms;
    for (const sleeper of [...sleepers].filter((s) => s.at <= elapsed)) {
      sleepers.delete(sleeper);
      sleeper.wake();
    }
  };
  return { clock, advance };
}

interface Effect {
  readonly what: string;
  readonly epoch: number;
}

interface Context {
  readonly epoch: number;
  has(what: string): Promise<boolean>;
  make(what: string): Promise<void>;
}

function step(id: string): Step<Context, object> {
  const parts = [`${id}-1`, `${id}-2`];
  const missing = async (context: Context) => {
    for (const part of parts) if (!(await context.has(part))) return part;
    return undefined;
  };
  return {
    id,
    title: id,
    timeoutMs: 60_000,
    onFailure: { kind: 'stop', hint: 'mend it' },
    manual: [],
    async observe(context) {
      return (await missing(context)) === undefined ? { kind: 'done', evidence: id } : { kind: 'todo' };
    },
    async act(context, _facts, io) {
      for (const part of parts) {
        if (await context.has(part)) continue;
        io.check();
        await context.make(part);
      }
    },
    async verify(context) {
      const open = await missing(context);
      return open === undefined ? { kind: 'done', evidence: id } : { kind: 'pending', waitingFor: open };
    },
  };
}

test('no interleaving of two engines, however long either sleeps and wherever it dies, breaks an invariant', async () => {
  let tookOver = 0;
  let refused = 0;
  let ended = 0;
  let quick = 0;
  const advances = fc.array(fc.constantFrom(1, 1, 1, 10, 100, 600), { minLength: 120, maxLength: 200 });
  const pauses = fc.array(
    fc.record({ engine: fc.constantFrom(1, 2), from: fc.nat(45), turns: fc.integer({ min: 20, max: 60 }) }),
    { minLength: 1, maxLength: 3 },
  );
  const killings = fc.array(fc.record({ engine: fc.constantFrom(1, 2), at: fc.integer({ min: 5, max: 60 }) }), {
    maxLength: 2,
  });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), advances, pauses, killings, async (scheduler, times, sleeps, kills) => {
      const store = memoryObjectStore('s');
      const { clock, advance } = steppedClock();
      const effects: Effect[] = [];
      let highest = 0;
      const violations: string[] = [];

      let turn = 0;
      const woken: (() => void)[] = [];
      const isAsleep = (n: number) =>
        sleeps.some((s) => s.engine === n && turn >= s.from && turn < s.from + s.turns && turn < times.length);
      /** Processes by their ids: an engine that was killed begins again as another one. */
      const born = new Map<number, { readonly engine: number; readonly at: number }>();
      const isDead = (pid: number) => {
        const its = born.get(pid);
        return kills.some((k) => k.engine === its?.engine && k.at > its.at && turn >= k.at);
      };
      const death = async (pid: number) => {
        while (!isDead(pid)) await new Promise<void>((resolve) => woken.push(resolve));
        return 'dead' as const;
      };
      const awake = async (n: number, pid: number) => {
        while (isAsleep(n) || isDead(pid)) await new Promise<void>((resolve) => woken.push(resolve));
      };

      const start = (n: number, pid: number) => {
        born.set(pid, { engine: n, at: turn });
        // A request may be late, and so may its answer; between them the engine sleeps.
        const late =
          <A extends readonly unknown[], T>(name: string, call: (...args: A) => Promise<T>) =>
          async (...args: A): Promise<T> => {
            await awake(n, pid);
            await scheduler.schedule(Promise.resolve(), `${n} sends ${name}`);
            const answer = await call(...args);
            await scheduler.schedule(Promise.resolve(), `${n} gets ${name}`);
            await awake(n, pid);
            return answer;
          };
        const mine: ObjectStore = {
          ...store,
          get: late('get', store.get),
          list: late('list', store.list),
          put: late('put', store.put),
        };
        const context =
          (run: string) =>
          (epoch: number): Context => {
            highest = Math.max(highest, epoch);
            return {
              epoch,
              has: late('has', async (what) => effects.some((e) => e.what === what)),
              async make(what) {
                // The effect itself is instant: only its answer is late.
                if (epoch < highest) violations.push(`${what} by epoch ${epoch} after epoch ${highest} began`);
                if (effects.some((e) => e.what === what)) violations.push(`${what} twice`);
                const entries = await readRun(store, run);
                const last = entries.findLast(({ fact }) => 'step' in fact)?.fact;
                if (last?.kind !== 'step-started' || last.step !== what.slice(0, 1))
                  violations.push(`${what} undeclared`);
                effects.push({ what, epoch });
                await scheduler.schedule(Promise.resolve(), `${n} gets ${what}`);
                await awake(n, pid);
              },
            };
          };
        // Its timers sleep with it, and fire after what has come meanwhile was seen to.
        const own: Clock = {
          ...clock,
          async sleep(ms, signal) {
            await clock.sleep(ms, signal);
            if (!isAsleep(n) && !isDead(pid)) return;
            await awake(n, pid);
            await new Promise((resolve) => setImmediate(resolve));
          },
        };
        return runUnderLease({
          state: mine,
          clock: own,
          run: runName(pid),
          runbook: 'failover',
          holder: `op${n}`,
          processes: {
            own: () => ({ system: 'here', pid, started: '1' }),
            isGone: (other) => {
              if (isDead(other.pid)) quick++;
              return isDead(other.pid);
            },
          },
          by: `op${n}`,
          details: null,
          resumeHint: 'again',
          steps: ['a', 'b'].map(step),
          context: context(runName(pid)),
        });
      };

      const engine = async (n: number) => {
        // Whoever is refused, or lost his lease, tries again a little later; who was killed, at once.
        for (let again = 0; again < 7; again++) {
          const pid = n * 10 + again;
          const attempt = start(n, pid).then(
            (result) => result.outcome,
            (error) => (error.code === 'LeaseHeld' ? 'held' : Promise.reject(error)),
          );
          const outcome = await Promise.race([attempt, death(pid)]);
          if (outcome === 'done') return;
          if (outcome === 'dead') continue;
          if (outcome === 'held') refused++;
          await clock.sleep(2_000);
        }
      };

      const both = Promise.all([engine(1), engine(2)]);
      let over = false;
      const end = both.finally(() => {
        over = true;
      });
      const driver = (async () => {
        for (const ms of times) {
          await scheduler.schedule(Promise.resolve(), `${ms} ms go by`);
          // Most of the time goes by while somebody sleeps.
          advance(isAsleep(1) || isAsleep(2) ? ms * 10 : ms);
          turn++;
          for (const wake of woken.splice(0)) wake();
        }
      })();
      await scheduler.waitAll();
      await driver;
      // Then time goes on evenly until nobody is left.
      for (let i = 0; !over && i < 2_000; i++) {
        advance(250);
        await scheduler.waitAll();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await end;
      expect(violations).toEqual([]);
      const runs = await Promise.all((await listRuns(store)).map((run) => readRun(store, run)));
      if (runs.some((entries) => foldRun(entries)?.status === 'done')) {
        ended++;
        expect(effects.map((e) => e.what)).toEqual(['a-1', 'a-2', 'b-1', 'b-2']);
      }
      if (new Set(effects.map((e) => e.epoch)).size === 2) tookOver++;
    }),
    { numRuns: 500 },
  );
  expect(tookOver, 'runs of which both engines had effects').toBeGreaterThan(10);
  expect(refused, 'engines that were shown the other').toBeGreaterThan(10);
  expect(quick, 'looks that found the holder dead').toBeGreaterThan(10);
  expect(ended, 'runs that got to their end').toBeGreaterThan(250);
}, 120_000);
