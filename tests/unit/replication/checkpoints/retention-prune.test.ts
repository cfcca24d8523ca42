import { expect, test } from 'vitest';
import { type MemoryObjectStore, memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import { listReplica, verifyPoint } from '../../../../replication/checkpoints/replica.ts';
import { applyRetention, gatherRetention } from '../../../../replication/checkpoints/retention-prune.ts';
import { copyPoint, fileKey, folderOf, JOB } from './replica-history.ts';

const HOUR = 3_600_000;
const RULES = { keep: 3, maxAgeMs: 24 * HOUR };

/** A store that works for so many deletions and puts, then no more: what a kill leaves. */
function dyingAfter(store: ObjectStore, writes: number): ObjectStore {
  let left = writes;
  const spend = () => {
    if (left-- <= 0) throw new Error('killed');
  };
  return {
    ...store,
    async put(...args) {
      spend();
      return store.put(...args);
    },
    async delete(...args) {
      spend();
      return store.delete(...args);
    },
  };
}

async function prune(store: ObjectStore, held: ReadonlySet<string> = new Set()) {
  const plan = await gatherRetention(store, JOB, RULES, held, 'writeClock');
  await applyRetention(store, plan);
  return plan;
}

async function expectAllComplete(store: ObjectStore) {
  const { points, objects } = await listReplica(store, JOB);
  for (const point of points) expect(verifyPoint(point, objects)).toEqual([]);
  return { points, objects };
}

async function history(points: number): Promise<{ store: MemoryObjectStore; clock: { atMs: number } }> {
  const clock = { atMs: 0 };
  const store = memoryObjectStore('standby', { now: () => clock.atMs });
  const known = new Map<string, string>();
  for (let n = 1; n <= points; n++) {
    clock.atMs = n * 5_000;
    await copyPoint(store, n, [`shared/${n - 1}`, `shared/${n}`, `chk-${n}/state`], clock.atMs, known);
  }
  return { store, clock };
}

test('manifests go before their metadata, and both before any file', async () => {
  const { store } = await history(5);
  store.calls.length = 0;
  await prune(store);
  const deleted = store.calls.filter((c) => c.startsWith('delete ')).map((c) => c.slice(7));
  expect(deleted.slice(0, 4)).toEqual(
    [1, 2].flatMap((n) => [`${folderOf(n)}/manifest.json`, `${folderOf(n)}/_metadata`]),
  );
  const files = ['shared/0', 'shared/1', 'chk-1/state', 'chk-2/state'].map(fileKey);
  expect(deleted.slice(4).sort()).toEqual(files.sort());
  expect((await expectAllComplete(store)).points.length).toBe(3);
});

test('killed after any number of writes, each manifest has its files, and the next prunes leave nothing', async () => {
  for (let writes = 0; writes < 10; writes++) {
    const { store, clock } = await history(5);
    await prune(dyingAfter(store, writes)).catch(() => undefined);
    await expectAllComplete(store);
    await prune(store);
    clock.atMs += HOUR;
    await prune(store);
    const { points, objects } = await expectAllComplete(store);
    expect(points.map((p) => p.manifest.checkpointId)).toEqual([5, 4, 3]);
    expect(objects.size).toBe(3 * 2 + 4 + 3 + 1);
  }
});

test('stops before the next deletion when the right to delete is lost', async () => {
  const { store } = await history(5);
  const plan = await gatherRetention(store, JOB, RULES, new Set(), { nowMs: 0 });
  let asked = 0;
  const check = () => {
    if (++asked === 3) throw new Error('lost');
  };
  await expect(applyRetention(store, plan, { check })).rejects.toThrow('lost');
  expect(store.calls.filter((c) => c.startsWith('delete ')).length).toBe(2);
  await expectAllComplete(store);
});

test('a day with a checkpoint every 5 s, killed copies and killed prunes: bounded, complete, no old orphans', async () => {
  const clock = { atMs: 0 };
  const store = memoryObjectStore('standby', { now: () => clock.atMs });
  // A linear congruential generator: the same day each time.
  let seed = 20_261_121;
  const chance = (part: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed < part * 2_147_483_648;
  };
  const known = new Map<string, string>();
  const shared: string[] = [];
  const held = new Set<string>();
  let mostObjects = 0;
  for (let n = 1; n <= 17_280; n++) {
    clock.atMs = n * 5_000;
    shared.push(`shared/${n}`);
    // Compaction: some of the older files live long, most don't.
    while (shared.length > 12) shared.splice(chance(0.1) ? 0 : 3, 1);
    const files = [...shared, `chk-${n}/state`];
    const into = chance(0.02) ? dyingAfter(store, 1 + (n % 3)) : store;
    await copyPoint(into, n, files, clock.atMs, known).catch(() => undefined);
    if (n === 5_000) held.add(folderOf(n));
    if (n % 60 !== 0) continue;
    const dying = chance(0.1);
    await prune(dying ? dyingAfter(store, n % 97) : store, held).catch(() => undefined);
    known.clear();
    const { points, objects } = await expectAllComplete(store);
    for (const { key, etag } of objects.values()) known.set(key, etag);
    expect(points.length).toBeGreaterThanOrEqual(3);
    if (dying) continue;
    mostObjects = Math.max(mostObjects, objects.size);
    const needed = new Set(points.flatMap((p) => p.manifest.files.map((f) => f.key)));
    const old = [...objects.values()].filter(
      (o) => o.key.startsWith(fileKey('')) && !needed.has(o.key) && clock.atMs - o.modifiedAtMs > HOUR,
    );
    expect(old).toEqual([]);
  }
  const { points } = await expectAllComplete(store);
  expect(points.map((p) => p.manifest.checkpointId)).toContain(5_000);
  expect(mostObjects).toBeLessThan(300);
});

test('points whose metadata holds other bytes of the same size push out none that is whole', async () => {
  const { store } = await history(5);
  for (const n of [3, 4, 5]) {
    const key = `${folderOf(n)}/_metadata`;
    const body = (await store.get(key))?.body ?? new Uint8Array();
    await store.put(key, new Uint8Array(body.length).fill(0xee));
  }
  await prune(store);
  const { points } = await listReplica(store, JOB, { hashMetadata: true });
  expect(points.map((p) => p.manifest.checkpointId)).toEqual(expect.arrayContaining([1, 2]));
});
