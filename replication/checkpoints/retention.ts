import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { ObjectInfo } from '../../regions/objects/object-store.ts';
import {
  filesFolder,
  parseClaim,
  parsePointFolder,
  pointFolder,
  pointOfTranslation,
  pointsFolder,
} from './locations.ts';
import { newestFirst, type Replica, type ReplicaPoint, verifyPoint } from './replica.ts';

/** How much of a job's past its replica keeps. */
export interface RetentionRules {
  /** So many of the newest points that verify; at least 1. */
  readonly keep: number;
  /** None that completed longer than this before the newest that verifies. */
  readonly maxAgeMs: number;
}

/** What retention decides by. */
export interface RetentionView {
  readonly job: string;
  readonly replica: Pick<Replica, 'points' | 'problems' | 'objects'>;
  readonly rules: RetentionRules;
  /** Folders of points and copies that a job was restored from, or may be: they and their files stay. */
  readonly held: ReadonlySet<string>;
  /** The time now by the clock of the replica's store. */
  readonly storeNowMs: number;
}

/** A point, and why it stays or goes. */
export interface RetainedPoint<Why extends string> {
  /** Its folder, without a slash at its end. */
  readonly folder: string;
  readonly manifest: CheckpointManifest;
  readonly why: Why;
}

export interface RetentionPlan {
  /** Newest completion first. */
  readonly kept: readonly RetainedPoint<'recent' | 'held'>[];
  /** Oldest completion first: the order in which they go. */
  readonly removed: readonly RetainedPoint<'count' | 'age'>[];
  /** Files that only removed points reference, and what was translated of those points. */
  readonly files: readonly ObjectInfo[];
  /** What copies and prunes that were interrupted left behind. */
  readonly orphans: readonly ObjectInfo[];
  /** Why nothing goes at all, although it might. */
  readonly blocked?: { readonly code: 'ManifestUnreadable' | 'HeldPointUnreadable'; readonly message: string };
}

/** So old a file that no manifest names must be: a copy under way writes its files before its manifest. */
export const ORPHAN_AGE_MS = 3_600_000;

/**
 * What of a job's replica stays and what goes. Pure.
 *
 * Ages are told by the newest point, not by a clock: a primary that is dead for days takes nothing from the replica.
 * The newest point that verifies always stays. Points that don't verify count apart, so that they displace no good one.
 * A manifest that can't be read may name any file: nothing goes then. Nor does anything that was written after the
 * newest manifest: it may belong to a copy that is to go on.
 */
export function planRetention(view: RetentionView): RetentionPlan {
  const { job, replica, rules, held } = view;
  const { objects } = replica;
  const points = [...replica.points].sort((a, b) => newestFirst(a.manifest, b.manifest));
  const blocked = blockedBy(view);
  if (blocked) return { kept: points.map((p) => recent(job, p)), removed: [], files: [], orphans: [], blocked };

  const counts = { good: 0, broken: 0 };
  let newestGoodMs: number | undefined;
  const kept: RetainedPoint<'recent' | 'held'>[] = [];
  const removed: RetainedPoint<'count' | 'age'>[] = [];
  for (const point of points) {
    const { manifest } = point;
    const folder = pointFolder(job, manifest);
    const kind = verifyPoint(point, objects).length === 0 ? 'good' : 'broken';
    if (kind === 'good') newestGoodMs ??= manifest.completedAtMs;
    const old = newestGoodMs !== undefined && newestGoodMs - manifest.completedAtMs > rules.maxAgeMs;
    if (!old && counts[kind] < Math.max(1, rules.keep)) {
      counts[kind]++;
      kept.push({ folder, manifest, why: 'recent' });
    } else if (held.has(folder)) kept.push({ folder, manifest, why: 'held' });
    else removed.unshift({ folder, manifest, why: old ? 'age' : 'count' });
  }

  const needed = new Set(kept.flatMap((p) => [p.manifest.metadata.key, ...p.manifest.files.map((f) => f.key)]));
  const released = new Set(removed.flatMap((p) => p.manifest.files.map((f) => f.key)));
  const gone = new Set(removed.map((p) => p.folder));
  const files: ObjectInfo[] = [];
  const orphans: ObjectInfo[] = [];
  const manifests = points.map((p) => objects.get(`${pointFolder(job, p.manifest)}/manifest.json`));
  const newestManifestMs = Math.max(...manifests.map((m) => m?.modifiedAtMs ?? Number.NEGATIVE_INFINITY));
  for (const object of objects.values()) {
    const translated = pointOfTranslation(object.key);
    if (translated !== undefined && !held.has(translated)) {
      if (gone.has(translated) || !objects.has(`${translated}/manifest.json`)) files.push(object);
    }
    if (!isCopied(job, object.key, objects) || needed.has(object.key)) continue;
    if (released.has(object.key)) files.push(object);
    else if (object.modifiedAtMs <= newestManifestMs && view.storeNowMs - object.modifiedAtMs >= ORPHAN_AGE_MS) {
      orphans.push(object);
    }
  }
  orphans.push(...abandonedCopies(view));
  return { kept, removed, files, orphans };
}

/**
 * The objects of copies for jobs that were never started from them. Those that one was started from belong to that job:
 * its later checkpoints may still need them, and Flink deletes what it doesn't need.
 */
function abandonedCopies({ job, replica, held, storeNowMs }: RetentionView): readonly ObjectInfo[] {
  const ofJobs = new Set([...held].map((folder) => parseClaim(job, folder)?.folder));
  const copies = new Map<string, ObjectInfo[]>();
  for (const object of replica.objects.values()) {
    const folder = parseClaim(job, object.key)?.folder;
    if (folder === undefined || ofJobs.has(folder)) continue;
    const others = copies.get(folder);
    if (others === undefined) copies.set(folder, [object]);
    else others.push(object);
  }
  return [...copies.values()].filter((of) => of.every((o) => storeNowMs - o.modifiedAtMs >= ORPHAN_AGE_MS)).flat();
}

/** The bytes that a plan takes from the replica; those of manifests are not counted. */
export function bytesToRemove(plan: RetentionPlan): number {
  const metadata = plan.removed.reduce((sum, p) => sum + p.manifest.metadata.sizeBytes, 0);
  return [...plan.files, ...plan.orphans].reduce((sum, o) => sum + o.sizeBytes, metadata);
}

function recent(job: string, { manifest }: ReplicaPoint): RetainedPoint<'recent'> {
  return { folder: pointFolder(job, manifest), manifest, why: 'recent' };
}

function blockedBy({ job, replica, held }: RetentionView): RetentionPlan['blocked'] {
  const unreadable = replica.problems.find((p) => p.code !== 'HalfWritten');
  if (unreadable) {
    const message = `${unreadable.message}: the files that it names are not known`;
    return { code: 'ManifestUnreadable', message };
  }
  const readable = new Set(replica.points.map((p) => pointFolder(job, p.manifest)));
  for (const folder of held) {
    if (readable.has(folder) || !folder.startsWith(pointsFolder(job))) continue;
    if (!replica.objects.has(`${folder}/_metadata`)) continue;
    const message = `a job was restored from ${folder}, whose manifest is gone: the files that it names are not known`;
    return { code: 'HeldPointUnreadable', message };
  }
  return undefined;
}

/** A file of a checkpoint, or a `_metadata` without manifest. All else in the folder is not retention's. */
function isCopied(job: string, key: string, objects: ReadonlyMap<string, ObjectInfo>): boolean {
  if (key.startsWith(filesFolder(job))) return true;
  const folder = key.slice(0, key.lastIndexOf('/'));
  if (key !== `${folder}/_metadata` || parsePointFolder(job, folder) === undefined) return false;
  return !objects.has(`${folder}/manifest.json`);
}
