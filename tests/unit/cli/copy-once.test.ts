import { expect, test } from 'vitest';
import { progressLine } from '../../../cli/copy-once.ts';

const at = { checkpointId: 42, files: 12, totalFiles: 40, bytes: 31_000_000, totalBytes: 124_000_000 };

test.each([
  ['in its midst', at, 2_000, 'checkpoint 42: 12 of 40 files, 31 MB of 124 MB, 15.5 MB/s, about 6.0 s left'],
  ['at its beginning nobody can tell', { ...at, files: 0, bytes: 0 }, 0, 'checkpoint 42: 0 of 40 files, 0 B of 124 MB'],
  [
    'a file that grew makes it more than all',
    { ...at, bytes: 125_000_000 },
    10_000,
    'checkpoint 42: 12 of 40 files, 125 MB of 124 MB, 12.5 MB/s, about 0 ms left',
  ],
])('the progress of a copy: %s', (_, now, tookMs, line) => {
  expect(progressLine(now, tookMs)).toBe(line);
});
