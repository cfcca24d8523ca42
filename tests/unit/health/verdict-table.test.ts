import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { verdictTable } from '../../../health/verdict-table.ts';

const documented = readFileSync(new URL('../../../docs/verdicts.md', import.meta.url), 'utf8');

test('docs/verdicts.md has the table that is used', () => {
  const rows = documented
    .split('\n')
    .filter((line) => /^\| `/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const expected = Object.entries(verdictTable).map(([code, rule]) => [
    `\`${code}\``,
    rule.severity,
    rule.act === 'failover' ? '**failover**' : '',
    rule.meaning,
    rule.advise,
  ]);
  expect(rows).toEqual(expected);
});
