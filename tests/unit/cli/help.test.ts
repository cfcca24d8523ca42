import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const main = join(import.meta.dirname, '../../../cli/main.ts');
const help = (path: readonly string[]) =>
  execFileSync(process.execPath, [main, ...path, '--help'], { encoding: 'utf8' });

/** The commands that a help text lists below a path. */
function listed(text: string): readonly string[] {
  const section = /\nCommands:\n((?: {2}.*\n?)*)/.exec(text)?.[1] ?? '';
  return [...section.matchAll(/^ {2}([a-z-]+)/gm)].map((m) => m[1] as string).filter((name) => name !== 'help');
}

function everyCommand(path: readonly string[] = []): readonly (readonly string[])[] {
  return [path, ...listed(help(path)).flatMap((name) => everyCommand([...path, name]))];
}

test('every command explains itself, with an example', { timeout: 60_000 }, () => {
  const commands = everyCommand();
  expect(commands.map((c) => c.join(' '))).toEqual(expect.arrayContaining(['failover', 'mirror check', 'runs show']));
  for (const path of commands) expect(help(path), path.join(' ')).toMatch(/Example:\n {2}\$ argus /);
});
