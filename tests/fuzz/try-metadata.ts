import { ArgusError } from '../../domain/errors.ts';
import { decodeEnumerator } from '../../regions/flink/kafka-enumerator.ts';
import {
  COMMITTER_STATE,
  decodeCommittables,
  decodeSourceSplits,
  listStates,
  SOURCE_READER_STATE,
  withoutCommittables,
} from '../../regions/flink/kafka-state.ts';
import { decodeWriterStates, WRITER_STATE } from '../../regions/flink/kafka-writer-state.ts';
import { fileReferences, relocate } from '../../regions/flink/metadata-files.ts';
import { type CheckpointMetadata, readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';

/**
 * Does with the bytes all that the product does with a `_metadata`. Gives whether they were accepted; throws when the
 * codec breaks a promise: an error that isn't its own, or bytes that aren't written back as they were.
 */
export function tryMetadata(bytes: Uint8Array): 'accepted' | 'refused' {
  let metadata: CheckpointMetadata;
  try {
    metadata = readMetadata(bytes);
  } catch (error) {
    own(error);
    return 'refused';
  }
  if (!writeMetadata(metadata).equals(bytes)) throw new Error('it is not written back byte for byte');
  attempt(() => fileReferences(metadata, 's3://primary/chk-1'));
  attempt(() => {
    const moved = relocate(withoutCommittables(metadata), {
      directory: 's3://primary/chk-1',
      move: (uri) => (uri.startsWith('s3://') ? `s3://replica/${uri.slice(5)}` : undefined),
    });
    const written = writeMetadata(moved);
    if (!writeMetadata(readMetadata(written)).equals(written))
      throw new Error('what it was relocated to is not stable');
  });
  for (const name of [SOURCE_READER_STATE, COMMITTER_STATE, WRITER_STATE]) {
    for (const state of listStates(metadata, name)) {
      if (state.stream?.tag === 1) tryStates(state.stream.data, state.offsets);
    }
  }
  for (const { coordinator } of metadata.operators) {
    if (coordinator?.tag === 1) attempt(() => decodeEnumerator(coordinator.data));
  }
  return 'accepted';
}

function tryStates(stream: Uint8Array, offsets: readonly bigint[]): void {
  attempt(() => decodeSourceSplits(stream, offsets));
  attempt(() => decodeCommittables(stream, offsets));
  attempt(() => decodeWriterStates(stream, offsets));
}

function attempt(act: () => void): void {
  try {
    act();
  } catch (error) {
    own(error);
  }
}

function own(error: unknown): void {
  const codes = ['CheckpointMetadataInvalid', 'CheckpointOutsideBucket'];
  if (!(error instanceof ArgusError) || !codes.includes(error.code)) throw error;
}
