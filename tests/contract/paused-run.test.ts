import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localProcesses } from '../../daemon/local-processes.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { runUnderLease } from '../../runbooks/engine/under-lease.ts';
import { readRun } from '../../state/journal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-paused-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a process that is stopped past its lease and woken does nothing more', async () => {
  const effects = join(folder, 'effects');
  const lines = async () => (await readFile(effects, 'utf8').catch(() => '')).split('\n').filter((l) => l !== '');
  const script = fileURLToPath(new URL('../support/paused-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, join(folder, 'state'), effects], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = text(child.stdout);
  const exited = once(child, 'exit');
  try {
    while ((await lines()).length < 5) await sleep(50);
    child.kill('SIGSTOP');
    const store = fileObjectStore(join(folder, 'state'));
    const before = await readRun(store, '20261121T103001Z-failover-0001');
    const result = await runUnderLease<null, object>({
      state: store,
      clock: wallClock,
      run: '20261121T103002Z-failover-0002',
      runbook: 'failover',
      holder: 'test',
      processes: localProcesses,
      by: 'test',
      details: null,
      resumeHint: 'again',
      context: () => null,
      steps: [
        {
          id: 'write',
          title: 'write a line',
          timeoutMs: 10_000,
          onFailure: { kind: 'stop', hint: 'mend it' },
          manual: [],
          observe: async () => ({ kind: 'todo' }),
          act: () => appendFile(effects, 'test\n'),
          verify: async () => ({ kind: 'done', evidence: null }),
        },
      ],
    });
    expect(result).toMatchObject({ outcome: 'done', epoch: 2 });
    child.kill('SIGCONT');
    await exited;
    expect(JSON.parse(await said)).toEqual({ outcome: 'failed', error: 'LeaseLost' });
    expect((await lines()).at(-1), 'nothing after the one who took over').toBe('test');
    expect(await readRun(store, '20261121T103001Z-failover-0001'), 'not even in its journal').toEqual(before);
  } finally {
    child.kill('SIGKILL');
  }
});
