import type { PendingTransaction, SourceOffset } from '../../domain/checkpoint.ts';
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
import type { CheckpointMetadata } from '../../regions/flink/metadata-reader.ts';

/**
 * The offsets and pending transactions of every Kafka source and sink in a checkpoint. `read` gives a whole file by its
 * absolute URI; its errors are thrown, and `CheckpointMetadataInvalid` for states that are not known.
 */
export async function kafkaStates(
  metadata: CheckpointMetadata,
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
): Promise<{ readonly offsets: readonly SourceOffset[]; readonly transactions: readonly PendingTransaction[] }> {
  const offsets: SourceOffset[] = [];
  for (const state of listStates(metadata, SOURCE_READER_STATE)) {
    offsets.push(...decodeSourceSplits(await streamBytes(state, directoryUri, read), state.offsets));
  }
  const transactions: PendingTransaction[] = [];
  for (const state of listStates(metadata, COMMITTER_STATE)) {
    transactions.push(...decodeCommittables(await streamBytes(state, directoryUri, read), state.offsets));
  }
  return { offsets, transactions };
}

async function streamBytes(
  state: ListState,
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const handle = state.stream;
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
      throw metadataInvalid(`operator ${state.operatorId} keeps elements without a stream`, 0);
  }
}
