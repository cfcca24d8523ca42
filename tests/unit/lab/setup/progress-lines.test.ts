import { expect, test } from 'vitest';
import { progressLines } from '../../../../lab/setup/progress-lines.ts';

test('a set-up that finds everything there writes nothing', () => {
  const lines: string[] = [];
  const onEvent = progressLines((line) => lines.push(line));
  onEvent({ part: 'kafka', state: 'checking' });
  onEvent({ part: 'kafka', state: 'ready', ms: 0 });
  expect(lines).toEqual([]);
});

test('a part says when it starts, now and then how far it is, and how it ended', () => {
  const lines: string[] = [];
  let ms = 0;
  const onEvent = progressLines(
    (line) => lines.push(line.replace(/ +/g, ' ')),
    1_000,
    () => ms,
  );
  onEvent({ part: 'kafka', state: 'installing' });
  onEvent({ part: 'kafka', state: 'installing', detail: '1 files fetched' });
  ms = 1_000;
  onEvent({ part: 'kafka', state: 'installing', detail: '2 files fetched' });
  onEvent({ part: 'kafka', state: 'ready', ms: 1_500 });
  onEvent({ part: 'go', state: 'failed', detail: 'no network', ms: 10 });
  expect(lines).toEqual([
    'kafka installing …',
    'kafka installing: 2 files fetched',
    'kafka ready (1.5 s)',
    'go failed: no network',
  ]);
});
