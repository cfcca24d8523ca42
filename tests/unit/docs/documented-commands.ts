import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { everyCommand, type TreeCommand } from '../../../cli/shell/command-tree.ts';

/** A command as the documents have it. */
export interface DocumentedCommand {
  /** `docs/guide.md:12` */
  readonly where: string;
  /** As it is written. */
  readonly text: string;
  readonly program: 'argus' | 'npm';
  readonly words: readonly string[];
}

export const root = join(import.meta.dirname, '../../..');

/** README and everything in docs/. */
export function documents(): readonly string[] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)].sort();
}

/** All commands of a document: lines of fenced blocks, and inline code, that begin with `argus` or `npm run`. */
export function commandsIn(file: string, text: string): readonly DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  let fenced = false;
  let going = '';
  text.split('\n').forEach((line, i) => {
    const where = `${file}:${i + 1}`;
    if (/^\s*```/.test(line)) {
      fenced = !fenced;
      return;
    }
    if (fenced) {
      // A line that ends in a backslash goes on in the next.
      going += line.replace(/\\$/, ' ');
      if (line.endsWith('\\')) return;
      found.push(...commandsOf(where, going.replace(/\s#.*$/, '')));
      going = '';
      return;
    }
    for (const [, code = ''] of line.matchAll(/`([^`]+)`/g)) found.push(...commandsOf(where, code));
  });
  return found;
}

function commandsOf(where: string, code: string): readonly DocumentedCommand[] {
  return code.split(/\s(?:&&|\||;)\s(?!--)/).flatMap((part): readonly DocumentedCommand[] => {
    const text = part.trim().replace(/^\$ /, '').replaceAll('\\|', '|');
    const [, program, rest = ''] = /^(?:source <\()?(argus|npm run|npm)(?=[\s])\s*(.*)$/.exec(text) ?? [];
    // `argus failover:` labels something.
    if (program === undefined || /^[\w-]+:/.test(rest)) return [];
    // `[--to <offset>]`, `<a \| b>`: the signs of a synopsis are no part of it.
    const words = rest
      .replaceAll(/[[\]()…,]/g, ' ')
      .replaceAll(/<[^>]*>/g, '<value>')
      .split(/\s+/)
      .filter((word) => word !== '' && word !== '|');
    return [{ where, text, program: program === 'argus' ? 'argus' : 'npm', words }];
  });
}

/** The command of the tree that these words call, and the words behind its name; the longest that fits. */
export function resolveCommand(
  tree: TreeCommand,
  words: readonly string[],
): { readonly command: TreeCommand; readonly rest: readonly string[] } {
  let command = tree;
  let rest = words.filter((word) => !/^(--json|--verbose|-v|--plain)$/.test(word));
  // Options of the program may stand before the command.
  while (/^(-c|--config)$/.test(rest[0] ?? '')) rest = rest.slice(2);
  for (;;) {
    const next = command.commands.find(({ path, aliases }) => [path.at(-1), ...aliases].includes(rest[0] ?? ''));
    if (next === undefined) return { command, rest };
    command = next;
    rest = rest.slice(1);
  }
}

/** Options among these words: `--to=5` is `--to`. */
export const optionsAmong = (words: readonly string[]): readonly string[] =>
  words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*$/, ''));

/** Tests that run commands as processes of their own, with their text. */
export function runningTests(): readonly { readonly file: string; readonly text: string }[] {
  const folders = [
    'tests/contract',
    'tests/e2e',
    'tests/full',
    'tests/cluster',
    'tests/chaos',
    'tests/support',
    'lab/demo',
  ];
  const tests = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') })),
  );
  // That test runs the lines of the guide themselves.
  return [...tests, { file: 'tests/e2e/guide.test.ts', text: readFileSync(join(root, 'docs/guide.md'), 'utf8') }];
}

/**
 * Whether a test's text calls a command by these words: as one text ('mirror check --json'), as a list of texts
 * ('mirror', 'check'), by a function named after its first word (`mirror('check')`), or on a line of a shell.
 */
export function calls(text: string, path: readonly string[]): boolean {
  const words = path.map((word) => word.replaceAll(/[^\w]/g, '\\$&'));
  const [first = '', ...others] = words;
  const inOne = `['"\`]${words.join(' ')}(?:['"\`]|\\s)`;
  const asList = words.map((word) => `['"\`]${word}['"\`]`).join('\\s*,\\s*(?:\\.\\.\\.[\\w.]+,\\s*)?');
  const byFunction = `(?<![\\w-])${first}\\((?:[\\w.]+, )?['"\`]${others.join(' ')}(?:['"\`]|\\s)`;
  const inShell = `^(?:until )?argus ${words.join(' ')}(?:$|[\\s;])`;
  const ways = [inOne, asList, inShell, ...(others.length > 0 ? [byFunction] : [])];
  return ways.some((way) => new RegExp(way, 'm').test(text));
}

/** Every command that acts, by its words. */
export const actingCommands = (tree: TreeCommand): ReadonlyMap<string, TreeCommand> =>
  new Map(everyCommand(tree).flatMap((command) => (command.acts ? [[command.path.join(' '), command] as const] : [])));
