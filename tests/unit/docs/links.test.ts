import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './documented-commands.ts';

/** Every Markdown file that is kept, or is about to be. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** Anchors of a file's headings, as GitHub makes them. */
function anchors(file: string): ReadonlySet<string> {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  const found = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#{1,6}\s+(.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*_]/g, '');
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-');
    for (let n = 0; ; n++) {
      const name = n === 0 ? slug : `${slug}-${n}`;
      if (found.has(name)) continue;
      found.add(name);
      break;
    }
  }
  for (const [, id = ''] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(id);
  return found;
}

/** What is wrong with the links of a file; nothing is asked over the network. */
function broken(file: string): readonly string[] {
  const text = withoutCode(readFileSync(join(root, file), 'utf8'));
  const targets = [
    ...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g),
    ...text.matchAll(/(?:src|href)="([^"]+)"/g),
  ];
  return targets.flatMap(([, target = '']): readonly string[] => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return URL.canParse(target) ? [] : [`${file}: ${target} is no URL`];
    const [path = '', anchor] = target.split('#');
    const to = path === '' ? file : relative(root, join(root, dirname(file), decodeURIComponent(path)));
    if (to.startsWith('..') || !existsSync(join(root, to))) return [`${file}: ${target}: ${to} is not there`];
    if (anchor === undefined || !to.endsWith('.md')) return [];
    return anchors(to).has(anchor) ? [] : [`${file}: ${target}: no heading of ${to} is #${anchor}`];
  });
}

test('every link and anchor of every document leads somewhere', () => {
  expect(files.length).toBeGreaterThan(20);
  expect(files.flatMap(broken)).toEqual([]);
});

test('a document that another one names as `docs/….md` is there', () => {
  const named = files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/(?<![\w./-])(docs\/[\w-]+\.md)/g)].map(
      ([, name = '']) => [file, name] as const,
    ),
  );
  expect(named.filter(([, name]) => !existsSync(join(root, name)))).toEqual([]);
});
