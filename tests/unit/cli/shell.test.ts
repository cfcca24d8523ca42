import { execFileSync, spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { argusProgram } from '../../../cli/program.ts';
import { commandTree, everyCommand } from '../../../cli/shell/command-tree.ts';
import { completionScript } from '../../../cli/shell/completion.ts';
import { manPage } from '../../../cli/shell/man-page.ts';

const tree = commandTree(argusProgram());
const has = (tool: string) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;

/** What bash offers behind these words. */
function bash(...words: readonly string[]): readonly string[] {
  const list = words.map((word) => `'${word}'`).join(' ');
  const script = `${completionScript(tree, 'bash')}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _argus; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

test('the tree has every command with its options and examples', () => {
  const check = everyCommand(tree).find(({ path }) => path.join(' ') === 'config check');
  expect(check?.options.map(({ names }) => names.at(-1))).toEqual(['--live']);
  expect(check?.examples).toContain('argus config check --live');
  for (const { path, acts, examples } of everyCommand(tree)) if (acts) expect(examples, path.join(' ')).not.toEqual([]);
});

test.skipIf(!has('bash'))('bash completes commands, options and nothing behind an option with a value', () => {
  expect(bash('argus', 'mirr')).toEqual(['mirror']);
  expect(bash('argus', 'mirror', 're').toSorted()).toEqual(['render', 'reseed', 'resume']);
  expect(bash('argus', '--config', 'a.yaml', 'doctor', '--eg')).toEqual(['--egress-price']);
  expect(bash('argus', 'doctor', '--region', '')).toEqual([]);
  expect(bash('argus', 'config', 'check', '--l')).toEqual(['--live']);
});

test.skipIf(!has('zsh'))('zsh takes the script', () => {
  const script = `compdef() { echo "$@"; }\n${completionScript(tree, 'zsh')}`;
  expect(execFileSync('zsh', ['-f', '-c', script], { encoding: 'utf8' }).trim()).toBe('_argus argus');
});

test.skipIf(!has('fish'))('fish completes commands and options', () => {
  const offer = (words: string) =>
    execFileSync('fish', ['--no-config', '-c', `${completionScript(tree, 'fish')}\ncomplete -C '${words}'`], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .map((entry) => entry.split('\t')[0]);
  expect(offer('argus mirr')).toEqual(['mirror']);
  expect(offer('argus config check --l')).toEqual(['--live']);
});

test.skipIf(!has('groff'))('the manual page is roff without a warning', () => {
  const page = manPage(tree, '0.1.0');
  const { stderr, stdout } = spawnSync('groff', ['-man', '-ww', '-Tascii', '-Kutf8'], {
    input: page,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const words = stripVTControlCharacters(stdout);
  expect(words).toMatch(/argus failover\n/);
  expect(words).toContain('--accept-unfenced');
  for (const { path, acts } of everyCommand(tree))
    if (acts) expect(words.replaceAll(/\s+/g, ' ')).toContain(path.join(' '));
});
