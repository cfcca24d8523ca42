import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { followJournal, type RunNews } from '../../../../cli/watch/journal-feed.ts';
import { newsLine } from '../../../../cli/watch/news-line.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

const run = '20261122T032903Z-failover-fbb8';
const recorded = join(import.meta.dirname, '../../../../fixtures/journal/failover.jsonl');
const entries = (await readFile(recorded, 'utf8')).trimEnd().split('\n');

async function append(store: ObjectStore, from: number, to: number): Promise<void> {
  for (let seq = from; seq <= to; seq++)
    await store.put(`journal/${run}/${`${seq}`.padStart(6, '0')}`, Buffer.from(entries[seq - 1] ?? ''), {});
}

/** Follows the run; `at` is called with each news, and may let go on. */
async function followed(store: ObjectStore, at: (news: RunNews, n: number) => unknown = () => undefined) {
  const told: RunNews[] = [];
  const context = { clock: virtualClock(), signal: AbortSignal.timeout(10_000) };
  for await (const news of followJournal(context, store, run)) {
    told.push(news);
    await at(news, told.length);
  }
  return told;
}

const kinds = (told: readonly RunNews[]) => told.map((n) => (n.kind === 'entry' ? n.entry.seq : n.text));

it('each entry is told once, in order, those that come later too, until the run has ended', async () => {
  const store = memoryObjectStore('s');
  await append(store, 1, 5);
  const told = await followed(store, async (_, n) => {
    if (n === 5) await append(store, 6, 12);
    if (n === 12) await append(store, 13, 25);
  });
  expect(kinds(told)).toEqual(entries.map((_, i) => i + 1));
});

it('a run that nobody is at work on is told so, once', async () => {
  const store = memoryObjectStore('s');
  await append(store, 1, 5);
  let looks = 0;
  const silent: ObjectStore = {
    ...store,
    async get(key, options) {
      // It goes on after a long silence.
      if (key.endsWith('/000006') && ++looks === 60) await append(store, 6, 25);
      return store.get(key, options);
    },
  };
  const told = await followed(silent);
  expect(told.filter((n) => n.kind === 'note')).toEqual([
    { kind: 'note', text: 'nobody is at work on this run any more' },
  ]);
  expect(told.filter((n) => n.kind === 'entry')).toHaveLength(25);
});

it('a state that can not be read for a while is told, and asked again', async () => {
  const store = memoryObjectStore('s');
  await append(store, 1, 24);
  let fails = 3;
  const flaky: ObjectStore = {
    ...store,
    async get(key, options) {
      if (key.endsWith('/000025') && fails-- > 0) throw new Error('connection reset');
      if (fails === -1) await append(store, 25, 25);
      return store.get(key, options);
    },
  };
  const told = await followed(flaky);
  expect(kinds(told).slice(24)).toEqual(["the state can't be read: connection reset", 25]);
});

it('a run that is not there is refused', async () => {
  await expect(followed(memoryObjectStore('s'))).rejects.toMatchObject({ code: 'RunMissing', exitCode: 2 });
});

it('is told in lines, with the titles of its steps', async () => {
  const store = memoryObjectStore('s');
  await append(store, 1, 25);
  const told = await followed(store);
  const lines = told.map((n) => newsLine(n, [{ id: 'start-jobs', title: 'Start counts on singapore' }]));
  expect(lines.slice(0, 2)).toEqual([
    `${run}, by oncall@laptop (pid 4711), epoch 1`,
    '✓ stop-primary-jobs (already, 5 ms)',
  ]);
  expect(lines).toContain('✓ Start counts on singapore (done, 1.8 s)');
  expect(lines.at(-1)).toBe('the run ended: done');
});
