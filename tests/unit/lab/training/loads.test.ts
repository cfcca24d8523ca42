import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../../..');

// Node finds fewer names in a CommonJS package than the test runner does.
test('a lesson, and the auditor with it, loads on Node itself', async () => {
  const script = `import ${JSON.stringify(join(root, 'lab/training/lesson.ts'))}; console.log('loaded')`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  expect(stdout).toBe('loaded\n');
}, 60_000);
