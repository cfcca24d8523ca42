import type { TopicPartition } from '../../domain/offsets.ts';
import { DataReader } from './java-data.ts';
import { decodeSplit } from './kafka-state.ts';

/** A partition as a Kafka source's enumerator knows it. */
export interface EnumeratedPartition extends TopicPartition {
  /** `false`: found, and not given to a reader yet. */
  readonly assigned: boolean;
  /**
   * Where a reader was told to begin, or will be; a marker, or an offset. What a reader has read since is in the
   * reader's own state. Absent before version 3.
   */
  readonly startingOffset?: bigint;
  /** Where a bounded source ends, exclusive. Absent before version 3, and where there is no end. */
  readonly stoppingOffset?: bigint;
}

/** The state of a Kafka source's enumerator, in the order of the file. */
export interface EnumeratorState {
  readonly version: 1 | 2 | 3;
  readonly partitions: readonly EnumeratedPartition[];
  /** `false`: no look at the topics has ended yet. Version 1 is only written afterwards. */
  readonly initialDiscoveryFinished: boolean;
}

/** `Long.MIN_VALUE`: the source has no end. */
const NO_STOPPING_OFFSET = -(2n ** 63n);

/**
 * Decodes the state of an operator's coordinator as that of a Kafka source; anything else is `CheckpointMetadataInvalid`.
 *
 *     i32 1 | i32 version | i32 length | state
 *     v1: i32 n, n x {UTF topic, i32 partition}
 *     v2: i32 n, n x {UTF topic, i32 partition, i32 status}, u8 initial discovery finished
 *     v3: i32 n, i32 split version 0, n x {i32 length, split, i32 status}, u8 initial discovery finished
 *
 * Source: SourceCoordinatorSerdeUtils, Flink 1.14 to 2.2; KafkaSourceEnumStateSerializer, whose version 1 flink-connector-kafka
 * 3.0 writes, 2 the connectors 3.1 to 4.0, 3 the connector 5.0.
 */
export function decodeEnumerator(bytes: Uint8Array): EnumeratorState {
  const input = new DataReader(bytes);
  const form = input.i32();
  if (form !== 1) input.fail(`a source coordinator's state of version ${form} is not known`, 0);
  const version = input.i32();
  if (version !== 1 && version !== 2 && version !== 3) {
    return input.fail(`an enumerator's state of version ${version} is not known as Kafka's, only 1 to 3 are`, 4);
  }
  const state = input.nested(input.block());
  input.end("an enumerator's state");
  const partitions = version === 3 ? splits(state) : named(state, version);
  const initialDiscoveryFinished = version === 1 || state.flag(1);
  state.end("a Kafka enumerator's state");
  return { version, partitions, initialDiscoveryFinished };
}

function named(state: DataReader, version: 1 | 2): readonly EnumeratedPartition[] {
  return state.list(version === 1 ? 6 : 10, () => {
    const [topic, partition] = [state.utf(), state.i32()];
    if (partition < 0) state.fail(`partition ${partition}`, state.position - 4);
    return { topic, partition, assigned: version === 1 || assigned(state) };
  });
}

function splits(state: DataReader): readonly EnumeratedPartition[] {
  const count = state.count(30);
  const version = state.i32();
  if (version !== 0) state.fail(`Kafka source splits of version ${version} are not known`, state.position - 4);
  return Array.from({ length: count }, () => {
    const { topic, partition, offset, stoppingOffset } = decodeSplit(state.nested(state.block()));
    const end = stoppingOffset === NO_STOPPING_OFFSET ? {} : { stoppingOffset };
    return { topic, partition, startingOffset: offset, ...end, assigned: assigned(state) };
  });
}

/** Source: AssignmentStatus of the connector. */
function assigned(state: DataReader): boolean {
  const status = state.i32();
  if (status !== 0 && status !== 1) state.fail(`an assignment status of ${status}`, state.position - 4);
  return status === 0;
}
