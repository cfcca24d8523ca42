import { expect, test } from 'vitest';
import { runObserver } from '../../../daemon/observe.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import type { ObserverReport } from '../../../domain/observation.ts';
import type { ProbeTask, Sight } from '../../../health/sight.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { readObserverReport, readObserverReports } from '../../../state/observers.ts';
import { quietLog } from './quiet-log.ts';

const sight = (status: Sight['status']): Sight => ({ probe: 'kafka', region: 'mumbai', status, latencyMs: 1 });

function observer(tasks: readonly ProbeTask[], state = memoryObjectStore('state'), mayPut = () => true) {
  const reports: ObserverReport[] = [];
  const stop = new AbortController();
  const run = runObserver(
    {
      name: 'outside',
      place: 'outside',
      tasks,
      atOnce: 4,
      state,
      clock: wallClock,
      log: quietLog(),
      random: () => 0,
      mayPut,
      onReport: (r) => void reports.push(r),
    },
    stop.signal,
  );
  return {
    state,
    reports,
    async stop() {
      stop.abort();
      await run;
    },
  };
}

test('news are put at once, one look that hangs delays no other, and a new process goes on counting', async () => {
  let status: Sight['status'] = 'ok';
  let looks = 0;
  const tasks: readonly ProbeTask[] = [
    {
      name: 'quick',
      periodMs: 20,
      look: async () => {
        looks += 1;
        return [sight(status)];
      },
    },
    {
      name: 'hung',
      periodMs: 20,
      look: ({ signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve([]), { once: true })),
    },
    { name: 'broken', periodMs: 20, look: () => Promise.reject(new Error('a bug')) },
  ];
  const first = observer(tasks);
  const seen = async () => (await readObserverReport(first.state, 'outside'))?.seen[0];
  await expect.poll(seen).toMatchObject({ status: 'ok' });
  status = 'failed';
  await expect.poll(seen, { timeout: 1_000 }).toMatchObject({ status: 'failed' });
  const failed = await seen();
  expect(failed?.lastOkAtMs).toBeLessThanOrEqual(failed?.sinceMs ?? 0);
  expect(looks).toBeGreaterThan(5);
  await first.stop();
  const before = (await readObserverReport(first.state, 'outside'))?.sequence ?? 0;
  const second = observer(tasks, first.state);
  const sequence = async () => (await readObserverReport(first.state, 'outside'))?.sequence;
  await expect.poll(sequence).toBeGreaterThan(before);
  await second.stop();
});

test('what is no longer looked at is no longer told, and absent observers are absent', async () => {
  let roles = 1;
  const task: ProbeTask = {
    name: 'flink',
    periodMs: 10,
    look: async () =>
      roles === 1 ? [sight('ok'), { ...sight('ok'), probe: 'job', subject: 'counts' }] : [sight('ok')],
  };
  const it = observer([task]);
  const count = async () => (await readObserverReports(it.state, ['outside', 'nobody'])).get('outside')?.seen.length;
  await expect.poll(count).toBe(2);
  roles = 2;
  await expect.poll(count).toBe(1);
  await it.stop();
  expect([...(await readObserverReports(it.state, ['outside', 'nobody'])).keys()]).toEqual(['outside']);
});

test('of two under one name only one puts what it sees, and the next goes on counting', async () => {
  const state = memoryObjectStore('state');
  let leader = 'first';
  const task = (subject: string): ProbeTask => ({
    name: 'mirror',
    periodMs: 10,
    look: async () => [{ ...sight('ok'), subject }],
  });
  const first = observer([task('first')], state, () => leader === 'first');
  const second = observer([task('second')], state, () => leader === 'second');
  const put = () => readObserverReport(state, 'outside');
  await expect.poll(async () => (await put())?.seen[0]?.subject).toBe('first');
  // It looked, and kept it for itself.
  await expect.poll(() => second.reports.length).toBeGreaterThan(30);
  const before = await put();
  expect(before?.seen[0]?.subject).toBe('first');
  leader = 'second';
  await expect.poll(put).toMatchObject({ seen: [{ subject: 'second' }] });
  expect((await put())?.sequence).toBeGreaterThan(before?.sequence ?? 0);
  await Promise.all([first.stop(), second.stop()]);
});
