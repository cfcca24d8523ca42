import { DataWriter } from './java-data.ts';
import type {
  ChannelHandle,
  KeyedHandle,
  KeyGroupOffsets,
  KeyGroups,
  LocalFile,
  OperatorHandle,
  StreamHandle,
} from './metadata-handles.ts';
import {
  type CheckpointMetadata,
  MASTER_STATE_MAGIC,
  METADATA_MAGIC,
  type OperatorState,
  type Subtask,
} from './metadata-reader.ts';

/** What is written in place of an operator. */
type OperatorChange = (operator: OperatorState) => OperatorState;

/** Encodes a `_metadata` file: the exact inverse of `readMetadata`, in the version that the value names. */
export function writeMetadata(metadata: CheckpointMetadata, change?: OperatorChange): Buffer {
  return write(metadata, change).finish();
}

/**
 * {@link writeMetadata} in pieces. State that lies in the file is not copied: a piece may be a view of what was read,
 * which must not change until the pieces are used. So a large file is not in memory twice.
 */
export function writeMetadataPieces(metadata: CheckpointMetadata, change?: OperatorChange): readonly Uint8Array[] {
  return write(metadata, change).pieces();
}

function write(metadata: CheckpointMetadata, change: OperatorChange = (operator) => operator): DataWriter {
  const out = new DataWriter(1_024);
  out.u32(METADATA_MAGIC).i32(metadata.version).i64(metadata.checkpointId);
  out.list(metadata.masterStates, (state) => {
    const inner = new DataWriter().i32(state.version).utf(state.name).block(state.bytes);
    out.u32(MASTER_STATE_MAGIC).block(inner.finish());
  });
  out.list(metadata.operators, (operator) => writeOperator(out, change(operator), metadata.version));
  return out.raw(metadata.properties);
}

function writeOperator(out: DataWriter, operator: OperatorState, version: number): void {
  if (version >= 5) out.utf(operator.name).utf(operator.uid);
  out.raw(Buffer.from(operator.id, 'hex')).i32(operator.parallelism).i32(operator.maxParallelism);
  writeStream(out, operator.coordinator);
  if (operator.subtasks === 'finished') out.i32(-1);
  else out.list(operator.subtasks, (subtask) => writeSubtask(out, subtask, version));
}

function writeSubtask(out: DataWriter, subtask: Subtask, version: number): void {
  if (subtask.kind === 'finished') {
    out.i32(-(subtask.index + 1));
    return;
  }
  out.i32(subtask.index);
  for (const handle of [subtask.managedOperator, subtask.rawOperator]) {
    out.i32(handle === undefined ? 0 : 1);
    if (handle !== undefined) writeOperatorHandle(out, handle);
  }
  writeKeyed(out, subtask.managedKeyed, version);
  writeKeyed(out, subtask.rawKeyed, version);
  out.list(subtask.inputChannels, (handle) => writeChannel(out, handle, version));
  out.list(subtask.outputChannels, (handle) => writeChannel(out, handle, version));
}

function writeOperatorHandle(out: DataWriter, handle: OperatorHandle): void {
  out.u8(handle.tag);
  if (handle.tag === 0) return;
  out.list(handle.states, (state) => {
    out.utf(state.name).u8(state.mode);
    out.list(state.offsets, (offset) => out.i64(offset));
  });
  if (handle.tag === 17)
    out
      .utf(handle.taskOwnedDirectory)
      .utf(handle.sharedDirectory)
      .u8(handle.empty ? 1 : 0);
  writeStream(out, handle.stream);
}

function writeKeyGroups(out: DataWriter, keyGroups: KeyGroups): void {
  out.i32(keyGroups.start).i32(keyGroups.count);
}

function writeKeyGroupOffsets(out: DataWriter, keyGroups: KeyGroupOffsets): void {
  out.i32(keyGroups.start).i32(keyGroups.count).raw(keyGroups.offsets);
}

function writeLocalFiles(out: DataWriter, files: readonly LocalFile[]): void {
  out.list(files, (file) => {
    out.utf(file.localPath);
    writeStream(out, file.stream);
  });
}

function writeKeyed(out: DataWriter, handle: KeyedHandle, version: number): void {
  const full = version >= 4;
  if (handle === null) {
    out.u8(0);
    return;
  }
  out.u8(handle.tag);
  switch (handle.tag) {
    case 3:
    case 7:
    case 12:
      writeKeyGroupOffsets(out, handle.keyGroups);
      writeStream(out, handle.stream);
      if (handle.tag === 12) out.utf(handle.id);
      return;
    case 5:
    case 11:
      out.i64(handle.checkpointId).utf(handle.backendId);
      writeKeyGroups(out, handle.keyGroups);
      if (handle.tag === 11) out.i64(handle.checkpointedSize ?? 0n);
      writeStream(out, handle.meta);
      writeLocalFiles(out, handle.shared);
      writeLocalFiles(out, handle.private);
      if (handle.tag === 11) out.utf(handle.id ?? '');
      return;
    case 8:
    case 14:
      writeKeyGroups(out, handle.keyGroups);
      if (full) out.i64(handle.checkpointedSize ?? 0n);
      out.list(handle.materialized, (inner) => writeKeyed(out, inner, version));
      out.list(handle.nonMaterialized, (inner) => writeKeyed(out, inner, version));
      if (full) out.i64(handle.materializationId ?? 0n);
      if (handle.tag === 14) out.i64(handle.checkpointId ?? 0n);
      if (full) out.utf(handle.id ?? '');
      return;
    case 9:
      writeKeyGroups(out, handle.keyGroups);
      out.i64(handle.from).i64(handle.to);
      out.list(handle.changes, (change) => out.i32(change.keyGroup).block(change.bytes));
      if (full) out.utf(handle.id ?? '');
      return;
    case 10:
    case 13:
      writeKeyGroups(out, handle.keyGroups);
      out.list(handle.parts, (part) => {
        out.i64(part.offset);
        writeStream(out, part.stream);
      });
      out.i64(handle.size);
      if (full) out.i64(handle.checkpointedSize ?? 0n).utf(handle.id ?? '');
      if (handle.tag === 13) out.utf(handle.storageId ?? '');
      return;
  }
}

function writeChannel(out: DataWriter, handle: ChannelHandle, version: number): void {
  if (version >= 6) out.u8(handle.tag);
  out.i32(handle.subtask);
  if ('channel' in handle) {
    out.i32(handle.channel[0]).i32(handle.channel[1]);
    out.list(handle.offsets, (offset) => out.i64(offset));
    out.i64(handle.size);
    writeStream(out, handle.stream);
  } else {
    out.i64(handle.size);
    writeStream(out, handle.stream);
    out.block(handle.serializedOffsets);
  }
}

function writeStream(out: DataWriter, handle: StreamHandle): void {
  if (handle === null) {
    out.u8(0);
    return;
  }
  out.u8(handle.tag);
  switch (handle.tag) {
    case 1:
      out.utf(handle.name).block(handle.data);
      return;
    case 2:
      out.i64(handle.size).utf(handle.path);
      return;
    case 3:
      writeKeyGroupOffsets(out, handle.keyGroups);
      writeStream(out, handle.stream);
      return;
    case 6:
      out.utf(handle.path).i64(handle.size);
      return;
    case 15:
      out.i64(handle.start).i64(handle.size).i32(handle.scope).utf(handle.path).utf(handle.logicalId);
      return;
    case 16:
      return;
  }
}
