import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run as reportTrend } from '../../../cli/commands/report-trend.ts';
import { parseConfig } from '../../../cli/config/parse.ts';
import type { CommandContext } from '../../../cli/context.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../../regions/objects/file-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import { putRecount } from '../../../state/recounts.ts';
import { startMs, writeRun } from '../drills/report/sample-runs.ts';
import { sampleYaml } from './sample-config.ts';

let folder: string;
let state: ObjectStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'argus-trend-'));
  state = fileObjectStore(join(folder, 'state'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function trend() {
  let printed = '';
  const told: string[] = [];
  const config = parseConfig(sampleYaml.replace(/^state: .*$/m, 'state: file:./state'), 'argus.yaml');
  const context: CommandContext = {
    ...{ env: {}, json: true, verbose: false, signal: new AbortController().signal, clock: wallClock },
    ...{ terminal: false, interactive: false, who: 'me@here (pid 1)' },
    print: (text) => {
      printed += text;
    },
    tell: (text) => told.push(text),
    ask: async () => undefined,
    loadConfig: async () => ({ file: 'argus.yaml', folder, config }),
    openLog: () => Promise.reject(new Error('not asked for')),
  };
  const exitCode = await reportTrend(context, {});
  return { exitCode, told, runs: JSON.parse(printed).runs };
}

const lost = { counted: 1_051, bytes: 6_000, ms: 700, exact: true, stillGrowing: false };
const count = (run: string) =>
  putRecount(state, { run, atMs: startMs, by: 'ann', topics: { events: lost }, uncounted: [] });

test('a trend of what is whole tells nothing else', async () => {
  const { run } = await writeRun({ state });
  await count(run);
  expect(await trend()).toMatchObject({ exitCode: 0, told: [], runs: [{ run, lostRecords: 1_051 }] });
});

test.each([
  ['recounts/', (run: string) => `recounts/${run}`],
  ['rescued/', () => 'rescued/0000000002'],
])('a document under %s that is not whole is named, and the trend has all the rest', async (_, keyOf) => {
  const { run } = await writeRun({ state });
  const { run: whole } = await writeRun({ state, atMs: startMs + 86_400_000, rolesEpoch: 3 });
  await count(whole);
  const key = keyOf(run);
  await state.put(key, Buffer.from('{"run": '));
  const { exitCode, told, runs } = await trend();
  expect(exitCode).toBe(1);
  expect(told).toEqual([expect.stringContaining(`what was counted after ${run} is left out: state object ${key} in `)]);
  // As it was estimated then.
  expect(runs).toMatchObject([
    { run, lostRecords: 45 },
    { run: whole, lostRecords: 1_051 },
  ]);
});
