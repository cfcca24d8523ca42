import { expect, test } from 'vitest';
import { readinessService } from '../../../daemon/readiness.ts';
import type { DaemonView } from '../../../daemon/service.ts';
import { collectStatus } from '../../../health/collect-status.ts';
import type { StandingFacts } from '../../../health/metrics/standing-series.ts';
import { dayOf } from '../../../health/readiness-history.ts';
import { assembleStatus } from '../../../health/status.ts';
import { putReadinessDay, type Readiness, readReadiness, readReadinessDay } from '../../../state/readiness.ts';
import { newWorld } from '../runbooks/failover/world.ts';
import { quietLog } from './quiet-log.ts';

function running(leads: () => boolean, { everyMs = 30, epoch = (): number => 1 } = {}) {
  const { context } = newWorld();
  const { primary, standby, ...rest } = context;
  const flink = { ...primary.flink, slots: async () => ({ free: 2, total: 4 }) };
  const from = { ...rest, regions: [{ ...primary, flink }, standby] };
  const words: Readiness[] = [];
  let scraped = (): StandingFacts => ({});
  const view = {
    ...{ leads, roles: () => ({ epoch: epoch() }), syncs: () => new Map(), heartbeatLagMs: () => 500 },
  } as unknown as DaemonView;
  const stop = new AbortController();
  const metrics = {
    also(source: () => StandingFacts) {
      scraped = source;
      return () => undefined;
    },
  };
  const times = { periodMs: everyMs, againMs: everyMs };
  const service = readinessService({
    ...from,
    ...times,
    log: quietLog(),
    metrics,
    onJudged: (r) => void words.push(r),
  });
  return { from, words, scraped: () => scraped(), stop, begin: () => service(view).run(stop.signal) };
}

test('the daemon that leads keeps its newest word and the history, and puts old days together', async () => {
  const { from, words, scraped, stop, begin } = running(() => true);
  const nowMs = from.clock.now();
  const oldAtMs = nowMs - 5 * 86_400_000;
  const old = dayOf(oldAtMs);
  const moments = [0, 60_000].map((ms) => ({
    atMs: oldAtMs - (oldAtMs % 3_600_000) + ms,
    status: 'red' as const,
    blockers: ['X'],
  }));
  await putReadinessDay(from.state, { day: old, by: 'minute', moments });
  const ended = begin();
  await expect.poll(() => words.length, { timeout: 15_000 }).toBeGreaterThan(1);
  stop.abort();
  await ended;
  const kept = await readReadiness(from.state);
  const view = assembleStatus(await collectStatus(from));
  expect(kept?.status).toBe(view.blockers.length > 0 ? 'red' : kept?.status);
  expect(kept?.sentence).toMatch(/^if mumbai failed now: RTO not measured yet, /);
  const today = await readReadinessDay(from.state, dayOf(kept?.atMs ?? 0));
  expect(today?.moments.at(-1)).toMatchObject({ status: kept?.status });
  expect(await readReadinessDay(from.state, old)).toMatchObject({
    by: 'hour',
    moments: [{ status: 'red', blockers: ['X'] }],
  });
  expect(scraped().readiness).toMatchObject({ ready: kept?.status !== 'red', blockers: kept?.blockers.length });
  // And the next status tells it.
  expect(view.readiness).toMatchObject({ status: kept?.status });
});

test('another daemon works it out for its own page, and keeps nothing', async () => {
  const { from, words, stop, begin } = running(() => false);
  const ended = begin();
  await expect.poll(() => words.length, { timeout: 15_000 }).toBeGreaterThan(0);
  stop.abort();
  await ended;
  expect(await readReadiness(from.state)).toBeUndefined();
});

test('a change of roles is judged at once', async () => {
  const epoch = (): number => (words.length > 0 ? 2 : 1);
  const { words, stop, begin } = running(() => false, { everyMs: 60_000, epoch });
  const ended = begin();
  await expect.poll(() => words.length, { timeout: 15_000 }).toBeGreaterThan(2);
  stop.abort();
  await ended;
  const [first, second, third] = words.map((w) => w.atMs) as [number, number, number];
  expect(second - first).toBeLessThan(15_000);
  expect(third - second).toBeGreaterThanOrEqual(60_000);
});

test('a daemon that leads again goes on with the history that another kept meanwhile', async () => {
  let leads = true;
  const { from, words, stop, begin } = running(() => leads);
  const ended = begin();
  const more = async (n: number) => {
    const before = words.length;
    await expect.poll(() => words.length, { timeout: 15_000 }).toBeGreaterThan(before + n);
  };
  await more(1);
  leads = false;
  await more(1);
  const today = dayOf(from.clock.now());
  const others = { atMs: from.clock.now() - 120_000, status: 'red' as const, blockers: ['SeenByAnother'] };
  await putReadinessDay(from.state, { day: today, by: 'minute', moments: [others] });
  leads = true;
  await more(1);
  stop.abort();
  await ended;
  const kept = await readReadinessDay(from.state, today);
  expect(kept?.moments).toContainEqual(others);
  expect(kept?.moments.length).toBeGreaterThan(1);
});
