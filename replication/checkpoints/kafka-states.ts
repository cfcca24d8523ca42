import type { PendingTransaction, SourceOffset } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { metadataInvalid } from '../../regions/flink/java-data.ts';
import {
  COMMITTER_STATE,
  decodeCommittables,
  decodeSourceSplits,
  type ListState,
  listStates,
  SOURCE_READER_STATE,
} from '../../regions/flink/kafka-state.ts';
import { resolve } from '../../regions/flink/metadata-files.ts';
import type { StreamHandle } from '../../regions/flink/metadata-handles.ts';
import type { CheckpointMetadata } from '../../regions/flink/metadata-reader.ts';

export interface KafkaStates {
  readonly offsets: readonly SourceOffset[];
  readonly transactions: readonly PendingTransaction[];
  /** Ids of the operators that hold source offsets. */
  readonly sources: ReadonlySet<string>;
  /** Ids of the operators that hold pending transactions. */
  readonly committers: ReadonlySet<string>;
}

/**
 * The offsets and pending transactions of every Kafka source and sink in a checkpoint. `read` gives a whole file by its
 * absolute URI; its errors are thrown, and `CheckpointMetadataInvalid` for states that are not known.
 */
export async function kafkaStates(
  metadata: CheckpointMetadata,
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
): Promise<KafkaStates> {
  const readers = listStates(metadata, SOURCE_READER_STATE);
  const splits = await decodeStates(readers, directoryUri, read, decodeSourceSplits);
  const pending = await decodeStates(listStates(metadata, COMMITTER_STATE), directoryUri, read, decodeCommittables);
  return {
    offsets: splits.flatMap(({ elements }) => elements),
    transactions: pending.flatMap(({ elements }) => elements),
    sources: new Set(readers.map(({ operatorId }) => operatorId)),
    committers: new Set(pending.flatMap(({ operatorId, elements }) => (elements.length > 0 ? [operatorId] : []))),
  };
}

/** So many files are read at once. */
const FILES_AT_ONCE = 8;

/**
 * The states with their elements, in the same order. A file that several of them share is read once, and not kept. What
 * `read` and `decode` throw is thrown.
 */
export async function decodeStates<T>(
  states: readonly ListState[],
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
  decode: (stream: Uint8Array, offsets: readonly bigint[]) => readonly T[],
): Promise<readonly (ListState & { readonly elements: readonly T[] })[]> {
  const elements = new Map<ListState, readonly T[]>();
  const files = Map.groupBy(states, ({ stream }) => {
    return stream !== null && 'path' in stream ? `${stream.tag} ${stream.path}` : 'inside';
  });
  await eachAtOnce([...files.values()], FILES_AT_ONCE, async (ofFile) => {
    let file: Promise<Uint8Array> | undefined;
    const once = (uri: string) => {
      file ??= read(uri);
      return file;
    };
    for (const state of ofFile) {
      elements.set(state, decode(await streamBytes(state.stream, directoryUri, once), state.offsets));
    }
  });
  return states.map((state) => ({ ...state, elements: elements.get(state) ?? [] }));
}

/** The bytes that a stream handle stands for; `read` gives a whole file by its absolute URI. */
export async function streamBytes(
  handle: StreamHandle,
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  switch (handle?.tag) {
    case 1:
      return handle.data;
    case 2:
      return read(handle.path);
    case 6:
      return read(resolve(directoryUri, handle.path));
    case 15:
      return (await read(handle.path)).subarray(Number(handle.start), Number(handle.start + handle.size));
    default:
      throw metadataInvalid('a state has elements and no stream', 0);
  }
}
