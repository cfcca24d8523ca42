import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const main = join(import.meta.dirname, '../../../cli/main.ts');
const call = promisify(execFile);

/** The commands that a help text lists below a path. */
function listed(text: string): readonly string[] {
  const section = /\nCommands:\n((?: {2}.*\n?)*)/.exec(text)?.[1] ?? '';
  return [...section.matchAll(/^ {2}([a-z-]+)/gm)].map((m) => m[1] as string).filter((name) => name !== 'help');
}

/** The help of a path and of every command below it, by the path. */
async function helpBelow(path: readonly string[] = []): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await call(process.execPath, [main, ...path, '--help']);
  const names = listed(stdout);
  const below = (name: string) => helpBelow([...path, name]);
  // The commands of a family together, one family after the other.
  const found: ReadonlyMap<string, string>[] = [];
  if (path.length > 0) found.push(...(await Promise.all(names.map(below))));
  else for (const name of names) found.push(await below(name));
  return new Map([[path.join(' '), stdout], ...found.flatMap((texts) => [...texts])]);
}

test('every command explains itself, with an example', { timeout: 120_000 }, async () => {
  const texts = await helpBelow();
  expect([...texts.keys()]).toEqual(expect.arrayContaining(['failover', 'mirror check', 'runs show']));
  for (const [path, text] of texts) expect(text, path).toMatch(/Example:\n {2}\$ argus /);
});
