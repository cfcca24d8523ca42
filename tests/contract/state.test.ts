import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { stateSuite } from './state.suite.ts';

const folders: string[] = [];
let server: ObjectServer;
let prefixes = 0;
beforeAll(async () => {
  server = await startObjectServer({ buckets: ['state'] });
});
afterAll(() => server?.stop());
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
stateSuite(
  'versitygw',
  async () =>
    s3ObjectStore({
      endpoint: server.endpoint,
      region: 'us-east-1',
      bucket: 'state',
      prefix: `test-${++prefixes}`,
      accessKeyId: server.accessKeyId,
      secretAccessKey: server.secretAccessKey,
      pathStyle: true,
    }),
  clock,
);
