import { transform } from '../../regions/flink/metadata-files.ts';
import type { KeyedHandle } from '../../regions/flink/metadata-handles.ts';
import type { CheckpointMetadata } from '../../regions/flink/metadata-reader.ts';

/** Which handles a checkpoint is made of: `keyed 11`, `stream 2`, `operator 17` (the number is its tag), `channel`. */
export function handleKinds(metadata: CheckpointMetadata): ReadonlySet<string> {
  const kinds = new Set<string>();
  transform(metadata, {
    stream(handle) {
      kinds.add(`stream ${handle.tag}`);
      return handle;
    },
    operator(handle) {
      kinds.add(`operator ${handle.tag}`);
      return handle;
    },
  });
  const keyed = (handle: KeyedHandle): void => {
    if (handle === null) return;
    kinds.add(`keyed ${handle.tag}`);
    if (handle.tag === 8 || handle.tag === 14)
      for (const inner of [...handle.materialized, ...handle.nonMaterialized]) keyed(inner);
  };
  for (const { subtasks } of metadata.operators) {
    for (const subtask of subtasks === 'finished' ? [] : subtasks) {
      if (subtask.kind === 'finished') continue;
      for (const handle of [subtask.managedKeyed, subtask.rawKeyed]) keyed(handle);
      for (const handle of [...subtask.inputChannels, ...subtask.outputChannels])
        kinds.add('channel').add(`channel ${handle.tag}`);
    }
  }
  return kinds;
}
