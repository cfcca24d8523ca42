import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

test('the lock of a process that died is taken over, by one of many', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  writeFileSync(join(dir, '.lock'), `${dead} 12345 x\n`);
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
  expect(readdirSync(dir)).toEqual([]);
});

test('the lock of a process whose pid was given to another is taken over', async () => {
  writeFileSync(join(dir, '.lock'), `${process.pid} 1 x\n`);
  await (await lockFolder(dir, { pollMs: 2 }))();
  expect(readdirSync(dir)).toEqual([]);
});

test('waiting ends with an abort and leaves nothing behind', async () => {
  const unlock = await lockFolder(dir);
  const stop = new AbortController();
  const waiting = lockFolder(dir, { pollMs: 60_000, signal: stop.signal, waiting: () => stop.abort() });
  await expect(waiting).rejects.toThrow();
  await unlock();
  expect(readdirSync(dir)).toEqual([]);
});
