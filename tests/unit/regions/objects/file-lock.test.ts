import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withFileLock } from '../../../../regions/objects/file-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('one at a time holds the lock', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((done) => setImmediate(done));
    inside--;
  };
  await Promise.all(Array.from({ length: 20 }, () => withFileLock(folder, 'x', undefined, work)));
  expect(most).toBe(1);
});

test('the lock of a process that is gone is broken by exactly one of those who wait', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  await writeFile(join(folder, 'x'), `${child.pid} 1`);
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((done) => setImmediate(done));
    inside--;
  };
  await Promise.all(Array.from({ length: 10 }, () => withFileLock(folder, 'x', undefined, work)));
  expect(most).toBe(1);
});

test('who waits for a lock gives up on its signal', async () => {
  const held = new AbortController();
  await withFileLock(folder, 'x', undefined, async () => {
    setTimeout(() => held.abort(new Error('given up')), 30);
    await expect(withFileLock(folder, 'x', held.signal, async () => {})).rejects.toThrow();
  });
});
