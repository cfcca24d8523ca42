import { expect, test } from 'vitest';
import { decideAlignment } from '../../../../replication/topics/align-plan.ts';

const empty = { standbyStart: 0n, standbyEnd: 0n, sourceStart: 0n, placeholders: false };

test.each([
  ['two logs that begin at 0', empty, { kind: 'none' }],
  ['a source that begins later', { ...empty, sourceStart: 9n }, { kind: 'align', to: 9n }],
  [
    'an empty standby that was aligned before, and a source that went on',
    { ...empty, standbyStart: 9n, standbyEnd: 9n, sourceStart: 12n },
    { kind: 'align', to: 12n },
  ],
  [
    'an empty standby that is where the source begins',
    { ...empty, standbyStart: 9n, standbyEnd: 9n, sourceStart: 9n },
    { kind: 'none' },
  ],
  [
    'placeholders that were left on the way',
    { standbyStart: 0n, standbyEnd: 5n, sourceStart: 9n, placeholders: true },
    { kind: 'align', to: 9n },
  ],
  [
    'placeholders that only were not deleted',
    { standbyStart: 0n, standbyEnd: 9n, sourceStart: 9n, placeholders: true },
    { kind: 'align', to: 9n },
  ],
  [
    'records, also where the source has deleted what would follow',
    { standbyStart: 0n, standbyEnd: 5n, sourceStart: 9n, placeholders: false },
    { kind: 'none' },
  ],
  [
    'placeholders where the source has records now',
    { standbyStart: 0n, standbyEnd: 5n, sourceStart: 3n, placeholders: true },
    { kind: 'stop', stop: { reason: 'Diverged' } },
  ],
] as const)('%s', (_what, view, expected) => {
  expect(decideAlignment(view)).toMatchObject(expected);
});
