import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { giveRole } from '../../state/role-grant.ts';
import { writeRoles } from '../../state/roles.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

// The real command as a process before a real service; no broker is needed for what it answers here.
const entry = join(import.meta.dirname, '../../lab/ingest/ingest-role-process.ts');
const roles = { epoch: 2, primary: 'singapore', standby: 'mumbai', replication: 'active', atMs: 1, by: 'me' } as const;
let folder: string;
let ingest: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-ingest-role-'));
  await writeFile(join(folder, 'argus.yaml'), sampleYaml);
});
afterEach(async () => {
  // Its own group: also the command that it waits for.
  if (ingest?.pid !== undefined && ingest.exitCode === null) process.kill(-ingest.pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });

test('an ingest that comes back waits for its region to get the role, and starts with the grant', async () => {
  const state = fileObjectStore(join(folder, 'state'));
  await writeRoles(state, roles);
  const port = await freePort();
  const where = ['--port', String(port), '--bootstrap', '127.0.0.1:1', '--topic', 'events', '--region', 'mumbai'];
  ingest = spawn(process.execPath, [entry, ...where], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ARGUS_CONFIG: join(folder, 'argus.yaml') },
  });
  let said = '';
  ingest.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
      () => true,
      () => false,
    );
  await expect.poll(() => said).toContain('mumbai waits: singapore is primary (roles epoch 2)');
  expect(await answers()).toBe(false);
  await giveRole(state, { epoch: 3, region: 'mumbai', run: '20261121T103000Z-switchover-1a2b', atMs: 1 });
  await expect.poll(answers).toBe(true);
});
