import type { KeyedHandle, LocalFile, StreamHandle } from '../../regions/flink/metadata-handles.ts';
import type { CheckpointMetadata, Subtask } from '../../regions/flink/metadata-reader.ts';

export const PRIMARY = 's3://flink-primary';
const sharedFolder = `${PRIMARY}/checkpoints/edf7a6aa04268d723b4bc8e37a77a63d/shared`;
const subtasksPerOperator = 100;
/** In each subtask: one meta file, 15 shared and 3 private of RocksDB, and one operator state inside `_metadata`. */
const handlesPerSubtask = 20;
/** Below the 20 kB that `execution.checkpointing.data-inline-threshold` lets into `_metadata`. */
const inlineBytes = 17_000;

/**
 * The metadata of an incremental RocksDB checkpoint of version 6 with about so many stream handles, 1 kB each: a large
 * job with much small operator state. `properties` are those of a captured file, since Flink's reader wants them whole.
 */
export function largeMetadata(handles: number, properties: Uint8Array): CheckpointMetadata {
  const operators = Math.max(1, Math.round(handles / handlesPerSubtask / subtasksPerOperator));
  return {
    version: 6,
    checkpointId: 4_711n,
    masterStates: [],
    operators: Array.from({ length: operators }, (_, operator) => ({
      name: `operator ${operator}`,
      uid: `operator-${operator}`,
      id: operator.toString(16).padStart(32, '0'),
      parallelism: subtasksPerOperator,
      maxParallelism: 128,
      coordinator: null,
      subtasks: Array.from({ length: subtasksPerOperator }, (_, index) => subtask(operator, index)),
    })),
    properties,
  };
}

function subtask(operator: number, index: number): Subtask {
  const first = (operator * subtasksPerOperator + index) * handlesPerSubtask;
  const data = new Uint8Array(inlineBytes).fill(first & 0xff);
  return {
    kind: 'state',
    index,
    managedOperator: {
      tag: 4,
      states: [{ name: 'list', mode: 0, offsets: [0n, 4_000n, 8_000n] }],
      stream: { tag: 1, name: uuid(first), data },
    },
    managedKeyed: keyed(first, index),
    rawKeyed: null,
    inputChannels: [],
    outputChannels: [],
  };
}

function keyed(first: number, index: number): KeyedHandle {
  const files = (from: number, count: number): readonly LocalFile[] =>
    Array.from({ length: count }, (_, n) => ({
      localPath: `${String(from + n).padStart(6, '0')}.sst`,
      stream: file(first + from + n),
    }));
  return {
    tag: 11,
    checkpointId: 4_711n,
    backendId: uuid(first),
    keyGroups: { start: index, count: 1 },
    checkpointedSize: 67_108_864n,
    meta: file(first + 1),
    shared: files(2, 15),
    private: files(17, 3),
    id: uuid(first + 1),
  };
}

function file(n: number): StreamHandle {
  return { tag: 2, path: `${sharedFolder}/${uuid(n)}`, size: 67_108_864n };
}

function uuid(n: number): string {
  const digits = Math.imul(n + 1, 0x9e3779b1) >>> 0;
  const hex = digits.toString(16).padStart(8, '0');
  return `${hex}-7a04-4414-9359-${n.toString(16).padStart(12, '0')}`;
}
