import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../fixtures/flink');

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** One captured checkpoint: see fixtures/README.md. */
export interface FlinkSample {
  readonly name: string;
  readonly bytes: Buffer;
  readonly listing: readonly ListedObject[];
  /** The key of the directory that holds its `_metadata`. */
  readonly directory: string;
  /** Of the job's source topic. */
  readonly partitions: number;
  /** Bytes of a referenced object, where the sample has them. */
  file(key: string): Buffer | undefined;
}

export const SAMPLE_BUCKET = 'flink-primary';

export const sampleNames: readonly string[] = readdirSync(root).sort();

export function flinkSample(name: string): FlinkSample {
  const bytes = readFileSync(join(root, name, '_metadata'));
  const listing = readFileSync(join(root, name, 'listing.txt'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [size = '', time = '', key = ''] = line.split(' ');
      return { key, sizeBytes: Number(size), modifiedAtMs: Date.parse(time) };
    });
  // The captured one is the newest in its listing.
  const metadata = listing.filter((o) => o.key.endsWith('/_metadata')).sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
  const newest = metadata.findLast((o) => o.sizeBytes === bytes.length);
  if (newest === undefined) throw new Error(`sample ${name}: its listing has no _metadata of ${bytes.length} bytes`);
  return {
    name,
    bytes,
    listing,
    directory: newest.key.slice(0, -'/_metadata'.length),
    partitions: name === 'v4-unaligned' ? 4 : 2,
    file(key) {
      const path = join(root, name, 'files', key);
      return existsSync(path) ? readFileSync(path) : undefined;
    },
  };
}
