import { expect, test } from 'vitest';
import { type DaemonEvent, eventHub } from '../../../daemon/events.ts';
import { reportedLoss } from '../../../daemon/run-news.ts';
import type { DaemonView } from '../../../daemon/service.ts';
import { watchRuns } from '../../../daemon/watch-runs.ts';
import { createMetrics } from '../../../health/metrics.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { openJournal } from '../../../state/journal.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const details = { from: 'mumbai', to: 'singapore', reason: 'flood', steps: [{ id: 'fence', title: 'Fence mumbai' }] };
const report = {
  rtoMs: 31_000,
  rpo: { topics: { events: { estimatedRecords: 12, ms: 400, estimated: true } } },
};

function watched(state = memoryObjectStore('state')) {
  const clock = virtualClock();
  const metrics = createMetrics();
  const events = eventHub();
  const heard: DaemonEvent[] = [];
  events.subscribe(({ event }) => heard.push(event));
  const stop = new AbortController();
  const make = watchRuns({ state, clock, log: quietLog(), metrics, periodMs: 1_000 });
  const begin = () => make({ events } as DaemonView).run(stop.signal);
  const facts = { topics: {}, checkpoints: {} };
  const scrape = async () => (await metrics.render(facts)).body.split('\n');
  return { state, clock, heard, begin, scrape, stop: () => stop.abort() };
}
const journalOf = ({ state, clock }: ReturnType<typeof watched>, run: string) =>
  openJournal(state, { run, epoch: 1 }, clock);

test('tells of a run of another process as it goes on, with its steps’ titles, RTO and RPO', async () => {
  const w = watched();
  const running = w.begin();
  await w.clock.sleep(1_500);
  const journal = journalOf(w, '20271121T000000Z-failover-00aa');
  await journal.append({ kind: 'run-started', runbook: 'failover', by: 'ann@laptop', details });
  await journal.append({ kind: 'step-started', step: 'fence' });
  await w.clock.sleep(1_100);
  await journal.append({ kind: 'step-finished', step: 'fence', status: 'done', ms: 700, evidence: null });
  await w.clock.sleep(1_100);
  expect(await w.scrape()).toContain('argus_runs_unfinished 1');
  await journal.append({ kind: 'run-finished', outcome: 'done', report });
  await w.clock.sleep(1_100);
  w.stop();
  await running;
  expect(w.heard).toMatchObject([
    { kind: 'run-started', by: 'ann@laptop', reason: 'flood', from: 'mumbai', to: 'singapore' },
    { kind: 'step-ended', title: 'Fence mumbai', status: 'done', ms: 700 },
    { kind: 'run-ended', runbook: 'failover', outcome: 'done', rtoMs: 31_000 },
  ]);
  const lines = await w.scrape();
  expect(lines).toContain('argus_runs_unfinished 0');
  expect(lines).toContain('argus_runs_ended_total{runbook="failover",outcome="done"} 1');
  expect(lines).toContain('argus_run_last_rto_seconds{runbook="failover"} 31');
  expect(lines).toContain('argus_run_last_lost_records{runbook="failover"} 12');
});

test('tells nothing of runs that had ended before it began, and that one is under way', async () => {
  const w = watched();
  const ended = journalOf(w, '20271120T000000Z-failover-00aa');
  await ended.append({ kind: 'run-started', runbook: 'failover', by: 'ann', details });
  await ended.append({ kind: 'run-finished', outcome: 'done', report });
  const open = journalOf(w, '20271121T000000Z-switchover-00bb');
  await open.append({ kind: 'run-started', runbook: 'switchover', by: 'bob', details });
  await open.append({ kind: 'step-started', step: 'fence' });
  const running = w.begin();
  await w.clock.sleep(3_500);
  w.stop();
  await running;
  expect(w.heard).toMatchObject([{ kind: 'run-started', runbook: 'switchover' }]);
  const lines = await w.scrape();
  expect(lines).toContain('argus_run_last_rto_seconds{runbook="failover"} 31');
  expect(lines.some((l) => l.startsWith('argus_runs_ended_total{'))).toBe(false);
});

test('a run that can’t be read at once holds up no other, and none is told twice', async () => {
  const state = memoryObjectStore('state');
  const slow = '20271120T000000Z-failover-00aa';
  let failures = 2;
  const w = watched({
    ...state,
    async list(prefix, options) {
      if (prefix.includes(slow) && failures-- > 0) throw new Error('no answer within 10 s');
      return state.list(prefix, options);
    },
  });
  const start = async (run: string) => {
    const journal = openJournal(state, { run, epoch: 1 }, w.clock);
    await journal.append({ kind: 'run-started', runbook: run.slice(17, -5), by: 'ann', details });
  };
  await start(slow);
  await start('20271121T000000Z-switchover-00bb');
  const running = w.begin();
  await w.clock.sleep(500);
  expect(await w.scrape()).not.toContain('argus_runs_unfinished 1');
  await start('20271122T000000Z-failback-00cc');
  await w.clock.sleep(4_000);
  w.stop();
  await running;
  expect(w.heard.map((e) => 'runbook' in e && e.runbook)).toEqual(['switchover', 'failback', 'failover']);
  expect(await w.scrape()).toContain('argus_runs_unfinished 3');
});

test.each([
  ['nothing', { rtoMs: 1 }, undefined],
  ['a proven zero', { rpo: { provenZero: true } }, { records: 0, ms: 0, estimated: false, proven: true }],
  [
    'an estimate over topics',
    { rpo: { topics: { a: { estimatedRecords: 3, ms: 10, estimated: true }, b: { estimatedRecords: 4, ms: 30 } } } },
    { records: 7, ms: 30, estimated: true, proven: false },
  ],
  [
    'a topic of which nobody knows',
    {
      rpo: { topics: { a: { estimatedRecords: null, ms: null, estimated: true }, b: { estimatedRecords: 4, ms: 1 } } },
    },
    { estimated: true, proven: false },
  ],
])('reads %s from a report', (_what, given, loss) => {
  expect(reportedLoss(given)).toEqual(loss);
});
