import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LessonResult } from '../../lab/training/lesson.ts';

const root = join(import.meta.dirname, '../..');

/** One lesson, with a program in the trainee's place. */
function lesson(scenario: string, script: string): Promise<{ readonly result: LessonResult; readonly said: string }> {
  const path = join(mkdtempSync(join(tmpdir(), 'argus-trainee-')), 'trainee.sh');
  writeFileSync(path, `#!/bin/sh\nargus() { ${process.execPath} ${join(root, 'cli/main.ts')} "$@" >&2; }\n${script}\n`);
  chmodSync(path, 0o700);
  const args = [join(root, 'lab/cli.ts'), 'train', '--json', '--scenario', scenario, '--trainee', path];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('close', (code) => {
      if (code === 0) resolve({ result: JSON.parse(stdout) as LessonResult, said });
      else reject(new Error(`the lesson ended with ${code}:\n${said}`));
    });
  });
}

test('who waits while the primary is slow has all points for it, and nothing is lost', async () => {
  const { result, said } = await lesson('slow-primary', 'echo hint\nargus status\necho wait');
  expect(said).toContain('PrimaryDegraded');
  expect(result.facts).toMatchObject({ runs: [], hints: 1, audit: { lost: 0, doubled: 0, misordered: 0 } });
  expect(result.score.lines[0]).toMatchObject({ what: 'decision', points: 50 });
  expect(result.score.points).toBe(95);
}, 420_000);

/** What the mirror may lack of 100 events a second when a region is killed on a busy machine. */
const longestTail = 1_000;
const moved = 'argus failover --yes --accept-unfenced --reason training';

test('who fails over from a dead primary has all points for the decision', async () => {
  const { result } = await lesson('dead-primary', moved);
  expect(result.facts.runs).toMatchObject([{ runbook: 'failover', status: 'done', acceptedUnfenced: true }]);
  expect(result.facts.audit).toMatchObject({ doubled: 0, misordered: 0 });
  expect(result.facts.audit?.lost).toBeLessThan(longestTail);
  expect(result.score.wrongMoves).toEqual([]);
  expect(result.score.points).toBeGreaterThanOrEqual(85);
}, 420_000);

test('an older checkpoint costs no records: who fails over all the same has the points', async () => {
  const { result } = await lesson('broken-checkpoints', `argus recovery-points --explain\n${moved}`);
  expect(result.facts.runs).toMatchObject([{ runbook: 'failover', status: 'done', acceptedUnfenced: true }]);
  expect(result.facts.audit).toMatchObject({ doubled: 0, misordered: 0 });
  expect(result.facts.audit?.lost).toBeLessThan(longestTail);
  expect(result.score.points).toBeGreaterThanOrEqual(85);
}, 420_000);

test('who fails back has all points for it, and what only the old primary had is kept', async () => {
  const { result } = await lesson('old-primary-back', 'argus failback --dry-run\nargus failback --yes');
  expect(result.facts.runs).toMatchObject([{ runbook: 'failback', status: 'done' }]);
  expect(result.facts.audit).toMatchObject({ doubled: 0, misordered: 0 });
  // Three seconds of traffic that were never mirrored.
  expect(result.facts.audit?.lost).toBeGreaterThan(0);
  expect(result.score.lines[2]).toMatchObject({ what: 'loss', points: 20 });
  expect(result.score.points).toBeGreaterThanOrEqual(85);
}, 420_000);

test('who waits while the link flaps has all points for it, and nothing is lost', async () => {
  const { result, said } = await lesson('flapping-link', 'argus automatic status\necho wait');
  expect(said).toContain('MirrorStalled');
  expect(result.facts).toMatchObject({ runs: [], audit: { lost: 0, doubled: 0, misordered: 0 } });
  expect(result.score.points).toBe(100);
}, 420_000);

test('who waits for the end of a cut loses nothing', async () => {
  const { result } = await lesson('partition', 'argus failover --accept-unfenced --dry-run\necho wait');
  expect(result.facts).toMatchObject({ runs: [], audit: { lost: 0, doubled: 0, misordered: 0 } });
  expect(result.score.points).toBeGreaterThanOrEqual(95);
}, 420_000);
