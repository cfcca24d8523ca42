import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFolder } from '../../../../lab/setup/lock.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'argus-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('one holder at a time: the second gets the lock when the first gave it back', async () => {
  const order: string[] = [];
  const first = await lockFolder(dir);
  const second = lockFolder(dir, { pollMs: 5, waiting: (pid) => order.push(`waits for ${pid}`) }).then((unlock) => {
    order.push('second');
    return unlock;
  });
  await expect.poll(() => order).toEqual([`waits for ${process.pid}`]);
  await first();
  await (await second)();
  expect(order.at(-1)).toBe('second');
  expect(readdirSync(dir)).toEqual([]);
});

test('of many that want it one holds it at a time', async () => {
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const unlock = await lockFolder(dir, { pollMs: 2 });
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
      await unlock();
    }),
  );
  expect(most).toBe(1);
});

test('a process that is killed while it holds the lock gives it back', async () => {
  const lock = join(import.meta.dirname, '../../../../lab/setup/lock.ts');
  const script = `import { lockFolder } from ${JSON.stringify(lock)};
    await lockFolder(process.argv[1]); console.log('held'); setInterval(() => {}, 1_000);`;
  const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', script, dir]);
  await once(holder.stdout, 'data');
  const waited: number[] = [];
  const mine = lockFolder(dir, { pollMs: 5, waiting: (pid) => waited.push(pid) });
  await expect.poll(() => waited).toEqual([holder.pid]);
  holder.kill('SIGKILL');
  await (await mine)();
});

test('waiting ends with an abort and leaves nothing behind', async () => {
  const unlock = await lockFolder(dir);
  const stop = new AbortController();
  const waiting = lockFolder(dir, { pollMs: 60_000, signal: stop.signal, waiting: () => stop.abort() });
  await expect(waiting).rejects.toThrow();
  await unlock();
  expect(readdirSync(dir)).toEqual([]);
});
