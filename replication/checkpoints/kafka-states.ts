import type { PendingTransaction, SourceOffset } from '../../domain/checkpoint.ts';
import { metadataInvalid } from '../../regions/flink/java-data.ts';
import {
  COMMITTER_STATE,
  decodeCommittables,
  decodeSourceSplits,
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
  const offsets: SourceOffset[] = [];
  const sources = new Set<string>();
  for (const state of listStates(metadata, SOURCE_READER_STATE)) {
    offsets.push(...decodeSourceSplits(await streamBytes(state.stream, directoryUri, read), state.offsets));
    sources.add(state.operatorId);
  }
  const transactions: PendingTransaction[] = [];
  const committers = new Set<string>();
  for (const state of listStates(metadata, COMMITTER_STATE)) {
    const pending = decodeCommittables(await streamBytes(state.stream, directoryUri, read), state.offsets);
    transactions.push(...pending);
    if (pending.length > 0) committers.add(state.operatorId);
  }
  return { offsets, transactions, sources, committers };
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
