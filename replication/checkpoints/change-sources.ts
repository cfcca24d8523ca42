import { changeSplits, holdsSplits, type SplitChange } from '../../regions/flink/change-splits.ts';
import type { CheckpointMetadata, Subtask } from '../../regions/flink/metadata-reader.ts';
import { streamBytes } from './kafka-states.ts';

/**
 * The checkpoint with other splits in its Kafka sources' readers; what is changed lies inside the `_metadata` then.
 * `read` gives a whole file by its absolute URI; its errors are thrown, and `CheckpointMetadataInvalid` for splits that
 * are not known.
 */
export async function withSplitsChanged(
  metadata: CheckpointMetadata,
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
  change: SplitChange,
): Promise<CheckpointMetadata> {
  const subtask = async (state: Subtask): Promise<Subtask> => {
    if (state.kind === 'finished' || state.managedOperator === undefined) return state;
    const handle = state.managedOperator;
    if (!holdsSplits(handle)) return state;
    const stream = await streamBytes(handle.stream, directoryUri, read);
    return { ...state, managedOperator: changeSplits(handle, stream, change) };
  };
  const operators: CheckpointMetadata['operators'][number][] = [];
  for (const operator of metadata.operators) {
    if (operator.subtasks === 'finished') operators.push(operator);
    else operators.push({ ...operator, subtasks: await Promise.all(operator.subtasks.map(subtask)) });
  }
  return { ...metadata, operators };
}
