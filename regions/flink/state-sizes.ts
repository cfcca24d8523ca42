import type { ChannelHandle, KeyedHandle, OperatorHandle, StreamHandle } from './metadata-handles.ts';
import type { OperatorState } from './metadata-reader.ts';

/** What a part of an operator's state is for. `channel`: records in flight of an unaligned checkpoint. */
export type StateKind = 'coordinator' | 'operator' | 'keyed' | 'changelog' | 'channel';

/** How much state of one kind there is, and how much of it lies in `_metadata` itself. */
export interface StateSize {
  readonly bytes: bigint;
  /** Part of `bytes`. */
  readonly inlineBytes: bigint;
}

const NOTHING: StateSize = { bytes: 0n, inlineBytes: 0n };

/**
 * How large an operator's state is, by kind, as its handles say it: a file that two handles share counts twice, of a
 * merged file only the segment counts. Kinds of which there is none are left out.
 */
export function stateSizes(operator: OperatorState): ReadonlyMap<StateKind, StateSize> {
  const sizes = new Map<StateKind, StateSize>();
  const add = (kind: StateKind, size: StateSize) => {
    if (size.bytes > 0n) sizes.set(kind, plus(sizes.get(kind) ?? NOTHING, size));
  };
  add('coordinator', streamSize(operator.coordinator));
  for (const subtask of operator.subtasks === 'finished' ? [] : operator.subtasks) {
    if (subtask.kind === 'finished') continue;
    for (const handle of [subtask.managedOperator, subtask.rawOperator]) add('operator', operatorSize(handle));
    for (const handle of [subtask.managedKeyed, subtask.rawKeyed]) addKeyed(handle, 'keyed', add);
    for (const handle of [...subtask.inputChannels, ...subtask.outputChannels]) add('channel', channelSize(handle));
  }
  return sizes;
}

function plus(a: StateSize, b: StateSize): StateSize {
  return { bytes: a.bytes + b.bytes, inlineBytes: a.inlineBytes + b.inlineBytes };
}

function streamSize(handle: StreamHandle): StateSize {
  if (handle === null) return NOTHING;
  switch (handle.tag) {
    case 1:
      return inline(handle.data.length);
    case 2:
    case 6:
    case 15:
      return { bytes: handle.size, inlineBytes: 0n };
    case 3:
      return streamSize(handle.stream);
    case 16:
      return NOTHING;
  }
}

function inline(bytes: number): StateSize {
  return { bytes: BigInt(bytes), inlineBytes: BigInt(bytes) };
}

function operatorSize(handle: OperatorHandle | undefined): StateSize {
  return handle === undefined || handle.tag === 0 ? NOTHING : streamSize(handle.stream);
}

/** Several channels share one file: each handle knows how much of it is its own. */
function channelSize(handle: ChannelHandle): StateSize {
  return handle.stream?.tag === 1
    ? { bytes: handle.size, inlineBytes: handle.size }
    : { bytes: handle.size, inlineBytes: 0n };
}

function addKeyed(handle: KeyedHandle, kind: StateKind, add: (kind: StateKind, size: StateSize) => void): void {
  if (handle === null) return;
  switch (handle.tag) {
    case 3:
    case 7:
    case 12:
      add(kind, streamSize(handle.stream));
      return;
    case 5:
    case 11:
      for (const stream of [handle.meta, ...[...handle.shared, ...handle.private].map((file) => file.stream)]) {
        add(kind, streamSize(stream));
      }
      return;
    case 8:
    case 14:
      for (const inner of handle.materialized) addKeyed(inner, 'keyed', add);
      for (const inner of handle.nonMaterialized) addKeyed(inner, 'changelog', add);
      return;
    case 9:
      for (const change of handle.changes) add('changelog', inline(change.bytes.length));
      return;
    case 10:
    case 13:
      // A file of changes is shared, too: the handle knows its part.
      add('changelog', { bytes: handle.size, inlineBytes: 0n });
      return;
  }
}
