// Reads and relocates one `_metadata` in a process of its own: `metadata-process.js <file> <relocated file>`.
import { appendFileSync, readFileSync } from 'node:fs';
import { dropCommittables } from '../../regions/flink/kafka-state.ts';
import { relocateOperator } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadataPieces } from '../../regions/flink/metadata-writer.ts';
import { PRIMARY } from './large-metadata.ts';

/** What the process prints, in milliseconds and KiB. */
export interface RelocationRun {
  readonly readMs: number;
  readonly writeMs: number;
  readonly operators: number;
  readonly peakKiB: number;
}

const [from = '', to = ''] = process.argv.slice(2);
const start = performance.now();
const bytes = readFileSync(from);
const metadata = readMetadata(bytes);
const read = performance.now();
const directory = `${PRIMARY}/checkpoints/edf7a6aa04268d723b4bc8e37a77a63d/chk-4711`;
const move = (uri: string) => (uri.startsWith(PRIMARY) ? `s3://replica${uri.slice(PRIMARY.length)}` : undefined);
const relocate = relocateOperator({ directory, move });
const relocated = writeMetadataPieces(metadata, (operator) => relocate(dropCommittables(operator)));
const written = performance.now();
const run: RelocationRun = {
  readMs: read - start,
  writeMs: written - read,
  operators: metadata.operators.length,
  peakKiB: process.resourceUsage().maxRSS,
};
for (const piece of relocated) appendFileSync(to, piece);
console.log(JSON.stringify(run));
