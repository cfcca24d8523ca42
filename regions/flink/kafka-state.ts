import type { PendingTransaction, SourceOffset } from '../../domain/checkpoint.ts';
import { DataReader } from './java-data.ts';
import { transformOperator } from './metadata-files.ts';
import type { StreamHandle } from './metadata-handles.ts';
import type { CheckpointMetadata } from './metadata-reader.ts';

/** Where one subtask's elements of a named operator state lie: offsets into the stream. */
export interface ListState {
  readonly operatorId: string;
  readonly subtask: number;
  readonly stream: StreamHandle;
  readonly offsets: readonly bigint[];
}

/** The splits that Flink's sources (FLIP-27) hold. */
export const SOURCE_READER_STATE = 'SourceReaderState';
/** What two-phase sinks (FLIP-143) have pre-committed. */
export const COMMITTER_STATE = 'streaming_committer_raw_states';
const COMMITTABLE_MAGIC = 0xb91f252c;

/** The managed operator states of a name, of all operators and subtasks; those without elements are left out. */
export function listStates(metadata: CheckpointMetadata, name: string): readonly ListState[] {
  const found: ListState[] = [];
  for (const operator of metadata.operators) {
    if (operator.subtasks === 'finished') continue;
    for (const subtask of operator.subtasks) {
      if (subtask.kind === 'finished' || subtask.managedOperator === undefined) continue;
      const handle = subtask.managedOperator;
      if (handle.tag === 0) continue;
      for (const state of handle.states) {
        if (state.name !== name || state.offsets.length === 0) continue;
        found.push({
          operatorId: operator.id,
          subtask: subtask.index,
          stream: handle.stream,
          offsets: state.offsets,
        });
      }
    }
  }
  return found;
}

/** The same checkpoint with nothing left to commit: the committers' elements are no longer referenced. */
export function withoutCommittables(metadata: CheckpointMetadata): CheckpointMetadata {
  return { ...metadata, operators: metadata.operators.map(dropCommittables) };
}

/** {@link withoutCommittables} for one operator. */
export const dropCommittables = transformOperator({
  stream: (handle) => handle,
  operator: (handle) => ({
    ...handle,
    states: handle.states.map((state) => (state.name === COMMITTER_STATE ? { ...state, offsets: [] } : state)),
  }),
});

/** One element of a list state: an i32 length, then its bytes. Source: BytePrimitiveArraySerializer, Flink 2.2. */
export function stateElement(stream: Uint8Array, offset: bigint): DataReader {
  const start = new DataReader(stream);
  if (offset < 0n || offset > BigInt(stream.length)) start.fail(`a state element at ${offset}, outside its stream`, 0);
  start.bytes(Number(offset));
  return start.nested(start.block());
}

/**
 * Kafka source splits of one subtask; `stream` is the whole stream of the state's handle. Element:
 *
 *     i32 split version 0 | i32 length | UTF topic | i32 partition | i64 next offset or marker | i64 stopping offset
 *
 * Source: KafkaPartitionSplitSerializer, flink-connector-kafka 3.4 and 5.0 (the same).
 */
export function decodeSourceSplits(stream: Uint8Array, offsets: readonly bigint[]): readonly SourceOffset[] {
  return offsets.map((offset) => {
    const input = stateElement(stream, offset);
    const version = input.i32();
    if (version !== 0) input.fail(`not a Kafka source split that is known (version ${version})`, input.position - 4);
    const split = decodeSplit(input.nested(input.block()));
    input.end('a source split');
    return { topic: split.topic, partition: split.partition, offset: split.offset };
  });
}

/** The bytes of one split of version 0, which begins behind its length. */
export function decodeSplit(input: DataReader): SourceOffset & { readonly stoppingOffset: bigint } {
  const split = { topic: input.utf(), partition: input.i32(), offset: input.i64(), stoppingOffset: input.i64() };
  input.end('a Kafka source split');
  if (split.partition < 0) input.fail(`partition ${split.partition}`);
  return split;
}

/** `i32 version | i32 count | count x {i32 length, bytes}`. Source: SimpleVersionedSerialization, Flink 2.2. */
function versionedList<T>(input: DataReader, read: (item: DataReader, version: number) => T): T[] {
  const version = input.i32();
  return input.list(4, () => read(input.nested(input.block()), version));
}

/**
 * Kafka transactions that one committer subtask holds; `stream` is the whole stream of the state's handle. Element:
 *
 *     i32 2 | i32 length | u32 magic | list of checkpoints
 *     checkpoint: i64 id | (v1+) i32 subtasks | list of subtasks
 *     subtask: (v1+) i32 id | list of requests | counts
 *     request: i32 version | i32 length | {i16 epoch, i64 producer id, UTF transactional id} | i32 retries | i32 state
 *
 * Source: CommittableCollectorSerializer, Flink 1.20 and 2.2; KafkaCommittableSerializer, connector 3.4 and 5.0.
 */
export function decodeCommittables(stream: Uint8Array, offsets: readonly bigint[]): readonly PendingTransaction[] {
  return offsets.flatMap((offset) => {
    const input = stateElement(stream, offset);
    const version = input.i32();
    if (version !== 2) input.fail(`committables of version ${version} are not known`, input.position - 4);
    const collector = input.nested(input.block());
    if (collector.u32() !== COMMITTABLE_MAGIC) collector.fail('broken committables', collector.position - 4);
    return versionedList(collector, (checkpoint, checkpointVersion) => {
      checkpoint.i64();
      if (checkpointVersion >= 1) checkpoint.i32();
      return versionedList(checkpoint, (subtask, subtaskVersion) => {
        if (subtaskVersion >= 1) subtask.i32();
        return versionedList(subtask, (request) => {
          request.i32();
          const committable = request.nested(request.block());
          const producerEpoch = committable.i16();
          const producerId = committable.i64().toString();
          return { transactionalId: committable.utf(), producerId, producerEpoch };
        });
      }).flat();
    }).flat();
  });
}
