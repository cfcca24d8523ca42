import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { argusProgram } from '../../../cli/program.ts';
import { commandTree, everyCommand } from '../../../cli/shell/command-tree.ts';
import {
  actingCommands,
  calls,
  commandsIn,
  documents,
  optionsAmong,
  resolveCommand,
  root,
  runningTests,
} from './documented-commands.ts';

const tree = commandTree(argusProgram());
const documented = documents().flatMap((file) => commandsIn(file, readFileSync(join(root, file), 'utf8')));
const ofArgus = documented
  .filter(({ program, words }) => program === 'argus' && words.length > 0)
  .map((given) => ({ ...given, ...resolveCommand(tree, given.words) }));
/** Options of the program itself. */
const everywhere = [...tree.options.flatMap(({ names }) => names), '--help'];

test('commands are found in fenced blocks, tables and inline code', () => {
  const text = [
    '```',
    '$ argus config check \\',
    '    --live # changes nothing',
    '```',
    '| `argus runs show <id> [--recount]` |',
  ].join('\n');
  expect(commandsIn('a.md', text).map(({ where, words }) => [where, ...words])).toEqual([
    ['a.md:3', 'config', 'check', '--live'],
    ['a.md:5', 'runs', 'show', '<value>', '--recount'],
  ]);
});

test('every command of the documents is one of the command line, with options that it has', () => {
  const wrong = ofArgus.flatMap(({ where, text, command, rest }) => {
    const known = [...everywhere, ...command.options.flatMap(({ names }) => names)];
    const options = optionsAmong(rest).filter((option) => !known.includes(option));
    // A word behind a name that only groups commands names none of them.
    const word = command.acts ? undefined : rest.find((each) => !each.startsWith('-') && !each.startsWith('<'));
    return options.length > 0 || word !== undefined ? [`${where}: ${text}: ${[...options, word ?? ''].join(' ')}`] : [];
  });
  expect(wrong).toEqual([]);
});

test('every npm script of the documents exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const run = documented.filter(({ program, text }) => program === 'npm' && text.startsWith('npm run'));
  const names = run.map(({ words, where }) => ({ where, name: words.find((word) => !word.startsWith('-')) ?? '' }));
  expect(names.filter(({ name }) => !(name in scripts))).toEqual([]);
});

test('every command of the command line is in docs/commands.md', () => {
  const there = new Set(
    ofArgus.filter(({ where }) => where.startsWith('docs/commands.md')).map(({ command }) => command),
  );
  const lacking = everyCommand(tree).filter((command) => command.acts && !there.has(command));
  expect(lacking.map(({ path }) => path.join(' '))).toEqual([]);
});

test('every command of the documents, with each option that they name, is executed by a test', () => {
  const tests = runningTests();
  const acting = actingCommands(tree);
  const options = new Map<string, Set<string>>();
  for (const { command, rest } of ofArgus) {
    const path = command.path.join(' ');
    const known = options.get(path) ?? new Set<string>();
    options.set(path, known);
    for (const option of optionsAmong(rest)) if (option !== '--help') known.add(option);
  }
  const never = [...options].flatMap(([path, named]) => {
    if (!acting.has(path)) return [];
    const running = tests.filter(({ text }) => calls(text, path.split(' ')));
    if (running.length === 0) return [`argus ${path}`];
    const unused = [...named].filter((option) => !running.some(({ text }) => text.includes(option)));
    return unused.map((option) => `argus ${path} ${option}`);
  });
  expect(never).toEqual([]);
});
