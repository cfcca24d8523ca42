import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimFolder, isAlive, readClaim, removeFolder } from '../../../lab/lab-folder.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'argus-lab-folder-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a folder belongs to the first lab that claims it', () => {
  claimFolder(dir, 'one', 0);
  expect(() => claimFolder(dir, 'two', 1)).toThrow(expect.objectContaining({ code: 'LabRunning', exitCode: 3 }));
  expect(readClaim(dir)?.id).toBe('one');
});

test('a folder with anything else in it is refused and left as it is', () => {
  writeFileSync(join(dir, 'thesis.tex'), 'years of work');
  expect(() => claimFolder(dir, 'one', 0)).toThrow(expect.objectContaining({ code: 'NotALabFolder', exitCode: 2 }));
  expect(readdirSync(dir)).toEqual(['thesis.tex']);
});

test('what a lab that is gone left behind is removed, and the folder can be claimed again', () => {
  claimFolder(dir, 'one', 0);
  writeFileSync(join(dir, 'lab.json'), '{}');
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  writeFileSync(join(dir, 'lab.owner'), JSON.stringify({ id: 'one', pid: gone, pidStartedAt: '1', atMs: 0 }));
  claimFolder(dir, 'two', 1);
  expect(readClaim(dir)?.id).toBe('two');
  expect(readdirSync(dir)).toEqual(['lab.owner']);
});

test('a process id that came again does not keep a claim alive', () => {
  expect(isAlive({ id: 'one', pid: process.pid, pidStartedAt: '1', atMs: 0 })).toBe(false);
});

test("a lab removes its own folder, never another's", () => {
  claimFolder(dir, 'one', 0);
  removeFolder(dir, 'two');
  expect(existsSync(dir)).toBe(true);
  removeFolder(dir, 'one');
  expect(existsSync(dir)).toBe(false);
});
