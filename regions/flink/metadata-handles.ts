import type { DataReader } from './java-data.ts';

/**
 * Flink's state handles as `_metadata` stores them. The `tag` is the byte in the file.
 * Source: org.apache.flink.runtime.checkpoint.metadata.MetadataV2V3SerializerBase and MetadataV6Serializer, Flink 2.2.
 */
export type StreamHandle =
  | null
  | { readonly tag: 1; readonly name: string; readonly data: Uint8Array }
  /** A file by its absolute URI. */
  | { readonly tag: 2; readonly path: string; readonly size: bigint }
  | { readonly tag: 3; readonly keyGroups: KeyGroupOffsets; readonly stream: StreamHandle }
  /** A file by its name in the checkpoint's own directory. */
  | { readonly tag: 6; readonly path: string; readonly size: bigint }
  /** A range of a file that several handles share (file merging). */
  | {
      readonly tag: 15;
      readonly start: bigint;
      readonly size: bigint;
      readonly scope: number;
      readonly path: string;
      readonly logicalId: string;
    }
  | { readonly tag: 16 };

export interface KeyGroups {
  readonly start: number;
  readonly count: number;
}

export interface KeyGroupOffsets extends KeyGroups {
  /**
   * Eight bytes for each key group, as they lie in the file: where its state begins. Nothing here looks into them, and
   * with many key groups they are most of a large file, so they aren't decoded.
   */
  readonly offsets: Uint8Array;
}

/** One named operator state: where each of its elements begins in the handle's stream. */
export interface OperatorStateEntry {
  readonly name: string;
  /** 0 split, 1 union, 2 broadcast. */
  readonly mode: number;
  readonly offsets: readonly bigint[];
}

export type OperatorHandle =
  | { readonly tag: 0 }
  | { readonly tag: 4; readonly states: readonly OperatorStateEntry[]; readonly stream: StreamHandle }
  | {
      readonly tag: 17;
      readonly states: readonly OperatorStateEntry[];
      readonly taskOwnedDirectory: string;
      readonly sharedDirectory: string;
      readonly empty: boolean;
      readonly stream: StreamHandle;
    };

/** A file of RocksDB by its local name. */
export interface LocalFile {
  readonly localPath: string;
  readonly stream: StreamHandle;
}

export type KeyedHandle =
  | null
  | { readonly tag: 3 | 7; readonly keyGroups: KeyGroupOffsets; readonly stream: StreamHandle }
  | { readonly tag: 12; readonly keyGroups: KeyGroupOffsets; readonly stream: StreamHandle; readonly id: string }
  | {
      readonly tag: 5 | 11;
      readonly checkpointId: bigint;
      readonly backendId: string;
      readonly keyGroups: KeyGroups;
      /** Tag 11 only. */
      readonly checkpointedSize?: bigint;
      readonly meta: StreamHandle;
      readonly shared: readonly LocalFile[];
      readonly private: readonly LocalFile[];
      /** Tag 11 only. */
      readonly id?: string;
    }
  | {
      readonly tag: 8 | 14;
      readonly keyGroups: KeyGroups;
      /** Not in version 3. */
      readonly checkpointedSize?: bigint;
      readonly materialized: readonly KeyedHandle[];
      readonly nonMaterialized: readonly KeyedHandle[];
      /** Not in version 3. */
      readonly materializationId?: bigint;
      /** Tag 14 only. */
      readonly checkpointId?: bigint;
      /** Not in version 3. */
      readonly id?: string;
    }
  | {
      readonly tag: 9;
      readonly keyGroups: KeyGroups;
      readonly from: bigint;
      readonly to: bigint;
      readonly changes: readonly { readonly keyGroup: number; readonly bytes: Uint8Array }[];
      /** Not in version 3. */
      readonly id?: string;
    }
  | {
      readonly tag: 10 | 13;
      readonly keyGroups: KeyGroups;
      readonly parts: readonly { readonly offset: bigint; readonly stream: StreamHandle }[];
      readonly size: bigint;
      /** Not in version 3. */
      readonly checkpointedSize?: bigint;
      /** Not in version 3. */
      readonly id?: string;
      /** Tag 13 only. */
      readonly storageId?: string;
    };

/** Records in flight of an unaligned checkpoint. Tags 1 and 2: one channel; 3 and 4: all channels of a subtask merged. */
export type ChannelHandle =
  | {
      readonly tag: 1 | 2;
      readonly subtask: number;
      readonly channel: readonly [number, number];
      readonly offsets: readonly bigint[];
      readonly size: bigint;
      readonly stream: StreamHandle;
    }
  | {
      readonly tag: 3 | 4;
      readonly subtask: number;
      readonly size: bigint;
      readonly stream: StreamHandle;
      readonly serializedOffsets: Uint8Array;
    };

/** Handles hold handles; a real file nests three deep. */
const MAX_DEPTH = 16;

export function readStreamHandle(input: DataReader, depth = 0): StreamHandle {
  if (depth > MAX_DEPTH) input.fail('handles nested too deeply');
  const tag = input.u8();
  switch (tag) {
    case 0:
      return null;
    case 1:
      return { tag, name: input.utf(), data: input.block() };
    case 2: {
      const size = input.size();
      return { tag, path: input.utf(), size };
    }
    case 3:
      return { tag, keyGroups: readKeyGroupOffsets(input), stream: readStreamHandle(input, depth + 1) };
    case 6:
      return { tag, path: input.utf(), size: input.size() };
    case 15: {
      const [start, size, scope] = [input.size(), input.size(), input.i32()];
      return { tag, start, size, scope, path: input.utf(), logicalId: input.utf() };
    }
    case 16:
      return { tag };
    default:
      return input.fail(`unknown kind of stream handle, ${tag}`, input.position - 1);
  }
}

function readKeyGroups(input: DataReader): KeyGroups {
  return { start: input.i32(), count: input.i32() };
}

function readKeyGroupOffsets(input: DataReader): KeyGroupOffsets {
  const start = input.i32();
  const count = input.count(8);
  return { start, count, offsets: input.bytes(count * 8) };
}

export function readOperatorHandle(input: DataReader): OperatorHandle {
  const tag = input.u8();
  if (tag === 0) return { tag };
  if (tag !== 4 && tag !== 17) return input.fail(`unknown kind of operator state, ${tag}`, input.position - 1);
  const states = input.list(7, () => {
    const name = input.utf();
    const mode = input.u8();
    if (mode > 2) input.fail(`unknown distribution mode, ${mode}`, input.position - 1);
    return { name, mode, offsets: input.list(8, () => input.i64()) };
  });
  if (tag === 4) return { tag, states, stream: readStreamHandle(input) };
  return {
    tag,
    states,
    taskOwnedDirectory: input.utf(),
    sharedDirectory: input.utf(),
    empty: input.flag(1),
    stream: readStreamHandle(input),
  };
}

/**
 * The changelog's handles (8, 9, 10) are shorter in version 3: Flink 1.14, whose changelog was an experiment, wrote no
 * sizes and ids there (its MetadataV2V3SerializerBase), and no later Flink writes version 3.
 */
export function readKeyedHandle(input: DataReader, version: number, depth = 0): KeyedHandle {
  const full = version >= 4;
  if (depth > MAX_DEPTH) input.fail('handles nested too deeply');
  const tag = input.u8();
  if (!full && tag > 10) input.fail(`keyed state of kind ${tag} in version 3, which has none`, input.position - 1);
  switch (tag) {
    case 0:
      return null;
    case 3:
    case 7:
      return { tag, keyGroups: readKeyGroupOffsets(input), stream: readStreamHandle(input) };
    case 12:
      return { tag, keyGroups: readKeyGroupOffsets(input), stream: readStreamHandle(input), id: input.utf() };
    case 5:
    case 11:
      return {
        tag,
        checkpointId: input.i64(),
        backendId: input.utf(),
        keyGroups: readKeyGroups(input),
        ...(tag === 11 ? { checkpointedSize: input.i64() } : {}),
        meta: readStreamHandle(input),
        shared: readLocalFiles(input),
        private: readLocalFiles(input),
        ...(tag === 11 ? { id: input.utf() } : {}),
      };
    case 8:
    case 14:
      return {
        tag,
        keyGroups: readKeyGroups(input),
        ...(full ? { checkpointedSize: input.i64() } : {}),
        materialized: input.list(1, () => readKeyedHandle(input, version, depth + 1)),
        nonMaterialized: input.list(1, () => readKeyedHandle(input, version, depth + 1)),
        ...(full ? { materializationId: input.i64() } : {}),
        ...(tag === 14 ? { checkpointId: input.i64() } : {}),
        ...(full ? { id: input.utf() } : {}),
      };
    case 9:
      return {
        tag,
        keyGroups: readKeyGroups(input),
        from: input.i64(),
        to: input.i64(),
        changes: input.list(8, () => ({ keyGroup: input.i32(), bytes: input.block() })),
        ...(full ? { id: input.utf() } : {}),
      };
    case 10:
    case 13:
      return {
        tag,
        keyGroups: readKeyGroups(input),
        parts: input.list(9, () => ({ offset: input.i64(), stream: readStreamHandle(input) })),
        size: input.i64(),
        ...(full ? { checkpointedSize: input.i64(), id: input.utf() } : {}),
        ...(tag === 13 ? { storageId: input.utf() } : {}),
      };
    default:
      return input.fail(`unknown kind of keyed state, ${tag}`, input.position - 1);
  }
}

function readLocalFiles(input: DataReader): readonly LocalFile[] {
  return input.list(3, () => ({ localPath: input.utf(), stream: readStreamHandle(input) }));
}

/** Before version 6 there is no tag byte: the list tells whether it is input (1) or output (2). */
export function readChannelHandle(input: DataReader, version: number, direction: 'input' | 'output'): ChannelHandle {
  const tag = version >= 6 ? input.u8() : direction === 'input' ? 1 : 2;
  switch (tag) {
    case 1:
    case 2:
      return {
        tag,
        subtask: input.i32(),
        channel: [input.i32(), input.i32()],
        offsets: input.list(8, () => input.i64()),
        size: input.i64(),
        stream: readStreamHandle(input),
      };
    case 3:
    case 4:
      return {
        tag,
        subtask: input.i32(),
        size: input.i64(),
        stream: readStreamHandle(input),
        serializedOffsets: input.block(),
      };
    default:
      return input.fail(`unknown kind of channel state, ${tag}`, input.position - 1);
  }
}
