import { DataReader } from './java-data.ts';
import {
  type ChannelHandle,
  type KeyedHandle,
  type OperatorHandle,
  readChannelHandle,
  readKeyedHandle,
  readOperatorHandle,
  readStreamHandle,
  type StreamHandle,
} from './metadata-handles.ts';

export const METADATA_MAGIC = 0x4960672d;
export const MASTER_STATE_MAGIC = 0xc96b1696;

export interface MasterState {
  readonly version: number;
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type Subtask =
  | { readonly kind: 'finished'; readonly index: number }
  | {
      readonly kind: 'state';
      readonly index: number;
      /** Absent when the file says that there is none. */
      readonly managedOperator?: OperatorHandle;
      readonly rawOperator?: OperatorHandle;
      readonly managedKeyed: KeyedHandle;
      readonly rawKeyed: KeyedHandle;
      readonly inputChannels: readonly ChannelHandle[];
      readonly outputChannels: readonly ChannelHandle[];
    };

export interface OperatorState {
  /** Versions 5 and 6; empty when the job gave none. */
  readonly name: string;
  readonly uid: string;
  /** 32 hex digits, as Flink's REST and logs show it. */
  readonly id: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly coordinator: StreamHandle;
  /** `finished`: every subtask had ended when the checkpoint was taken. */
  readonly subtasks: readonly Subtask[] | 'finished';
}

/** The content of a checkpoint's or savepoint's `_metadata`. */
export interface CheckpointMetadata {
  readonly version: 3 | 4 | 5 | 6;
  readonly checkpointId: bigint;
  readonly masterStates: readonly MasterState[];
  readonly operators: readonly OperatorState[];
  /** From version 4: Java-serialized CheckpointProperties up to the end of the file, kept as they are. */
  readonly properties: Uint8Array;
}

/**
 * Decodes a `_metadata` file. What it accepts, `writeMetadata` gives back byte for byte.
 * Anything else is `CheckpointMetadataInvalid`, with the position. Big endian:
 *
 *     u32 magic | i32 version | i64 checkpoint id | i32 n, master states | i32 n, operators | (v4+) properties to the end
 *     master state: u32 magic, i32 length, {i32 version, UTF name, i32 length, bytes}
 *     operator: (v5+: UTF name, UTF uid) 16 bytes id, i32 parallelism, i32 max parallelism, coordinator's stream handle,
 *               i32 subtasks (-1: all finished)
 *     subtask: i32 index (negative: -(index + 1) finished, nothing follows), i32 flag + managed operator state,
 *              i32 flag + raw operator state, managed keyed, raw keyed, i32 n + input channels, i32 n + output channels
 *
 * Source: org.apache.flink.runtime.checkpoint.metadata.MetadataV3Serializer to MetadataV6Serializer, Flink 1.20 and 2.2.
 */
export function readMetadata(bytes: Uint8Array): CheckpointMetadata {
  const input = new DataReader(bytes);
  if (input.u32() !== METADATA_MAGIC) input.fail('not a checkpoint metadata file', 0);
  const version = input.i32();
  if (version !== 3 && version !== 4 && version !== 5 && version !== 6) {
    return input.fail(`metadata version ${version} is not known, only 3 to 6 are`, 4);
  }
  const checkpointId = input.i64();
  const masterStates = input.list(8, () => readMasterState(input));
  const operators = input.list(29, () => readOperator(input, version));
  const properties = version >= 4 ? input.rest() : new Uint8Array();
  input.end('the operators');
  return { version, checkpointId, masterStates, operators, properties };
}

function readMasterState(input: DataReader): MasterState {
  if (input.u32() !== MASTER_STATE_MAGIC) input.fail('a broken master state', input.position - 4);
  const inner = input.nested(input.block());
  const state = { version: inner.i32(), name: inner.utf(), bytes: inner.block() };
  inner.end('a master state');
  return state;
}

function readOperator(input: DataReader, version: number): OperatorState {
  const [name, uid] = version >= 5 ? [input.utf(), input.utf()] : ['', ''];
  const id = Buffer.from(input.bytes(16)).toString('hex');
  const parallelism = input.i32();
  const maxParallelism = input.i32();
  const coordinator = readStreamHandle(input);
  const count = input.i32();
  if (count < -1 || count * 4 > input.left) input.fail(`an impossible count of subtasks, ${count}`, input.position - 4);
  let subtasks: Subtask[] | 'finished' = 'finished';
  if (count >= 0) {
    subtasks = [];
    for (let n = 0; n < count; n++) subtasks.push(readSubtask(input, version));
  }
  return { name, uid, id, parallelism, maxParallelism, coordinator, subtasks };
}

function readSubtask(input: DataReader, version: number): Subtask {
  const index = input.i32();
  if (index < 0) return { kind: 'finished', index: -1 - index };
  return {
    kind: 'state',
    index,
    ...(input.flag(4) ? { managedOperator: readOperatorHandle(input) } : {}),
    ...(input.flag(4) ? { rawOperator: readOperatorHandle(input) } : {}),
    managedKeyed: readKeyedHandle(input, version),
    rawKeyed: readKeyedHandle(input, version),
    inputChannels: input.list(9, () => readChannelHandle(input, version, 'input')),
    outputChannels: input.list(9, () => readChannelHandle(input, version, 'output')),
  };
}
