import { changeElements, holdsElements, type StatefulHandle } from './change-elements.ts';
import { decodeWriterStates, encodeWriterState, WRITER_STATE } from './kafka-writer-state.ts';
import type { OperatorHandle } from './metadata-handles.ts';

/** Whether a handle holds states of a two-phase sink's writers. */
export function holdsWriters(handle: OperatorHandle): handle is StatefulHandle {
  return holdsElements(handle, WRITER_STATE);
}

/**
 * The handle with another transactional id prefix in each state of a Kafka sink's writers, and no transaction
 * pre-committed; `stream` is the whole stream of the given one. A restored sink aborts what is open under the prefix of
 * its state as well as under the one that it is configured with (source: ExactlyOnceKafkaWriter.abortLingeringTransactions
 * of the connector). A sink without transactions, whose prefix is empty, stays as it is. A state that can't be decoded is
 * `CheckpointMetadataInvalid`.
 */
export function changeWriters(
  handle: StatefulHandle,
  stream: Uint8Array,
  prefixFor: (prefix: string) => string,
): StatefulHandle {
  return changeElements(handle, stream, WRITER_STATE, (offset) => {
    const [state] = decodeWriterStates(stream, [offset]);
    if (state === undefined) throw new RangeError('one element has one state');
    const { transactionalIdPrefix: prefix, owned } = state;
    return encodeWriterState({
      ...state,
      transactionalIdPrefix: prefix === '' ? '' : prefixFor(prefix),
      ...(owned === undefined ? {} : { owned: { ...owned, precommitted: [] } }),
    });
  });
}
