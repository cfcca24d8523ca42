import { expect, test } from 'vitest';
import { readinessWords } from '../../../daemon/readiness-words.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { putReadiness } from '../../../state/readiness.ts';

const call = { signal: new AbortController().signal };

async function told(...words: readonly (readonly [atS: number, status: 'green' | 'yellow' | 'red'])[]) {
  const state = memoryObjectStore('state');
  const heard = readinessWords(state);
  for (const [atS, status] of words) {
    const word = { primary: 'blue', standby: 'green', status, sentence: '', blockers: [], warnings: [] };
    await putReadiness(state, { ...word, atMs: atS * 1_000 });
    await heard.look(call);
  }
  return (atS: number) => heard.before(atS * 1_000)?.status;
}

test('one bad look shortly before an outage does not hide that all was well', async () => {
  const before = await told([100, 'green'], [160, 'red']);
  expect(before(170)).toBe('green');
  expect(before(270)).toBe('green');
  expect(before(300)).toBe('red');
});

test('what is said during an outage counts for nothing, and neither does what is old', async () => {
  const before = await told([100, 'red'], [200, 'green']);
  expect(before(150)).toBe('red');
  expect(before(99)).toBeUndefined();
  expect(before(501)).toBeUndefined();
});
