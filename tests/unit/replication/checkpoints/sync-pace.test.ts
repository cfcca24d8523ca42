import { describe, expect, test } from 'vitest';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { listReplica, verifyPoint } from '../../../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import { type CopyAttempt, judgePace } from '../../../../replication/checkpoints/sync-pace.ts';
import { fakeFlink } from '../../../support/fake-flink.ts';

const attempt = (checkpointId: number, over: Partial<CopyAttempt> = {}): CopyAttempt => ({
  flinkJobId: 'a',
  checkpointId,
  completedAtMs: checkpointId * 5_000,
  tookMs: 1_000,
  outcome: 'replicated',
  ...over,
});
const lost = (checkpointId: number) => attempt(checkpointId, { outcome: 'superseded' });
const long = (checkpointId: number, tookMs = 6_000) => attempt(checkpointId, { tookMs });

describe('the pace', () => {
  test.each<[string, readonly CopyAttempt[], boolean]>([
    ['no try yet', [], false],
    ['one that was removed may be bad luck', [attempt(1), lost(2)], false],
    ['two in a row are none', [attempt(1), lost(2), lost(3)], true],
    ['never any', [lost(1), lost(2), lost(3)], true],
    ['one that was copied ends it', [lost(1), lost(2), attempt(3)], false],
    ['a long first copy', [long(1, 60_000), attempt(13), attempt(14)], false],
    ['each one longer than the interval', [long(1), long(2), long(3)], true],
    ['checkpoints between them that were never copied', [long(1, 12_000), long(4, 12_000), long(7, 12_000)], true],
    [
      'long, but the job makes fewer',
      [1, 2, 3].map((id) => long(id)).map((a) => ({ ...a, completedAtMs: a.checkpointId * 60_000 })),
      false,
    ],
    ['of another run', [long(1), long(2), { ...long(3), flinkJobId: 'b' }], false],
  ])('%s', (_, attempts, slow) => {
    expect(judgePace(attempts)?.code).toBe(slow ? 'CopySlowerThanCheckpoints' : undefined);
  });

  test('is told with what to do', () => {
    expect(judgePace([lost(1), lost(2)])).toEqual({
      code: 'CopySlowerThanCheckpoints',
      message:
        'Flink removed the last 2 checkpoints before their copies were complete (the newest try took 1 s; the job makes one each 5 s): raise checkpoints.bandwidth, execution.checkpointing.num-retained, or execution.checkpointing.interval',
      lostInARow: 2,
      tookMs: 1_000,
      intervalMs: 5_000,
    });
  });
});

/**
 * A job whose next checkpoint is complete, and the one before it removed, whenever so many files were read: so the copy
 * of a checkpoint is never done when more files are missing.
 */
async function race(options: { readonly readsPerInterval: number; readonly full: boolean }) {
  let at = 0;
  const clock = { now: () => at, monotonic: () => at, sleep: async () => {} };
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary', now: clock.now });
  const target = memoryObjectStore('standby', { uri: 's3://replica', now: clock.now });
  // The job has much state; each checkpoint adds two files.
  const flink = fakeFlink({
    store: source,
    seed: 'race',
    full: options.full,
    newFiles: (id) => Array.from({ length: id === 1 || options.full ? 40 : 2 }, () => 100),
    liveFiles: 40,
  });
  await flink.complete();
  let reads = 0;
  let turning: Promise<unknown> = Promise.resolve();
  const hurried = {
    ...source,
    async get(...args: Parameters<typeof source.get>) {
      if (args[0].endsWith('/_metadata')) return source.get(...args);
      at += 100;
      if (++reads % options.readsPerInterval === 0) {
        turning = turning.then(() => flink.complete()).then(() => flink.subsume());
      }
      await turning;
      return source.get(...args);
    },
  };
  const sync = createCheckpointSync({
    job: 'counts',
    prefix: 'checkpoints',
    source: hurried,
    target,
    clock,
    parallelism: 2,
  });
  return { sync, target };
}

describe('a copy that loses against Flink', () => {
  test('leaves the next one less to do, so that an incremental checkpoint is complete in the end', async () => {
    const { sync, target } = await race({ readsPerInterval: 12, full: false });
    const lacking: number[] = [];
    let steps = 0;
    for (let replicated = false; !replicated; steps++) {
      expect(steps).toBeLessThan(12);
      let total = 0;
      const step = await sync.step({
        onProgress: ({ totalFiles }) => {
          total = totalFiles;
        },
      });
      lacking.push(total);
      replicated = step.replicated !== undefined;
    }
    expect(steps).toBeGreaterThan(2);
    expect(lacking).toEqual([...lacking].sort((a, b) => b - a));
    expect(sync.status().superseded).toBe(steps - 1);
    const { points, objects } = await listReplica(target, 'counts', { hashMetadata: true });
    expect(points.map((point) => verifyPoint(point, objects))).toEqual([[]]);
  });

  test('is told while none is ever complete, since each brings only files of its own', async () => {
    const { sync, target } = await race({ readsPerInterval: 12, full: true });
    for (let n = 0; n < 5; n++) expect((await sync.step()).replicated).toBeUndefined();
    expect(sync.status()).toMatchObject({ superseded: 5, slow: { code: 'CopySlowerThanCheckpoints', lostInARow: 5 } });
    expect((await listReplica(target, 'counts')).points).toEqual([]);
  });
});
