import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { readRun, readRuns } from '../../state/journal.ts';
import { foldRun } from '../../state/run-record.ts';

const script = fileURLToPath(new URL('../support/killed-child.ts', import.meta.url));
const runName = (n: number) => `20261121T10300${n}Z-failover-000${n}`;
const children: ChildProcess[] = [];
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'argus-killed-'));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

function start(folder: string, n: number, ...until: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [script, folder, String(n), ...until], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

/** Kills the process as soon as this file is there. */
async function killAt(folder: string, file: string): Promise<void> {
  await mkdir(join(folder, 'state/journal', runName(1)), { recursive: true });
  const child = start(folder, 1, file);
  const exited = once(child, 'exit');
  const kill = () => existsSync(join(folder, file)) && child.kill('SIGKILL');
  const watchers = [folder, join(folder, 'state/journal', runName(1))].map((dir) => watch(dir, kill));
  const [code, signal] = await exited;
  for (const watcher of watchers) watcher.close();
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
}

// The journal's entries: 1 begins the run, 2 to 7 begin and end the steps. Killed behind each of them, and inside each act.
const points = [
  ...[1, 2, 3, 4, 5, 6, 7].map((seq) => `state/journal/${runName(1)}/00000${seq}`),
  ...['a-1', 'b-1', 'c-1'],
];

test.concurrent.each(points)(
  'a process that is killed at %s is gone on with by another, and nothing is made twice',
  async (point) => {
    const folder = await mkdtemp(join(root, 'run-'));
    await killAt(folder, point);
    const second = start(folder, 2);
    expect(JSON.parse(await text(second.stdout!))).toEqual({ outcome: 'done', epoch: 2, error: null });
    const effects = (await readdir(folder)).filter((name) => name !== 'state');
    expect(effects.sort()).toEqual(['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'c-2']);
    const store = fileObjectStore(join(folder, 'state'));
    const [first] = await readRuns(store, [runName(1), runName(2)]);
    expect(foldRun(first!)?.status, 'a dead run stays without an end').toBe('running');
    expect(foldRun(await readRun(store, runName(2)))?.status).toBe('done');
    const made = await Promise.all(effects.map((name) => readFile(join(folder, name), 'utf8')));
    const already = (await readRun(store, runName(2))).filter(
      ({ fact }) => fact.kind === 'step-finished' && fact.status === 'already',
    );
    expect(already, 'what the dead run had finished was only looked at').toHaveLength(
      [0, 2, 4].filter((at) => made[at] !== '2' && made[at + 1] !== '2').length,
    );
  },
);
