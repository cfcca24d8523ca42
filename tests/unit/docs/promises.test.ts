import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './documented-commands.ts';

const text = readFileSync(join(root, 'docs/promises.md'), 'utf8');

test('every test that docs/promises.md names is there, by its title', () => {
  const named = [...text.matchAll(/(?:"([^"]+)" in )?\[[\w.-]+\]\(\.\.\/(tests\/[\w./-]+\.ts)\)/g)];
  expect(named.length).toBeGreaterThan(20);
  const lacking = named.flatMap(([, title, file = '']) => {
    if (!existsSync(join(root, file))) return [file];
    return title === undefined || readFileSync(join(root, file), 'utf8').includes(title) ? [] : [`${file}: ${title}`];
  });
  expect(lacking).toEqual([]);
});

test('every code that docs/faq.md names is one that Argus gives', () => {
  const faq = readFileSync(join(root, 'docs/faq.md'), 'utf8');
  const codes = new Set([...faq.matchAll(/`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`/g)].map(([, code = '']) => code));
  expect(codes.size).toBeGreaterThan(15);
  const folders = ['cli', 'daemon', 'drills', 'runbooks', 'health', 'replication', 'state', 'regions', 'domain'];
  const sources = execFileSync('git', ['grep', '-hoE', '[A-Z][a-z]+([A-Z][a-z]+)+', '--', ...folders], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const given = new Set(sources.split('\n'));
  expect([...codes].filter((code) => !given.has(code))).toEqual([]);
});
