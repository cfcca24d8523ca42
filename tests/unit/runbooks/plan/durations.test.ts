import { expect, test } from 'vitest';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { type EndedRuns, readUsualTimes, usualTimes } from '../../../../runbooks/plan/durations.ts';
import { openJournal } from '../../../../state/journal.ts';
import type { StepRecord } from '../../../../state/run-record.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

const step = (id: string, ms: number, status: 'done' | 'already' = 'done'): StepRecord => ({
  id,
  startedAtMs: 1,
  status,
  ms,
  evidence: null,
});

test('a step takes the median of what it took where it acted', () => {
  const runs = [
    { steps: [step('a', 10), step('b', 7)] },
    { steps: [step('a', 1_000), step('b', 1, 'already')] },
    { steps: [step('a', 20), { id: 'b', startedAtMs: 1, status: 'started' as const }] },
    { steps: [step('a', 30)] },
  ];
  expect(Object.fromEntries(usualTimes(runs))).toEqual({ a: { medianMs: 25, runs: 4 }, b: { medianMs: 7, runs: 1 } });
  expect(usualTimes([]).size).toBe(0);
});

test('only runs of the runbook count, and one whose journal is damaged tells nothing', async () => {
  const store = memoryObjectStore('state');
  const clock = virtualClock();
  for (const [i, runbook] of ['failover', 'switchover', 'failover'].entries()) {
    const journal = openJournal(store, { run: `20261121T10300${i}Z-${runbook}-000${i}`, epoch: 1 }, clock);
    await journal.append({ kind: 'run-started', runbook, by: 'me', details: null });
    await journal.append({ kind: 'step-finished', step: 'a', status: 'done', ms: (i + 1) * 100, evidence: null });
  }
  await store.put('journal/20261121T103002Z-failover-0002/000002', Buffer.from('{'));
  expect(Object.fromEntries(await readUsualTimes(store, 'failover'))).toEqual({ a: { medianMs: 100, runs: 1 } });
});

test('the journal of a run that has ended is read once, of the newest ten', async () => {
  const store = memoryObjectStore('state');
  const clock = virtualClock();
  let reads = 0;
  const get = store.get.bind(store);
  store.get = (...asked) => {
    reads++;
    return get(...asked);
  };
  const begin = async (n: number) => {
    const run = `20261121T1030${`${n}`.padStart(2, '0')}Z-failover-00${`${n}`.padStart(2, '0')}`;
    const journal = openJournal(store, { run, epoch: 1 }, clock);
    await journal.append({ kind: 'run-started', runbook: 'failover', by: 'me', details: null });
    await journal.append({ kind: 'step-finished', step: 'a', status: 'done', ms: n, evidence: null });
    return journal;
  };
  const finish = async (journal: ReturnType<typeof openJournal>) =>
    journal.append({ kind: 'run-finished', outcome: 'done', report: null });
  for (let n = 0; n < 11; n++) await finish(await begin(n));
  const open = await begin(11);
  const ended: EndedRuns = new Map();
  const look = async () => {
    reads = 0;
    return { a: (await readUsualTimes(store, 'failover', {}, ended)).get('a'), reads };
  };
  expect(await look()).toEqual({ a: { medianMs: 7, runs: 10 }, reads: 9 * 3 + 2 });
  expect(await look()).toEqual({ a: { medianMs: 7, runs: 10 }, reads: 2 });
  await finish(open);
  expect((await look()).reads).toBe(3);
  await finish(await begin(12));
  expect(await look()).toEqual({ a: { medianMs: 8, runs: 10 }, reads: 3 });
  expect(await look()).toEqual({ a: { medianMs: 8, runs: 10 }, reads: 0 });
  expect(ended.size).toBe(10);
});
