import { expect, it } from 'vitest';
import { evidenceText } from '../../../../cli/tui/evidence-text.ts';
import type { Json } from '../../../../state/journal.ts';

it.each<[string, Json, string]>([
  ['nothing', null, ''],
  ['words', ['ALLOW User:ingest WRITE'], 'ALLOW User:ingest WRITE'],
  ['keys as words', { drained: false, accepted: true, closedIds: 0 }, 'not drained; accepted; closed ids 0'],
  [
    'offsets by their partitions, and how many more there are',
    { endOffsets: [0, 1, 2, 3].map((partition) => ({ topic: 'events', partition, offset: '407' })) },
    'end offsets events-0 at 407, events-1 at 407, events-2 at 407 and 1 more',
  ],
  [
    'instants as times, and durations with their unit',
    { counts: { id: 3, completedAtMs: 1_795_318_151_678 }, lagMs: 1_500, atMs: 1_795_318_151_678 },
    'counts id 3; completed at 03:29:11; lag 1.5 s; at 03:29:11',
  ],
  ['names as they are', { 'my-job.v2': 'ok' }, 'my-job.v2 ok'],
  ['an empty list as none', { gap: [] }, 'no gap'],
])('tells %s', (_, evidence, text) => {
  expect(evidenceText(evidence)).toBe(text);
});
