import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const pkg = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  engines: { node: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
/** Tools without a module to import: they are asked for their version instead. */
const tools: Record<string, string> = {
  '@biomejs/biome': 'biome',
  knip: 'knip',
  node: 'node',
  'typescript-native': '../typescript-native/bin/tsc',
};
/** Packages that have modules only below their name: one of them. */
const below: Record<string, string> = { '@grafana/grafana-foundation-sdk': 'dashboard' };
const typesOnly = (name: string) => name.startsWith('@types/');

test('the tests run on the Node that the package asks for', () => {
  expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(24);
  expect(pkg.engines.node).toBe('>=24');
});

test.each(Object.keys({ ...pkg.dependencies, ...pkg.devDependencies }).filter((n) => !(n in tools) && !typesOnly(n)))(
  '%s is imported by the pinned Node',
  async (name) => {
    expect(Object.keys(await import(name in below ? `${name}/${below[name]}` : name)).length).toBeGreaterThan(0);
  },
);

test.each(Object.entries(tools))('%s runs on the pinned Node', (_name, bin) => {
  expect(execFileSync(join(root, 'node_modules/.bin', bin), ['--version'], { encoding: 'utf8' })).toMatch(/\d+\.\d+/);
});
