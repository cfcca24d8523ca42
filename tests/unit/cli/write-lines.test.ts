import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { newFile, writeLines } from '../../../cli/write-lines.ts';

const { signal } = new AbortController();
const lines = (n: number, length = 10) =>
  async function* () {
    for (let i = 0; i < n; i++) yield 'x'.repeat(length);
  };

test('a file has every line once it is said, and is never written over', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'argus-lines-'));
  try {
    const path = join(dir, 'a.jsonl');
    expect(await writeLines(lines(5_000, 100), await newFile(path), signal)).toBe(5_000);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(5_001);
    await expect(newFile(path)).rejects.toMatchObject({ code: 'FileNotWritten', exitCode: 2 });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test.skipIf(!existsSync('/dev/full')).each([
  ['few', 1],
  ['many', 5_000],
])('a disk that is full is told, with %s lines', async (_, n) => {
  const out = createWriteStream('/dev/full');
  await expect(writeLines(lines(n), out, signal)).rejects.toMatchObject({
    code: 'FileNotWritten',
    message: expect.stringContaining('ENOSPC'),
  });
});

test('what fails only at the end is told, and no listeners pile up while it drains', async () => {
  let most = 0;
  const out = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      most = Math.max(most, out.listenerCount('error'));
      setImmediate(done);
    },
    final: (done) => done(new Error('the last block')),
  });
  await expect(writeLines(lines(50), out, signal)).rejects.toMatchObject({
    message: expect.stringContaining('the last block'),
  });
  expect(most).toBeLessThan(10);
});
