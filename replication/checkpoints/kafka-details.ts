import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { decodeEnumerator, type EnumeratorState } from '../../regions/flink/kafka-enumerator.ts';
import { decodeSourceSplits, listStates, SOURCE_READER_STATE } from '../../regions/flink/kafka-state.ts';
import { decodeWriterStates, WRITER_STATE, type WriterState } from '../../regions/flink/kafka-writer-state.ts';
import type { StreamHandle } from '../../regions/flink/metadata-handles.ts';
import type { CheckpointMetadata, OperatorState } from '../../regions/flink/metadata-reader.ts';
import { decodeStates, streamBytes } from './kafka-states.ts';

/** What a checkpoint tells of Kafka's sources and sinks besides offsets and pending transactions. */
export interface KafkaDetails {
  readonly enumerators: readonly SourceEnumerator[];
  readonly writers: readonly SinkWriter[];
  /** States that stand where Kafka's do and can't be read: of another connector, of a version that is not known, gone. */
  readonly untold: readonly UntoldState[];
}

export interface SourceEnumerator extends EnumeratorState {
  readonly operatorId: string;
  /**
   * Partitions that were given to a reader and that no reader holds: after a restore nobody would read them. None for
   * a source that ends, as far as the state tells that it does (connector 5.0).
   */
  readonly unheld: readonly TopicPartition[];
}

/** One writer state of one subtask. */
export interface SinkWriter extends WriterState {
  readonly operatorId: string;
  readonly subtask: number;
}

export interface UntoldState {
  readonly operatorId: string;
  readonly state: 'enumerator' | 'readers' | 'writers';
  readonly message: string;
}

/** More than this is no state of Kafka's: a partition takes some 100 bytes, a transaction some 50. */
const LARGEST_BYTES = 64n << 20n;

/**
 * Decodes them. `read` gives a whole file by its absolute URI; what it throws is thrown, unless that is `FileMissing` or
 * `CheckpointMetadataInvalid`.
 */
export async function kafkaDetails(
  metadata: CheckpointMetadata,
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
): Promise<KafkaDetails> {
  const untold: UntoldState[] = [];

  const readers = listStates(metadata, SOURCE_READER_STATE);
  const enumerators: SourceEnumerator[] = [];
  for (const operator of metadata.operators) {
    const own = readers.filter(({ operatorId }) => operatorId === operator.id);
    if (operator.coordinator === null || own.length === 0) continue;
    const state = await tellOr(untold, operator.id, 'enumerator', async () =>
      decodeEnumerator(await streamBytes(bounded(operator.coordinator), directoryUri, read)),
    );
    if (state === undefined) continue;
    const held = await tellOr(untold, operator.id, 'readers', async () => {
      const splits = await decodeStates(own, directoryUri, read, decodeSourceSplits);
      return new Set(splits.flatMap(({ elements }) => elements).map(partitionKey));
    });
    const missing = held === undefined ? [] : unheld(operator, state, held);
    enumerators.push({ operatorId: operator.id, ...state, unheld: missing });
  }

  const writers: SinkWriter[] = [];
  const byOperator = Map.groupBy(listStates(metadata, WRITER_STATE), ({ operatorId }) => operatorId);
  for (const [operatorId, states] of byOperator) {
    const told = await tellOr(untold, operatorId, 'writers', async () => {
      for (const { stream } of states) bounded(stream);
      return decodeStates(states, directoryUri, read, decodeWriterStates);
    });
    for (const { subtask, elements } of told ?? []) {
      writers.push(...elements.map((state) => ({ operatorId, subtask, ...state })));
    }
  }
  return { enumerators, writers, untold };
}

function bounded(handle: StreamHandle): StreamHandle {
  const bytes = handle !== null && 'size' in handle ? handle.size : 0n;
  if (bytes <= LARGEST_BYTES) return handle;
  throw new ArgusError('CheckpointMetadataInvalid', `${bytes} bytes are too many for a state of Kafka's`);
}

function unheld(operator: OperatorState, state: EnumeratorState, held: ReadonlySet<string>): readonly TopicPartition[] {
  // A subtask that has ended took its splits with it: the source has an end.
  if (operator.subtasks === 'finished' || operator.subtasks.some(({ kind }) => kind === 'finished')) return [];
  return state.partitions
    .filter((known) => known.assigned && known.stoppingOffset === undefined && !held.has(partitionKey(known)))
    .map(({ topic, partition }) => ({ topic, partition }));
}

async function tellOr<T>(
  untold: UntoldState[],
  operatorId: string,
  state: UntoldState['state'],
  decode: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await decode();
  } catch (error) {
    const telling = ['FileMissing', 'CheckpointMetadataInvalid'];
    if (!(error instanceof ArgusError) || !telling.includes(error.code)) throw error;
    untold.push({ operatorId, state, message: error.message });
    return undefined;
  }
}
