import { expect, test } from 'vitest';
import { fuzzMetadata } from '../../../fuzz/fuzz-metadata.ts';

test('10,000 damaged files: only the codec’s own error, in bounded time and memory', async () => {
  const tally = await fuzzMetadata({ firstSeed: 1, inputs: 10_000, processes: 1 });
  expect(tally.failures).toEqual([]);
  expect(tally.accepted + tally.refused).toBe(10_000);
  // Both happen often, else the mutations are too mild or too rough to find anything.
  expect(tally.accepted).toBeGreaterThan(1_000);
  expect(tally.refused).toBeGreaterThan(1_000);
}, 120_000);
