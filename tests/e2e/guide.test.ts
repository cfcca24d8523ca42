import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { startTestLab } from '../support/whole-lab.ts';

// docs/guide.md, as a new user types it: the very lines of the document, in a shell, against a lab's own addresses.
const root = join(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/guide.md'), 'utf8');
/** Of the blocks for a shell: the first starts the lab, the last ends it, which here the test does. */
const blocks = [...guide.matchAll(/^```sh([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, about = '', text = '']) => ({
  about: about.trim(),
  text,
}));

let lab: Lab;
let shell: Shell;

interface Shell {
  /** Runs a block; gives what it printed, and its exit code. */
  run(text: string): Promise<{ readonly code: number; readonly output: string }>;
  end(): Promise<void>;
}

beforeAll(async () => {
  lab = await startTestLab({ drills: true });
  shell = openShell();
});
afterAll(async () => {
  await shell?.end();
  await lab?.down();
});

/** One bash for all blocks, with `argus` as the guide has it but for the detour by npm. */
function openShell(): Shell {
  const child = spawn('bash', ['--norc'], {
    cwd: root,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', LAB: lab.dir },
  });
  let output = '';
  const heard: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const hear of heard) hear();
    });
  return {
    run(text) {
      output = '';
      const mark = `end-of-block-${Math.random()}`;
      return new Promise((resolve, reject) => {
        const hear = () => {
          const ended = new RegExp(`${mark} (\\d+)\\n`).exec(output);
          if (!ended) return;
          heard.length = 0;
          resolve({ code: Number(ended[1]), output: output.replace(ended[0], '') });
        };
        heard.push(hear);
        child.once('close', () => reject(new Error(`the shell has ended: ${output}`)));
        child.stdin.write(`${text}\necho ${mark} $?\n`);
      });
    },
    async end() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      // The daemon and the traffic of the guide belong to the shell's group.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      child.stdin.destroy();
      const late = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), 5_000);
      await ended;
      clearTimeout(late);
    },
  };
}

test('docs/guide.md leads from nothing to the first drill and its report', { timeout: 200_000 }, async () => {
  expect(blocks[0]?.about).toBe('lab');
  expect(blocks.at(-1)?.about).toBe('end');
  const outputs: string[] = [];
  const failed: string[] = [];
  for (const { text } of blocks.slice(1, -1)) {
    const from = performance.now();
    const { code, output } = await shell.run(
      text.replace('npm run --silent argus --', `${process.execPath} cli/main.ts`),
    );
    outputs.push(output);
    if (code !== 0) failed.push(`${text}\n=> ${code} after ${Math.round(performance.now() - from)} ms\n${output}`);
  }
  const all = outputs.join('\n');
  expect(failed.join('\n\n')).toBe('');
  expect(all).toMatch(/argus\.yaml is valid/);
  expect(all).toMatch(/nothing keeps Argus from its work/);
  expect(all).toMatch(/is whole: no byte was changed/);
});
