import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import type { ObjectInfo } from '../../../../regions/objects/object-store.ts';
import { claimFolder } from '../../../../replication/checkpoints/locations.ts';
import { ORPHAN_AGE_MS, planRetention, type RetentionView } from '../../../../replication/checkpoints/retention.ts';
import { fileKey, folderOf, JOB, manifestOf, RUN, replicaOf } from './replica-history.ts';

const HOUR = 3_600_000;

function plan(manifests: readonly CheckpointManifest[], over: Partial<RetentionView> = {}) {
  return planRetention({
    job: JOB,
    replica: replicaOf(manifests),
    rules: { keep: 3, maxAgeMs: 24 * HOUR },
    held: new Set(),
    storeNowMs: 1_000 * HOUR,
    ...over,
  });
}

const ids = (points: readonly { readonly manifest: CheckpointManifest }[]) =>
  points.map((p) => p.manifest.checkpointId);
const keys = (objects: readonly { readonly key: string }[]) => objects.map((o) => o.key).sort();

/** Checkpoint n references the shared files n−2, n−1 and n. */
const incremental = (n: number) => manifestOf(n, [`shared/${n - 2}`, `shared/${n - 1}`, `shared/${n}`]);

describe('which points stay', () => {
  test('the newest of them; the oldest goes first', () => {
    const { kept, removed } = plan([1, 2, 3, 4, 5].map(incremental));
    expect(ids(kept)).toEqual([5, 4, 3]);
    expect(removed.map((p) => [p.manifest.checkpointId, p.why])).toEqual([
      [1, 'count'],
      [2, 'count'],
    ]);
  });

  test('none that is older than the newest by more than the age, whatever time it is now', () => {
    const manifests = [
      manifestOf(1, [], { completedAtMs: 0 }),
      manifestOf(2, [], { completedAtMs: HOUR }),
      manifestOf(3, [], { completedAtMs: 25 * HOUR }),
    ];
    const { kept, removed } = plan(manifests);
    expect(ids(kept)).toEqual([3, 2]);
    expect(removed.map((p) => p.why)).toEqual(['age']);
    expect(ids(plan(manifests.slice(0, 2)).kept)).toEqual([2, 1]);
  });

  test('the newest that verifies stays although enough newer ones are broken', () => {
    const replica = replicaOf([1, 2, 3, 4, 5, 6, 7].map(incremental));
    const objects = new Map(replica.objects);
    objects.delete(fileKey('shared/4'));
    objects.delete(fileKey('shared/7'));
    // Broken: 4 to 7.
    const { kept } = plan([], { replica: { ...replica, objects }, rules: { keep: 1, maxAgeMs: 24 * HOUR } });
    expect(ids(kept)).toEqual([7, 3]);
  });

  test('one that a job was restored from, with its files', () => {
    const { kept, removed, files } = plan([1, 2, 3, 4, 5].map(incremental), { held: new Set([folderOf(1)]) });
    expect(ids(kept)).toEqual([5, 4, 3, 1]);
    expect(ids(removed)).toEqual([2]);
    expect(files).toEqual([]);
  });
});

describe('which files go', () => {
  test('those that only removed points reference', () => {
    const { files, orphans } = plan([1, 2, 3, 4, 5].map(incremental));
    expect(keys(files)).toEqual([-1, 0].map((n) => fileKey(`shared/${n}`)).sort());
    expect(orphans).toEqual([]);
  });

  test('a translation goes with its point, and stays with one that stays', () => {
    const translated = (n: number) => `${folderOf(n)}/translated-${'a'.repeat(16)}/_metadata`;
    const others = [1, 4, 9].map((n) => ({ key: translated(n) }));
    const { files } = plan([], { replica: replicaOf([1, 2, 3, 4, 5].map(incremental), others) });
    expect(keys(files).filter((key) => key.includes('translated'))).toEqual([translated(1), translated(9)]);
  });

  test.each([
    ['older than an hour and than the newest manifest', { ageMs: ORPHAN_AGE_MS, beforeManifestMs: 0 }, true],
    ['younger than an hour', { ageMs: ORPHAN_AGE_MS - 1, beforeManifestMs: 1 }, false],
    ['newer than the newest manifest: of a copy that is to go on', { ageMs: 9 * HOUR, beforeManifestMs: -1 }, false],
  ])('an orphan %s', (_, { ageMs, beforeManifestMs }, goes) => {
    const newest = manifestOf(7, []);
    const modifiedAtMs = newest.committedAtMs - beforeManifestMs;
    const left = [fileKey('shared/left'), `${folderOf(3)}/_metadata`].map((key) => ({ key, modifiedAtMs }));
    const { orphans } = plan([], { replica: replicaOf([newest], left), storeNowMs: modifiedAtMs + ageMs });
    expect(orphans.length).toBe(goes ? 2 : 0);
  });

  test('none of a first copy, nor what is not a checkpoint’s', () => {
    const foreign = [
      `${folderOf(1)}/notes.txt`,
      `argus/replica/${JOB}/clock`,
      `argus/replica/${JOB}/points/mine/_metadata`,
    ];
    expect(plan([], { replica: replicaOf([], [{ key: fileKey('first') }]) }).orphans).toEqual([]);
    expect(
      plan([], {
        replica: replicaOf(
          [incremental(9)],
          foreign.map((key) => ({ key })),
        ),
      }).orphans,
    ).toEqual([]);
  });
});

describe('a copy for a job that consumes it', () => {
  const claim = claimFolder(JOB, '5'.repeat(32), { flinkJobId: RUN, checkpointId: 5 });
  const copied = (oldestMs: number, newestMs: number) => [
    { key: `${claim}/files/checkpoints/x`, modifiedAtMs: oldestMs },
    { key: `${claim}/metadata/_metadata`, modifiedAtMs: newestMs },
  ];
  const at = (ageMs: number) => 1_000 * HOUR - ageMs;
  const left = (others: readonly Partial<ObjectInfo>[], held: readonly string[] = []) =>
    plan([], { replica: replicaOf([1, 2, 3].map(incremental), others), held: new Set(held) }).orphans.length;

  test('is collected an hour after its last write, when no job was started from it', () => {
    expect(left(copied(at(HOUR), at(HOUR)))).toBe(2);
    expect(left(copied(at(9 * HOUR), at(HOUR - 1)))).toBe(0);
  });

  test('is never touched once a job was started from it', () => {
    expect(left(copied(at(9 * HOUR), at(9 * HOUR)), [`${claim}/metadata`])).toBe(0);
    expect(left(copied(at(9 * HOUR), at(9 * HOUR)), [folderOf(5)])).toBe(2);
  });
});

describe('nothing goes', () => {
  const replica = replicaOf([1, 2, 3, 4, 5].map(incremental), [{ key: fileKey('left') }]);

  test('while a manifest can’t be read', () => {
    const problem = { key: 'x', code: 'ManifestInvalid', message: 'x is not JSON' } as const;
    const found = plan([], { replica: { ...replica, problems: [problem] } });
    expect(found).toMatchObject({ removed: [], files: [], orphans: [], blocked: { code: 'ManifestUnreadable' } });
    expect(ids(found.kept)).toEqual([5, 4, 3, 2, 1]);
  });

  test('while a point that a job was restored from has no manifest', () => {
    const objects = new Map(replica.objects);
    objects.delete(`${folderOf(2)}/manifest.json`);
    const points = replica.points.filter((p) => p.manifest.checkpointId !== 2);
    const found = plan([], { replica: { objects, points, problems: [] }, held: new Set([folderOf(2)]) });
    expect(found).toMatchObject({ removed: [], files: [], blocked: { code: 'HeldPointUnreadable' } });
  });
});

test('whatever the history: the newest good point stays, and no file of a point that stays goes', () => {
  const history = fc.array(
    fc.record({ files: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 6 }), held: fc.boolean() }),
    { maxLength: 25 },
  );
  const lost = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 2 });
  fc.assert(
    fc.property(
      history,
      lost,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 100_000 }),
      (all, gone, keep, maxAgeMs) => {
        const manifests = all.map(({ files }, i) =>
          manifestOf(
            i,
            [...new Set(files)].map((f) => `shared/${f}`),
          ),
        );
        const replica = replicaOf(manifests);
        const objects = new Map(replica.objects);
        for (const f of gone) objects.delete(fileKey(`shared/${f}`));
        const held = new Set(all.flatMap((p, i) => (p.held ? [folderOf(i)] : [])));
        const { kept, removed, files, orphans } = plan([], {
          replica: { ...replica, objects },
          rules: { keep, maxAgeMs },
          held,
        });
        const good = manifests.filter((m) => m.files.every((f) => objects.has(f.key))).at(-1);
        if (good) expect(ids(kept)).toContain(good.checkpointId);
        expect([...ids(kept), ...ids(removed)].sort()).toEqual(ids(replica.points).sort());
        expect(kept.filter((p) => p.why === 'recent').length).toBeLessThanOrEqual(2 * keep);
        for (const p of removed) expect(held.has(p.folder)).toBe(false);
        const needed = new Set(kept.flatMap((p) => [p.manifest.metadata.key, ...p.manifest.files.map((f) => f.key)]));
        for (const { key } of [...files, ...orphans]) expect(needed.has(key)).toBe(false);
      },
    ),
  );
});
