import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { translatePoint } from '../../replication/checkpoints/translate-point.ts';
import { putFullSample } from '../support/checkpoint-bucket.ts';

const program = fileURLToPath(new URL('../support/java/Splits.java', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-test-splits-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What Flink's own code, and the Kafka connector's, restore from a `_metadata` at this parallelism. */
async function restoredByFlink(metadata: Uint8Array, parallelism: number): Promise<readonly string[]> {
  const { java, flinkLibs } = await ensureArtifacts({});
  const file = join(folder, '_metadata');
  await writeFile(file, metadata);
  const flags = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=ERROR', '-cp', `${flinkLibs}/*`];
  const { stdout } = await promisify(execFile)(java, [...flags, program, file, `${parallelism}`], { timeout: 170_000 });
  return stdout.trimEnd().split('\n').sort();
}

/** A translated point of a busy job, whose second name is longer than the first. */
async function translated() {
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  const target = memoryObjectStore('standby', { uri: 's3://replica' });
  await putFullSample(source);
  const clock = { now: () => 1, monotonic: () => 1, sleep: async () => undefined };
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
  const manifest = (await sync.step()).replicated!;
  const [{ topic } = { topic: '' }] = manifest.sourceOffsets;
  const name = `mumbai.${topic}.längerer-name`;
  const told = await translatePoint(target, manifest, {
    topics: [topic],
    standbyTopic: () => name,
    translate: async ({ partition }, offset) => ({ kind: 'exact', offset: offset - 1_000n * BigInt(partition + 1) }),
  });
  if (told.kind === 'refused') throw new Error(told.reasons[0]?.message);
  return { bytes: told.point.metadata.bytes, name };
}

const readersOf = (lines: readonly string[]) =>
  lines
    .filter((line) => line.startsWith('reader'))
    .map((line) => line.replace(/^reader \d+: /, ''))
    .sort();

describe('splits that were changed, as Flink 2.2 restores them', () => {
  test.each([2, 3, 1])(
    'at parallelism %i: the offsets and topics of the standby, each once',
    async (parallelism) => {
      const { bytes, name } = await translated();
      const lines = await restoredByFlink(bytes, parallelism);
      expect(readersOf(lines)).toEqual([`${name}-0 at 5470`, `${name}-1 at 3650`]);
      expect(lines.filter((line) => line.startsWith('enumerator'))).toEqual([
        `enumerator: ${name}-0 at -3`,
        `enumerator: ${name}-1 at -3`,
      ]);
    },
    120_000,
  );
});
