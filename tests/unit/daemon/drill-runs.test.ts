import { expect, test } from 'vitest';
import { type DrillNews, watchDrills } from '../../../daemon/drill-runs.ts';
import { type DaemonEvent, eventHub } from '../../../daemon/events.ts';
import { messagesOf } from '../../../daemon/notify/message.ts';
import type { DaemonView } from '../../../daemon/service.ts';
import { renderPage } from '../../../daemon/web/page.ts';
import { drillSchedule } from '../../../domain/drill-schedule-config.ts';
import { createMetrics } from '../../../health/metrics.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { openSlot } from '../../../state/drill-slots.ts';
import { drillState } from '../../../state/drills.ts';
import { openJournal } from '../../../state/journal.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const begin = Date.parse('2026-12-01T09:00:00Z');

async function watching() {
  const clock = virtualClock(begin);
  const state = memoryObjectStore('state');
  const drills = drillState(state);
  const metrics = createMetrics();
  const schedule = drillSchedule.parse([{ kind: 'isolated' }]);
  const events: DaemonEvent[] = [];
  const hub = eventHub();
  hub.subscribe(({ event }) => events.push(event));
  let news: DrillNews = {};
  const onNews = (now: DrillNews) => {
    news = now;
  };
  const make = watchDrills({ schedule, state, clock, log: quietLog(), metrics, onNews });
  const stop = new AbortController();
  let random = 0;
  return {
    clock,
    state,
    drills,
    events,
    news: () => news,
    async drilled(kind: string, outcome: 'passed' | 'failed', more: object = {}) {
      random += 1;
      const run = `20261201T09000${random}Z-drill-000${random}`;
      const journal = openJournal(drills, { run, epoch: random }, clock);
      await journal.append({ kind: 'run-started', runbook: 'drill', by: 'asha', details: { kind } });
      await clock.sleep(60_000);
      const report = { kind, outcome, verdict: `it ${outcome}`, ...more };
      await journal.append({ kind: 'run-finished', outcome: outcome === 'passed' ? 'done' : 'failed', report });
    },
    start: () => void make({ events: hub } as unknown as DaemonView).run(stop.signal),
    stop: () => stop.abort(),
    async scraped() {
      const { body } = await metrics.render({ topics: {}, checkpoints: {} } as never);
      return body.split('\n').filter((line) => line.startsWith('argus_drill_'));
    },
  };
}

test('a drill by switchover that stays for two days is seen to end', async () => {
  const { drills, events, clock, start, stop } = await watching();
  const journal = openJournal(drills, { run: '20261201T090000Z-drill-0001', epoch: 1 }, clock);
  const details = { kind: 'switchover', stayMs: 48 * 3_600_000 };
  await journal.append({ kind: 'run-started', runbook: 'drill', by: 'asha', details });
  start();
  await clock.sleep(60_000);
  clock.jump(48 * 3_600_000);
  await clock.sleep(60_000);
  await journal.append({ kind: 'run-finished', outcome: 'done', report: { kind: 'switchover', outcome: 'passed' } });
  await clock.sleep(60_000);
  stop();
  expect(events).toMatchObject([{ kind: 'run-ended', outcome: 'done' }]);
});

test('a drill that was killed is looked at for a day, and no longer', async () => {
  const { state, drills, clock, start, stop } = await watching();
  const run = '20261201T090000Z-drill-0001';
  const journal = openJournal(drills, { run, epoch: 1 }, clock);
  await journal.append({ kind: 'run-started', runbook: 'drill', by: 'asha', details: { kind: 'isolated' } });
  let read = 0;
  const get = state.get.bind(state);
  state.get = (key, ...rest) => {
    if (key.includes(run)) read += 1;
    return get(key, ...rest);
  };
  start();
  await clock.sleep(60_000);
  expect(read).toBeGreaterThan(1);
  clock.jump(25 * 3_600_000);
  await clock.sleep(60_000);
  const before = read;
  await clock.sleep(600_000);
  stop();
  expect(read).toBe(before);
});

test('metrics, page and messages tell what came of drills', async () => {
  const { drills, events, news, drilled, start, stop, scraped, clock } = await watching();
  await drilled('isolated', 'passed', { rto: { ms: 42_000, objectiveMs: 900_000 }, rpo: { ms: 900 }, leaks: [] });
  const slot = { kind: 'isolated', needsApproval: false, seenAtMs: 1, opensAtMs: 1, closesAtMs: 2 } as const;
  const skipped = { code: 'RunUnderWay', message: 'ops is at work', atMs: 2 };
  const old = { slot: 'isolated-20261102T090000Z', dueAtMs: Date.parse('2026-11-02T09:00:00Z'), late: false };
  await openSlot(drills, { ...slot, ...old, status: 'skipped', skipped });
  start();
  await clock.sleep(60_000);
  expect(events).toEqual([]);
  expect(await scraped()).toEqual([
    `argus_drill_last_timestamp{kind="isolated"} ${(begin + 60_000) / 1_000}`,
    `argus_drill_last_success_timestamp{kind="isolated"} ${(begin + 60_000) / 1_000}`,
    'argus_drill_last_passed{kind="isolated"} 1',
    'argus_drill_last_duration_seconds{kind="isolated"} 60',
    'argus_drill_last_rto_seconds{kind="isolated"} 42',
    'argus_drill_last_rpo_seconds{kind="isolated"} 0.9',
    'argus_drill_last_leaks{kind="isolated"} 0',
    `argus_drill_next_timestamp{kind="tabletop"} ${Date.parse('2026-12-02T08:00:00Z') / 1_000}`,
    `argus_drill_next_timestamp{kind="isolated"} ${Date.parse('2027-01-01T09:00:00Z') / 1_000}`,
    'argus_drill_skipped{kind="isolated",code="RunUnderWay"} 1',
    // Of the thirteen first weekdays to come two are 33 days apart at most; and three days.
    `argus_drill_longest_pause_seconds ${36 * 86_400}`,
  ]);
  const page = renderPage(
    { lag: [], runs: [], standing: {}, drills: news() },
    { nowMs: clock.now(), objectiveRpoMs: 1 },
  );
  expect(page).toContain('<h2>Drills</h2><span class="tag ok">passed</span>');
  expect(page).toContain('Next: tabletop, 2026-12-02 08:00:00 UTC');

  await drilled('tabletop', 'passed');
  await clock.sleep(60_000);
  expect(events).toEqual([]);
  await drilled('tabletop', 'failed');
  await clock.sleep(60_000);
  await drilled('tabletop', 'passed');
  await clock.sleep(60_000);
  await drilled('isolated', 'failed', { leaks: [{ kind: 'topic', name: 't' }] });
  await clock.sleep(60_000);
  stop();
  expect(events.map((e) => `${e.kind} ${'outcome' in e ? e.outcome : ''}`)).toEqual([
    'run-ended failed',
    'run-ended done',
    'run-started ',
    'run-ended failed',
  ]);
  expect(events.flatMap(messagesOf).map((m) => `${m.severity} ${m.state} ${m.key}`)).toEqual([
    'warning open trouble/drill/tabletop',
    'info closed trouble/drill/tabletop',
    expect.stringMatching(/^info note run\//),
    'warning open trouble/drill/isolated',
  ]);
  expect(await scraped()).toContain('argus_drill_last_leaks{kind="isolated"} 1');
  expect(await scraped()).toContain('argus_drill_last_passed{kind="isolated"} 0');
  expect(news().lastProof?.kind).toBe('isolated');
});
