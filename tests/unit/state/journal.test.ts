import { describe, expect, test } from 'vitest';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import { inspectRun, openJournal, readRun, readRuns } from '../../../state/journal.ts';
import { virtualClock } from './virtual-clock.ts';

const runName = (n: number) => `20261121T10300${n}Z-failover-000${n}`;
const key = (run: number, seq: number) => `journal/${runName(run)}/00000${seq}`;

async function written(store: ObjectStore, n = 1): Promise<void> {
  const journal = openJournal(store, { run: runName(n), epoch: n }, virtualClock());
  await journal.append({ kind: 'run-started', runbook: 'failover', by: 'me', details: { b: 1, 2: 'x', a: [null] } });
  await journal.append({ kind: 'step-started', step: 'promote' });
  await journal.append({ kind: 'step-finished', step: 'promote', status: 'done', ms: 5, evidence: 'ü' });
  await journal.append({ kind: 'run-finished', outcome: 'done' });
}

const text = async (store: ObjectStore, at: string) => Buffer.from((await store.get(at))!.body).toString('utf8');
const put = (store: ObjectStore, at: string, content: string) => store.put(at, Buffer.from(content));
const tampered = (at: string) => ({ code: 'JournalTampered', exitCode: 3, message: expect.stringContaining(at) });

describe('a journal', () => {
  test('is read back as it was written, whatever the white space', async () => {
    const store = memoryObjectStore('s');
    await written(store);
    for (const seq of [1, 3]) await put(store, key(1, seq), JSON.stringify(JSON.parse(await text(store, key(1, seq)))));
    const { entries, chained, fault } = await inspectRun(store, runName(1));
    expect({ entries: entries.length, chained, fault }).toEqual({ entries: 4, chained: true, fault: undefined });
    expect(entries[1]?.previous).toBe(entries[0]?.sha256);
  });

  const changes: readonly (readonly [string, number, (store: ObjectStore) => Promise<unknown>])[] = [
    ['a changed value', 3, async (s) => put(s, key(1, 3), (await text(s, key(1, 3))).replace('"ms": 5', '"ms": 6'))],
    ['a changed last entry', 4, async (s) => put(s, key(1, 4), (await text(s, key(1, 4))).replace('done', 'failed'))],
    ['a field more', 2, async (s) => put(s, key(1, 2), (await text(s, key(1, 2))).replace('{', '{"x": 1,'))],
    ['another hash', 2, async (s) => put(s, key(1, 2), (await text(s, key(1, 2))).replace(/("sha256": ")./, '$1g'))],
    ['a missing entry in the middle', 2, (s) => s.delete(key(1, 2))],
    ['a missing first entry', 1, (s) => s.delete(key(1, 1))],
    ['an entry of another run', 3, async (s) => put(s, key(1, 3), await text(s, key(2, 3)))],
    ['another entry of the same run', 3, async (s) => put(s, key(1, 3), await text(s, key(1, 2)))],
    ['what is no JSON', 2, (s) => put(s, key(1, 2), '{')],
    ['what is no entry', 2, (s) => put(s, key(1, 2), '{}')],
    ['a stray object', 5, (s) => put(s, `journal/${runName(1)}/note`, 'x')],
  ];

  test.each(changes)('with %s is not believed from entry %i on', async (_what, seq, change) => {
    const store = memoryObjectStore('s');
    await written(store, 1);
    await written(store, 2);
    await change(store);
    const { entries, fault } = await inspectRun(store, runName(1));
    expect({ believed: entries.length, seq: fault?.seq }).toEqual({ believed: seq - 1, seq });
    await expect(readRun(store, runName(1))).rejects.toMatchObject(tampered(fault!.key));
    expect(await readRun(store, runName(2)), 'the others are').toHaveLength(4);
  });

  test('whose end was cut off, or written anew with its hashes, is found out by the run after it', async () => {
    const store = memoryObjectStore('s');
    await written(store, 1);
    const before = await readRun(store, runName(1));
    await written(store, 2);
    expect(await readRuns(store, [runName(1), runName(2)])).toHaveLength(2);
    await store.delete(key(1, 4));
    expect(await readRun(store, runName(1)), 'by itself it looks whole').toEqual(before.slice(0, 3));
    await expect(readRuns(store, [runName(1), runName(2)])).rejects.toMatchObject(tampered(key(1, 4)));
    for (const seq of [1, 2, 3]) await store.delete(key(1, seq));
    const forged = memoryObjectStore('elsewhere');
    await openJournal(forged, { run: runName(1), epoch: 1 }, virtualClock()).append(before[0]!.fact);
    await put(store, key(1, 1), await text(forged, key(1, 1)));
    await expect(readRuns(store, [runName(1), runName(2)])).rejects.toMatchObject(tampered(key(1, 4)));
  });

  test('of an older version, without hashes, is read, and told as such', async () => {
    const store = memoryObjectStore('s');
    await written(store);
    for (const seq of [1, 2, 3, 4]) {
      const { sha256: _, previous: __, after: ___, ...old } = JSON.parse(await text(store, key(1, seq)));
      await put(store, key(1, seq), JSON.stringify(old));
    }
    expect(await inspectRun(store, runName(1))).toMatchObject({ chained: false, entries: { length: 4 } });
    await written(store, 2);
    expect((await readRun(store, runName(2)))[0]?.after, 'nothing to link to').toBeUndefined();
  });

  test('of which only some hashes were removed is not believed', async () => {
    const store = memoryObjectStore('s');
    await written(store);
    const { sha256: _, previous: __, ...old } = JSON.parse(await text(store, key(1, 2)));
    await put(store, key(1, 2), JSON.stringify(old));
    expect((await inspectRun(store, runName(1))).fault).toMatchObject({ seq: 2 });
  });
});
