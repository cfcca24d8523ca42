import { ArgusError } from '../../domain/errors.ts';
import { metadataInvalid } from './java-data.ts';
import type { ChannelHandle, KeyedHandle, OperatorHandle, StreamHandle } from './metadata-handles.ts';
import type { CheckpointMetadata, OperatorState, Subtask } from './metadata-reader.ts';

/** A file that a checkpoint needs. */
export interface FileReference {
  /** Absolute. */
  readonly uri: string;
  readonly sizeBytes: number;
  /**
   * `atLeast`: segments name only their own range, and changelog files are one byte longer than recorded (seen with
   * Flink 2.2.1). Everything else has exactly the recorded size.
   */
  readonly sizeRule: 'exact' | 'atLeast';
}

interface Visitor {
  /** Called for each stream handle; what it returns takes the handle's place. */
  stream(handle: Exclude<StreamHandle, null>, place: 'state' | 'changelog'): StreamHandle;
  operator(handle: Exclude<OperatorHandle, { tag: 0 }>): OperatorHandle;
}

/**
 * Every file that the checkpoint references, each once, in order of first mention.
 * `directory` is the absolute URI of the directory that holds `_metadata`: relative handles count from there.
 */
export function fileReferences(metadata: CheckpointMetadata, directory: string): readonly FileReference[] {
  const files = new Map<string, FileReference>();
  const add = (uri: string, sizeBytes: number, sizeRule: FileReference['sizeRule']) => {
    const before = files.get(uri);
    if (before === undefined) {
      files.set(uri, { uri, sizeBytes, sizeRule });
      return;
    }
    const both = before.sizeRule === 'exact' && sizeRule === 'exact';
    if (both && before.sizeBytes !== sizeBytes) throw metadataInvalid(`two sizes for the file ${uri}`, 0);
    files.set(uri, { uri, sizeBytes: Math.max(before.sizeBytes, sizeBytes), sizeRule: both ? 'exact' : 'atLeast' });
  };
  const visit = transformOperator({
    stream(handle, place) {
      if (handle.tag === 2) add(handle.path, Number(handle.size), place === 'changelog' ? 'atLeast' : 'exact');
      else if (handle.tag === 6) add(resolve(directory, handle.path), Number(handle.size), 'exact');
      else if (handle.tag === 15) add(handle.path, Number(handle.start + handle.size), 'atLeast');
      return handle;
    },
    operator: (handle) => handle,
  });
  for (const operator of metadata.operators) visit(operator);
  return [...files.values()];
}

/** The absolute URI of a relative handle. */
export function resolve(directory: string, path: string): string {
  return `${directory.replace(/\/$/, '')}/${path}`;
}

export interface Relocation {
  /** Absolute URI of the directory that holds the original `_metadata`. */
  readonly directory: string;
  /** Where a file lies on the replica; `undefined` for one that is not replicated. */
  readonly move: (uri: string) => string | undefined;
}

/**
 * The same checkpoint with every file reference absolute and moved, so that its `_metadata` may lie anywhere.
 * A reference that can't be moved is `CheckpointOutsideBucket`: the checkpoint would need the primary to be restored.
 */
export function relocate(metadata: CheckpointMetadata, to: Relocation): CheckpointMetadata {
  return { ...metadata, operators: metadata.operators.map(relocateOperator(to)) };
}

/** {@link relocate} for one operator at a time, so that a large checkpoint is never held twice. */
export function relocateOperator(to: Relocation): (operator: OperatorState) => OperatorState {
  const move = (uri: string): string => {
    const moved = to.move(uri);
    if (moved !== undefined) return moved;
    throw new ArgusError('CheckpointOutsideBucket', `the checkpoint references ${uri}, which is not replicated`, {
      hint: "Let the job keep all its state in the region's checkpoint bucket (also dstl.dfs.base-path).",
    });
  };
  return transformOperator({
    stream(handle) {
      switch (handle.tag) {
        case 1:
          return { ...handle, name: to.move(handle.name) ?? handle.name };
        case 2:
        case 15:
          return { ...handle, path: move(handle.path) };
        case 6:
          return { tag: 2, path: move(resolve(to.directory, handle.path)), size: handle.size };
        default:
          return handle;
      }
    },
    operator(handle) {
      if (handle.tag !== 17) return handle;
      const directory = (uri: string) => (uri === '' ? '' : move(uri));
      return {
        ...handle,
        taskOwnedDirectory: directory(handle.taskOwnedDirectory),
        sharedDirectory: directory(handle.sharedDirectory),
      };
    },
  });
}

/** A copy of the metadata with each operator and stream handle replaced by what the visitor gives. */
export function transform(metadata: CheckpointMetadata, visitor: Visitor): CheckpointMetadata {
  return { ...metadata, operators: metadata.operators.map(transformOperator(visitor)) };
}

/** {@link transform} for one operator. */
export function transformOperator(visitor: Visitor): (operator: OperatorState) => OperatorState {
  const stream = (handle: StreamHandle, place: 'state' | 'changelog' = 'state'): StreamHandle => {
    if (handle === null) return null;
    if (handle.tag === 3) return { ...handle, stream: stream(handle.stream, place) };
    return visitor.stream(handle, place);
  };
  const operator = (handle: OperatorHandle): OperatorHandle => {
    const visited = handle.tag === 0 ? handle : visitor.operator(handle);
    return visited.tag === 0 ? visited : { ...visited, stream: stream(visited.stream) };
  };
  const keyed = (handle: KeyedHandle): KeyedHandle => {
    if (handle === null) return null;
    switch (handle.tag) {
      case 3:
      case 7:
        return { ...handle, stream: stream(handle.stream) };
      case 12:
        return { ...handle, stream: stream(handle.stream) };
      case 5:
      case 11:
        return {
          ...handle,
          meta: stream(handle.meta),
          shared: handle.shared.map((file) => ({ ...file, stream: stream(file.stream) })),
          private: handle.private.map((file) => ({ ...file, stream: stream(file.stream) })),
        };
      case 8:
      case 14:
        return {
          ...handle,
          materialized: handle.materialized.map(keyed),
          nonMaterialized: handle.nonMaterialized.map(keyed),
        };
      case 9:
        return handle;
      case 10:
      case 13:
        return {
          ...handle,
          parts: handle.parts.map((part) => ({ ...part, stream: stream(part.stream, 'changelog') })),
        };
    }
  };
  const channel = (handle: ChannelHandle): ChannelHandle => ({ ...handle, stream: stream(handle.stream) });
  const subtask = (state: Subtask): Subtask => {
    if (state.kind === 'finished') return state;
    return {
      ...state,
      ...(state.managedOperator === undefined ? {} : { managedOperator: operator(state.managedOperator) }),
      ...(state.rawOperator === undefined ? {} : { rawOperator: operator(state.rawOperator) }),
      managedKeyed: keyed(state.managedKeyed),
      rawKeyed: keyed(state.rawKeyed),
      inputChannels: state.inputChannels.map(channel),
      outputChannels: state.outputChannels.map(channel),
    };
  };
  return (state) => ({
    ...state,
    coordinator: stream(state.coordinator),
    subtasks: state.subtasks === 'finished' ? 'finished' : state.subtasks.map(subtask),
  });
}
