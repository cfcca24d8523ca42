import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { eventHub } from '../../daemon/events.ts';
import type { DaemonView } from '../../daemon/service.ts';
import { newBoard } from '../../daemon/web/board.ts';
import { collector } from '../../daemon/web/collect.ts';
import { followRuns } from '../../daemon/web/follow-runs.ts';
import { pageRoutes } from '../../daemon/web/page-routes.ts';
import { assembleStatus } from '../../health/status.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { openJournal, runId } from '../../state/journal.ts';
import { facts } from '../unit/health/status-sample.ts';
import { config } from '../unit/runbooks/failover/world.ts';

setFlagsFromString('--expose_gc');
const collectGarbage: () => void = runInNewContext('gc');
const heapMiB = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1024 / 1024;
};

const hourMs = 3_600_000;
const topics = Array.from({ length: 200 }, (_, i) => `topic-${i}`);

/** A day that passes as fast as it can: whoever sleeps is woken at his time, and nobody before. */
function fastClock() {
  let now = Date.UTC(2026, 10, 21);
  const sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: (ms: number, signal?: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const gone = () => reject(signal?.reason);
          signal?.addEventListener('abort', gone, { once: true });
          const wake = () => {
            // A day of listeners on one signal would be what is measured.
            signal?.removeEventListener('abort', gone);
            resolve();
          };
          sleepers.push({ at: now + ms, wake });
        }),
    },
    /** Wakes all who are due until then, in order. */
    async pass(ms: number): Promise<void> {
      for (const until = now + ms; ; ) {
        sleepers.sort((a, b) => a.at - b.at);
        const next = sleepers[0];
        if (next === undefined || next.at > until) {
          now = until;
          return;
        }
        sleepers.shift();
        now = Math.max(now, next.at);
        next.wake();
        // What he does then is done before the next one is woken.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

test('a day of looks, lags, runs and a reader leaves memory as it was after two hours', async () => {
  const { clock, pass } = fastClock();
  const state = memoryObjectStore('state');
  const board = newBoard(clock.monotonic);
  const events = eventHub();
  const sources = { config, regions: [], names: { records: {} as never, resolvers: [] }, state, clock };
  const look = async () => ({ ...assembleStatus(facts()), atMs: clock.now() });
  const mirror = () => ({
    atMs: clock.now(),
    topics: Object.fromEntries(topics.map((t, i) => [t, { lagMs: (clock.now() / 1_000 + i) % 977 }])),
  });
  const view = { mirror, events } as unknown as DaemonView;
  const page = pageRoutes({ board, clock, objectiveRpoMs: 60_000 });
  const shown = page.routes.find((r) => r.path === '/');
  const stop = new AbortController();
  const services = [
    collector({ board, sources, look }).service(view),
    followRuns({ board, state, clock }),
    ...page.services.map((make) => make(events)),
  ];
  const ended = services.map((s) => s.run(stop.signal).catch(() => undefined));
  const asked = { params: {}, query: {}, body: undefined, etag: undefined, signal: stop.signal };

  async function hour(n: number): Promise<void> {
    const run = runId(clock.now(), 'failover', n.toString(16).padStart(4, '0'));
    const journal = openJournal(state, { run, epoch: n + 1 }, clock);
    await journal.append({
      kind: 'run-started',
      runbook: 'failover',
      by: 'ops',
      details: { steps: [{ id: 'a', title: 'A' }] },
    });
    await pass(60_000);
    await journal.append({ kind: 'step-started', step: 'a' });
    await journal.append({ kind: 'run-finished', outcome: 'done' });
    for (let minute = 1; minute < 60; minute++) {
      await pass(hourMs / 60);
      await shown?.handle(asked);
    }
    // Only the newest are in the state, as after a while somewhere else.
    for (const { key } of (await state.list('journal/')).objects) if (!key.includes(run)) await state.delete(key);
  }
  const sizes: number[] = [];
  for (let n = 0; n < 24; n++) {
    await hour(n);
    sizes.push(Math.round(heapMiB()));
  }
  console.log({ sizes });
  expect(board.facts().lag.length).toBeLessThanOrEqual(50);
  expect(board.facts().lag[0]?.points.length).toBeLessThanOrEqual(240);
  expect(Math.max(...sizes.slice(-4))).toBeLessThanOrEqual((sizes[1] as number) + 10);
  stop.abort();
  await pass(1);
  await Promise.all(ended);
});
