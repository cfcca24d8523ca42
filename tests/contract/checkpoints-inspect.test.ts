import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { listReplica } from '../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import { FULL, putFullSample } from '../support/checkpoint-bucket.ts';
import { type CheckpointRegions, startCheckpointRegions } from '../support/checkpoint-regions.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} };

let regions: CheckpointRegions;
let target: ObjectStore;

/** The command as a process, which has to end with this code; nothing of Kafka, Flink or DNS is there. */
async function argus(expected: number, ...args: readonly string[]): Promise<string> {
  const ended = await regions.checkpoints(...args);
  expect(ended.code, ended.stderr).toBe(expected);
  return ended.stdout;
}

beforeAll(async () => {
  regions = await startCheckpointRegions();
  const { source } = regions;
  target = regions.target;
  await putFullSample(source);
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock });
  expect((await sync.step()).replicated).toMatchObject(FULL);
});

afterAll(() => regions?.stop());

test('show tells of the replica’s copy, of the primary’s own, and of a URI', async () => {
  const [copy, own, uri, missing] = await Promise.all([
    argus(0, 'show', '4', '--json'),
    argus(0, 'show', '4', '--source', '--job', FULL.flinkJobId),
    argus(0, 'show', `s3://flink-primary/checkpoints/${FULL.flinkJobId}/chk-4`, '--json'),
    argus(2, 'show', '5'),
  ]);
  const shown = JSON.parse(copy);
  expect(shown).toMatchObject({ region: 'singapore', checkpointId: '4', transactionsDropped: true, others: [] });
  expect(JSON.parse(uri)).toMatchObject({ region: 'mumbai', sourceOffsets: shown.sourceOffsets });
  expect(own).toContain(`Flink job id   ${FULL.flinkJobId}`);
  expect(own).toMatch(/-0 {2}6470\n.*-1 {2}5650\n/);
  expect(own).toMatch(/enumerator of [0-9a-f]{32}: 2 partitions, 0 not given to a reader yet\n/);
  expect(own).toContain('transactional prefix "c9"');
  expect(own).toMatch(/sink transactions: \d+\n {2}\S+ {2}producer \d+, epoch \d+\n/);
  expect(missing).toBe('');
});

test('verify reads every byte, and names the file in which one bit is another', async () => {
  const good = await argus(0, 'verify', '--json');
  expect(JSON.parse(good)).toMatchObject({
    ok: true,
    firstDifference: null,
    checkpoints: [{ ...FULL, state: 'same', unprovenFiles: 0 }],
  });

  const { points } = await listReplica(target, 'counts');
  const file = points[0]?.manifest.files.find((f) => f.sizeBytes > 1_000);
  const key = file?.key ?? '';
  const body = (await target.get(key))?.body ?? new Uint8Array();
  const changed = body.map((byte, i) => (i === 999 ? byte ^ 1 : byte));
  await target.put(key, changed);
  const bad = await argus(1, 'verify', '--checkpoint', '4');
  expect(bad).toContain(`singapore differs first in checkpoint 4 of counts: ${key} is not what was copied`);
  await target.put(key, body);
  await argus(0, 'verify', '--job', 'counts');
});

test('a file that is too large for memory is hashed on its way, and read again in pieces', async () => {
  const [{ manifest } = { manifest: undefined }] = (await listReplica(target, 'counts')).points;
  if (manifest === undefined) throw new Error('no point');
  const sizeBytes = 256 << 20;
  const piece = Buffer.alloc(1 << 20, 'argus');
  const stream = Readable.from(
    (function* () {
      for (let i = 0; i < 256; i++) yield piece;
    })(),
    { objectMode: false },
  );
  await target.put('large', { stream, sizeBytes });
  const checksum = { sha256: '0'.repeat(64), sizeBytes };
  const files = [{ key: 'large', sizeBytes, sizeRule: 'exact' as const, etag: '', checksum }];
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const result = await verifyCheckpoints({
    store: target,
    manifests: [{ ...manifest, files: [...manifest.files, ...files] }],
    onProgress: () => {
      peak = Math.max(peak, process.memoryUsage.rss());
    },
  });
  expect(result.checkpoints[0]?.differences.map((d) => [d.key, d.code])).toEqual([['large', 'BytesDiffer']]);
  // Half of it: what is read waits for the garbage collector, so less would be told by chance.
  expect(peak - before).toBeLessThan(sizeBytes / 2);
  await target.delete('large');
});
