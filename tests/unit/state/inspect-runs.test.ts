import { expect, test } from 'vitest';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { inspectRuns } from '../../../state/inspect-runs.ts';
import { listRuns, openJournal, runId } from '../../../state/journal.ts';
import { virtualClock } from './virtual-clock.ts';

test('of a long history no more is asked at once than of a short one, and the order stays', async () => {
  const store = memoryObjectStore('s');
  const clock = virtualClock();
  for (let n = 0; n < 60; n++) {
    const run = runId(clock.now() + n * 86_400_000, 'drill', n.toString(16).padStart(4, '0'));
    const journal = openJournal(store, { run, epoch: n + 1 }, clock);
    await journal.append({ kind: 'run-started', runbook: 'drill', by: 'x', details: {} });
  }
  let [now, most] = [0, 0];
  const counted = {
    ...store,
    list: async (...args: Parameters<typeof store.list>) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      return store.list(...args).finally(() => now--);
    },
  };
  const runs = await listRuns(store);
  const read = await inspectRuns([...runs, 'nothing'], () => counted);
  expect(read.map(({ entries }) => entries[0]?.run)).toEqual([...runs, undefined]);
  expect(most).toBe(12);
});
