import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { FULL, putFullSample } from '../support/checkpoint-bucket.ts';
import { type CheckpointRegions, startCheckpointRegions } from '../support/checkpoint-regions.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} };
const REPLICA = 'argus-flink-checkpoints-replica';

let regions: CheckpointRegions;

/** The command as a process, which has to end with this code. */
async function argus(expected: number, ...args: readonly string[]): Promise<string> {
  const ended = await regions.checkpoints(...args);
  expect(ended.code, ended.stderr).toBe(expected);
  return ended.stdout;
}

beforeAll(async () => {
  regions = await startCheckpointRegions();
  const { source, target } = regions;
  await putFullSample(source);
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
  expect((await sync.step()).replicated).toMatchObject(FULL);
});

afterAll(() => regions?.stop());

test('list --source says what the primary has, and what of it the replica has, also while Flink is silent', async () => {
  const { jobs } = JSON.parse(await argus(0, 'list', '--source', '--job', FULL.flinkJobId, '--json'));
  expect(jobs).toMatchObject([
    { job: 'counts', points: [{ ...FULL, kind: 'checkpoint', seenIn: ['bucket'], replicated: true }] },
  ]);
  expect(jobs[0].flinkSilent).toContain('did not answer');
});

test('relocate gives a person what he can restore elsewhere, and writes over nothing', async () => {
  const { target } = regions;
  const out = join(regions.stateFolder, 'restored');
  const prefix = `s3://${REPLICA}/relocated/try`;
  const [replica, local, refused] = await Promise.all([
    argus(0, 'relocate', '4', '--to', prefix, '--copy', '--offset', 'orders9-0=1', '--json'),
    argus(0, 'relocate', '4', '--source', '--to', out, '--copy', '--drop-transactions'),
    argus(3, 'relocate', '4', '--to', 's3://flink-primary/relocated'),
  ]);
  expect(refused).toBe('');
  const written = JSON.parse(replica);
  expect(written).toMatchObject({ written: true, uri: `${prefix}/metadata`, filesLeft: 0 });
  expect(written.sourceOffsets).toContainEqual({ topic: 'orders9', partition: 0, offset: '1' });
  const there = (await target.list('relocated/')).objects.map(({ key }) => key);
  expect(there).toHaveLength(written.filesCopied + 1);
  expect(local).toContain(`flink run -d -s file://${out}/metadata -restoreMode NO_CLAIM`);
  const kept = await readdir(out, { recursive: true, withFileTypes: true });
  expect(kept.filter((entry) => entry.isFile())).toHaveLength(there.length);
  expect(kept.filter((entry) => entry.name.startsWith('.'))).toEqual([]);
  await argus(3, 'relocate', '4', '--to', prefix, '--dry-run');
  expect((await target.list('relocated/')).objects).toHaveLength(there.length);
});
