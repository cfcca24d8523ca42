// One share of a fuzz run: `metadata-process.ts <first seed> <inputs> <step> <CPU ms an input> <progress file>`.
import { openSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import { flinkSample, sampleNames } from '../support/flink-samples.ts';
import { anyMetadata } from '../unit/regions/flink/any-metadata.ts';
import type { Tally } from './fuzz-metadata.ts';
import { mutant } from './mutations.ts';
import { tryMetadata } from './try-metadata.ts';

const [firstSeed = 0, inputs = 0, step = 1, cpuMs = 0] = process.argv.slice(2, 6).map(Number);
const progress = openSync(process.argv[6] ?? '', 'w');
const mark = Buffer.alloc(8);

/** What Flink wrote, and for the kinds and versions that it didn't write here what Argus' writer makes of them. */
const captured = sampleNames.map((name) => flinkSample(name).bytes);
const made = fc.sample(anyMetadata, { seed: 5, numRuns: 300 }).map((metadata) => writeMetadata(metadata));
const corpus = [...captured, ...captured, ...captured, ...captured, ...made];

const tally: { -readonly [K in keyof Tally]: Tally[K] } = { accepted: 0, refused: 0, failures: [], slowestCpuMs: 0 };
const failures: string[] = [];
for (let n = 0; n < inputs && failures.length < 10; n++) {
  const seed = firstSeed + n * step;
  const bytes = mutant(corpus, seed);
  // What is left when this process dies of an input, or hangs.
  mark.writeDoubleBE(seed);
  writeSync(progress, mark, 0, 8, 0);
  const before = process.threadCpuUsage();
  try {
    tally[tryMetadata(bytes)] += 1;
  } catch (error) {
    failures.push(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
  }
  const used = process.threadCpuUsage(before);
  const ms = (used.user + used.system) / 1000;
  tally.slowestCpuMs = Math.max(tally.slowestCpuMs, ms);
  if (ms > cpuMs) failures.push(`seed ${seed}: ${ms.toFixed(0)} ms of CPU for ${bytes.length} bytes`);
}
process.send?.({ ...tally, failures });
