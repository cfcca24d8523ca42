import type { KeyedHandle } from './metadata-handles.ts';
import type { CheckpointMetadata } from './metadata-reader.ts';

/** The changelog backend's handles: of a backend (8, 14), of changes in memory (9) and in files (10, 13). */
const CHANGELOG_TAGS: readonly number[] = [8, 9, 10, 13, 14];

/**
 * Whether a checkpoint holds state of the changelog backend. Flink restores that with claim mode CLAIM only: with NO_CLAIM
 * the job fails at its first checkpoint (seen with 2.2.1).
 */
export function hasChangelog(metadata: CheckpointMetadata): boolean {
  const isChangelog = (handle: KeyedHandle) => handle !== null && CHANGELOG_TAGS.includes(handle.tag);
  return metadata.operators.some(
    ({ subtasks }) =>
      subtasks !== 'finished' &&
      subtasks.some((s) => s.kind === 'state' && (isChangelog(s.managedKeyed) || isChangelog(s.rawKeyed))),
  );
}
