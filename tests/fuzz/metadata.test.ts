import { expect, test } from 'vitest';
import { fuzzMetadata } from './fuzz-metadata.ts';

/** Another million each time; a failure names its seed, which makes the same bytes again. */
const firstSeed = Number(process.env.ARGUS_FUZZ_SEED ?? Date.now() % 1_000_000_000);

test(`a million damaged files from seed ${firstSeed} on: only the codec’s own error`, async () => {
  const tally = await fuzzMetadata({ firstSeed, inputs: 1_000_000, processes: 2 });
  console.log(
    `accepted ${tally.accepted}, refused ${tally.refused}, slowest ${tally.slowestCpuMs.toFixed(0)} ms of CPU`,
  );
  expect(tally.failures).toEqual([]);
  expect(tally.accepted + tally.refused).toBe(1_000_000);
});
