import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { stateSuite } from './state.suite.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const clock = () => ({
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal ? { signal } : {}),
});

stateSuite('memory', async () => memoryObjectStore('state'), clock);
stateSuite(
  'a folder',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'argus-state-'));
    folders.push(folder);
    return fileObjectStore(folder);
  },
  clock,
);
