import type { CheckpointManifest, ReplicaFile } from '../../domain/checkpoint.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { copyFile, type KnownFiles, Vanished } from './copy-files.ts';
import type { CopyPace } from './copy-pace.ts';
import type { DamagedPoint } from './light-verify.ts';
import { filesFolder, pointFolder } from './locations.ts';
import { encodeManifest } from './manifest.ts';

/** What became of damaged files. */
export interface Mended {
  /** Keys of files that were copied again. */
  readonly files: readonly string[];
  /** Keys of files that the primary's bucket has no more: the points that need them stay damaged. */
  readonly lost: readonly string[];
}

/**
 * Copies the damaged files of points again, as far as the primary's bucket still has them, and enters their ETags where
 * they changed. A `_metadata` is not made anew here: its whole point has to be replicated again.
 */
export async function mendFiles(options: {
  readonly source: ObjectStore;
  readonly target: ObjectStore;
  readonly job: string;
  readonly damaged: readonly DamagedPoint[];
  readonly known: KnownFiles;
  readonly pace?: CopyPace | undefined;
  readonly signal?: AbortSignal;
}): Promise<Mended> {
  const { job, target, damaged, known } = options;
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const wanted = new Map<string, ReplicaFile>();
  for (const { point, problems } of damaged) {
    const keys = new Set(problems.map((problem) => problem.key));
    for (const file of point.manifest.files) {
      const before = wanted.get(file.key);
      // What several points need of a growing file: the longest part.
      if (keys.has(file.key) && file.sizeBytes > (before?.sizeBytes ?? -1)) wanted.set(file.key, file);
    }
  }
  const files: string[] = [];
  const lost: string[] = [];
  for (const { key, sizeBytes, sizeRule } of wanted.values()) {
    known.delete(key);
    const sourceKey = key.slice(filesFolder(job).length);
    try {
      await copyFile({ sourceKey, targetKey: key, sizeBytes, sizeRule, missing: true }, { ...options, ...call });
      files.push(key);
    } catch (error) {
      const gone =
        error instanceof Vanished || (error instanceof ArgusError && error.code === 'FileSizeDiffersAtSource');
      if (!gone) throw error;
      lost.push(key);
    }
  }
  for (const { point } of damaged) {
    const manifest = withCopies(point.manifest, new Set(files), known);
    if (manifest === point.manifest) continue;
    await target.put(`${pointFolder(job, manifest)}/manifest.json`, encodeManifest(manifest), call);
  }
  return { files, lost };
}

/** The manifest with the ETags of the new copies; itself when they are the same. Bytes that differ are not entered. */
export function withCopies(
  manifest: CheckpointManifest,
  copied: ReadonlySet<string>,
  known: KnownFiles,
): CheckpointManifest {
  let changed = false;
  const files = manifest.files.map((file) => {
    const copy = copied.has(file.key) ? known.get(file.key) : undefined;
    if (copy === undefined || copy.etag === file.etag) return file;
    // What the store copied by itself nobody has seen; the checksum stays for who reads it.
    const sums = [file.checksum?.sha256, copy.checksum?.sha256];
    const other = sums.every((sum) => sum !== undefined) && sums[0] !== sums[1];
    // A file that grows has another sum each time, and its ETag is not compared.
    if (other || file.sizeRule === 'atLeast') return file;
    changed = true;
    return { ...file, etag: copy.etag };
  });
  return changed ? { ...manifest, files } : manifest;
}
