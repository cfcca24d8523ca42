import { DataWriter } from './java-data.ts';
import { stateElement } from './kafka-state.ts';

/** What every two-phase sink (FLIP-143) keeps of its writers; Kafka's is one of several kinds. */
export const WRITER_STATE = 'writer_raw_states';

/** What one element of a Kafka sink's writers says; a subtask has several when it owns the ids of several. */
export interface WriterState {
  readonly version: 1 | 2;
  /** The sink's; ids are `<prefix>-<subtask>-<number>`. Empty for a sink without transactions (version 1). */
  readonly transactionalIdPrefix: string;
  /** Version 2 only. */
  readonly owned?: OwnedTransactions;
}

/** Whose transactional ids a writer looks after: those of one subtask's number. */
export interface OwnedTransactions {
  /** `-1`: not known, as after a restore from version 1. */
  readonly subtask: number;
  /** So many numbers are shared out over the writers; `-1`: not known. */
  readonly subtasks: number;
  /** `by-subtask`: as the subtask is numbered; `by-state`: as this state says. */
  readonly ownership: 'by-subtask' | 'by-state';
  /** Transactions that were pre-committed and not known as committed when the checkpoint was taken. */
  readonly precommitted: readonly { readonly transactionalId: string; readonly checkpointId: bigint }[];
}

/**
 * Decodes a Kafka sink's writer states of one subtask; `stream` is the whole stream of the state's handle. A state of
 * another sink, or of a version that is not known, is `CheckpointMetadataInvalid`. Element:
 *
 *     i32 version | i32 length | UTF prefix
 *     (v2) i32 owned subtask | i32 owned subtasks in all | i32 ownership | i32 n, n x {UTF transactional id, i64 checkpoint id}
 *
 * Source: KafkaWriterStateSerializer and TransactionOwnership, whose version 1 flink-connector-kafka 3 writes, 2 the
 * connectors 4.0 and 5.0.
 */
export function decodeWriterStates(stream: Uint8Array, offsets: readonly bigint[]): readonly WriterState[] {
  return offsets.map((offset) => {
    const input = stateElement(stream, offset);
    const version = input.i32();
    if (version !== 1 && version !== 2) {
      return input.fail(
        `a writer's state of version ${version} is not known as Kafka's, only 1 and 2 are`,
        input.position - 4,
      );
    }
    const state = input.nested(input.block());
    input.end("a writer's state");
    const transactionalIdPrefix = state.utf();
    if (version === 1) {
      state.end("a Kafka writer's state");
      return { version, transactionalIdPrefix };
    }
    const [subtask, subtasks, ownership] = [state.i32(), state.i32(), state.i32()];
    if (ownership !== 0 && ownership !== 1) state.fail(`an ownership of ${ownership}`, state.position - 4);
    const precommitted = state.list(10, () => ({ transactionalId: state.utf(), checkpointId: state.i64() }));
    state.end("a Kafka writer's state");
    const by = ownership === 0 ? 'by-subtask' : 'by-state';
    return { version, transactionalIdPrefix, owned: { subtask, subtasks, ownership: by, precommitted } };
  });
}

/** The bytes of one element, its length included: the inverse of {@link decodeWriterStates}. */
export function encodeWriterState({ version, transactionalIdPrefix, owned }: WriterState): Uint8Array {
  const state = new DataWriter().utf(transactionalIdPrefix);
  if (owned !== undefined) {
    state.i32(owned.subtask).i32(owned.subtasks);
    state.i32(owned.ownership === 'by-subtask' ? 0 : 1);
    state.list(owned.precommitted, (t) => state.utf(t.transactionalId).i64(t.checkpointId));
  }
  return new DataWriter().block(new DataWriter().i32(version).block(state.finish()).finish()).finish();
}
