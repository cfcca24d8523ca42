import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOutage } from '../../../../lab/traffic/client-outage.ts';
import { type LedgerEntry, LedgerWriter, readLedger } from '../../../../lab/traffic/ledger.ts';
import { readAnswer } from '../../../../lab/traffic/post-events.ts';

const entry = (id: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  id,
  key: 'k',
  seq: 1,
  sentAtMs: 1,
  status: 'unknown',
  ...more,
});
const ack = (answeredAtMs: number) => entry('a', { status: 'acknowledged', answeredAtMs });

describe('a ledger', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledger-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('holds what was added, in that order, also over several openings', async () => {
    const path = join(folder, 'ledger.jsonl');
    const entries = [entry('a', { status: 'acknowledged', answeredAtMs: 2, by: 'mumbai' }), entry('b'), entry('c')];
    for (const part of [entries.slice(0, 2), entries.slice(2)]) {
      const writer = await LedgerWriter.open(path);
      for (const each of part) writer.add(each);
      await writer.close();
    }
    expect(await readLedger(path)).toEqual(entries);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4);
  });

  it('is read without a last line that was cut off, and refused when another line is broken', async () => {
    const path = join(folder, 'cut.jsonl');
    await writeFile(path, `${JSON.stringify(entry('a'))}\n{"id":"b`);
    expect(await readLedger(path)).toEqual([entry('a')]);
    await writeFile(path, `{"id":\n${JSON.stringify(entry('a'))}\n`);
    await expect(readLedger(path)).rejects.toThrow('line 1');
  });
});

describe('the outage of a client', () => {
  it('is the longest gap between two acknowledgements, in whatever order they stand', () => {
    const entries = [
      ack(5_000),
      entry('x', { status: 'refused', answeredAtMs: 3_000 }),
      ack(1_000),
      ack(1_100),
      entry('y'),
    ];
    expect(clientOutage(entries)).toEqual({ outageMs: 3_900, lastBeforeMs: 1_100, firstAfterMs: 5_000 });
  });

  it('is not a slow start before the outage', () => {
    const entries = [ack(0), ack(9_000), ack(9_500), ack(11_000)];
    expect(clientOutage(entries, { sinceMs: 9_600 })?.outageMs).toBe(1_500);
    expect(clientOutage(entries, { sinceMs: 20_000 })).toBeUndefined();
  });

  it('can’t be told from fewer than two acknowledgements', () => {
    expect(clientOutage([ack(1)])).toBeUndefined();
  });
});

describe('an answer of the ingest service', () => {
  const event = { id: 'a', key: 'k', seq: 1 };
  it.each([
    [
      'gives each event its own status',
      202,
      '{"region":"r","results":[{"id":"a","status":"acknowledged"}]}',
      'acknowledged',
    ],
    ['refuses with 503', 503, '{"region":"r","results":[{"id":"a","status":"refused"}]}', 'refused'],
    ['leaves an event unknown that it does not name', 202, '{"region":"r","results":[]}', 'unknown'],
    ['that can’t be read leaves all unknown', 502, 'Bad gateway', 'unknown'],
    ['of 400 refuses all', 400, '{"error":"no"}', 'refused'],
  ])('%s', (_rule, httpStatus, text, status) => {
    expect(readAnswer(httpStatus, text, 7).statusOf(event)).toBe(status);
  });
});
