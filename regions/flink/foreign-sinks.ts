import { COMMITTER_STATE } from './kafka-state.ts';
import { WRITER_STATE } from './kafka-writer-state.ts';
import type { CheckpointMetadata, OperatorState } from './metadata-reader.ts';

/** Operator state of a sink that is none of the kinds that Kafka's two-phase sink has. */
export interface ForeignSinkState {
  readonly operatorId: string;
  readonly operator: string;
  readonly state: string;
}

/**
 * States that sinks of older kinds keep, by which they finish or abort what was begun: FlinkKafkaProducer (connector 3),
 * StreamingFileSink (Flink 1), FileSink as it was migrated from that, JdbcXaSinkFunction, Iceberg's committer.
 */
const KNOWN = [
  'next-transactional-id-hint',
  'next-transactional-id-hint-v2',
  'bucket-states',
  'max-part-counter',
  'XaSinkState',
  'iceberg-files-committer-state',
];

/** The operators of a sink are named like this, where the version of the file has names. */
const SINK_NAME = /^Sink: |: (?:Writer|Committer|Global Committer|Pre Commit|Post Commit)$/;

/** Operator states with elements by which a sink that isn't Kafka's may touch what it wrote before. Pure. */
export function foreignSinkStates(metadata: CheckpointMetadata): readonly ForeignSinkState[] {
  return metadata.operators.flatMap((operator) => {
    const held = new Set(
      (operator.subtasks === 'finished' ? [] : operator.subtasks).flatMap((subtask) => {
        const handle = subtask.kind === 'state' ? subtask.managedOperator : undefined;
        if (handle === undefined || handle.tag === 0) return [];
        return handle.states.filter(({ offsets }) => offsets.length > 0).map(({ name }) => name);
      }),
    );
    return [...held]
      .filter((state) => state !== WRITER_STATE && state !== COMMITTER_STATE)
      .filter((state) => KNOWN.includes(state) || SINK_NAME.test(operator.name))
      .map((state) => ({ operatorId: operator.id, operator: operatorName(operator), state }));
  });
}

/** An operator as people call it: by name, uid or id, whichever the file has. */
export function operatorName({ name, uid, id }: Pick<OperatorState, 'name' | 'uid' | 'id'>): string {
  return name || uid || `operator ${id}`;
}
