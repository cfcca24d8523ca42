import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { CopyFilesOptions, PlannedFile } from './copy-files.ts';

/**
 * Files that lie on the replica without a manifest that names them: a process was killed during its copy, and a store
 * may have kept a part of a file, even in its full size. One that has the ETag of its source is whole; any other one is
 * to be copied again. Where nothing was interrupted this asks nothing.
 */
export async function proveFiles(
  plan: readonly PlannedFile[],
  options: Pick<CopyFilesOptions, 'source' | 'known' | 'parallelism' | 'signal'>,
): Promise<readonly PlannedFile[]> {
  const { source, known } = options;
  const call = options.signal === undefined ? {} : { signal: options.signal };
  return eachAtOnce(plan, options.parallelism ?? 8, async (file) => {
    const there = known.get(file.targetKey);
    if (file.missing || there?.unproven !== true) return file;
    const from = await source.head(file.sourceKey, call);
    if (from === undefined || from.etag !== there.etag || from.sizeBytes !== there.sizeBytes) {
      return { ...file, missing: true };
    }
    known.set(file.targetKey, { sizeBytes: there.sizeBytes, etag: there.etag, checksum: there.checksum });
    return file;
  });
}
