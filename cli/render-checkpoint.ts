import { formatByteSize } from '../domain/byte-size.ts';
import type { CheckpointView, OperatorView } from '../replication/checkpoints/show.ts';

/** A checkpoint for people, as lines. `others` are URIs of checkpoints of the same number. */
export function renderCheckpoint(view: CheckpointView, others: readonly string[]): readonly string[] {
  const bytes = view.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return [
    `${view.kind ?? 'checkpoint'} ${view.checkpointId}  ${view.uri}`,
    `  completed      ${new Date(view.completedAtMs).toISOString()}`,
    `  Flink job id   ${view.flinkJobId ?? 'not told by its path'}`,
    `  _metadata      version ${view.metadataVersion}, ${formatByteSize(view.metadataBytes)}`,
    ...(view.masterStates.length === 0 ? [] : [`  master states  ${view.masterStates.join(', ')}`]),
    '',
    `operators: ${view.operators.length}`,
    ...view.operators.flatMap(operatorLines),
    '',
    `files: ${view.files.length}, ${formatByteSize(bytes)}`,
    ...view.files.map((file) => `  ${file.atLeast ? '>= ' : ''}${file.sizeBytes} B  ${file.uri}`),
    '',
    ...kafkaLines(view),
    ...view.enumerators.flatMap(enumeratorLines),
    ...view.sinkWriters.map(writerLine),
    ...view.untoldStates.map(
      ({ operatorId, state, message }) => `state of the ${state} of ${operatorId} can't be told: ${message}`,
    ),
    ...others.map((uri) => `also: ${uri}`),
  ];
}

function operatorLines(operator: OperatorView): readonly string[] {
  const name = operator.name ?? operator.uid ?? 'no name';
  const uid = operator.uid !== null && operator.uid !== name ? `  uid ${operator.uid}` : '';
  const finished = operator.finishedSubtasks === 0 ? '' : `, ${operator.finishedSubtasks} finished`;
  return [
    `  ${operator.id}  ${name}${uid}  parallelism ${operator.parallelism} of ${operator.maxParallelism}${finished}`,
    ...operator.state.map(({ kind, bytes, inlineBytes }) => {
      const inline = inlineBytes === '0' ? '' : `, ${formatByteSize(Number(inlineBytes))} of it in _metadata`;
      return `    ${kind}: ${formatByteSize(Number(bytes))}${inline}`;
    }),
  ];
}

/** Partitions that are read are among the source offsets already: only the others are named. */
function enumeratorLines({ operatorId, partitions, unheld }: CheckpointView['enumerators'][number]): readonly string[] {
  const unassigned = partitions.filter(({ assigned }) => !assigned);
  return [
    `enumerator of ${operatorId}: ${partitions.length} partitions, ${unassigned.length} not given to a reader yet`,
    ...unassigned.map(({ topic, partition, startingOffset }) => {
      const begin = startingOffset === null ? "the job's setting" : (MARKERS[startingOffset] ?? startingOffset);
      return `  ${topic}-${partition}  not read yet, begins at ${begin}`;
    }),
    ...unheld.map(({ topic, partition }) => `  ${topic}-${partition}  given to a reader, held by none`),
  ];
}

function writerLine({
  operatorId,
  subtask,
  transactionalIdPrefix,
  owned,
}: CheckpointView['sinkWriters'][number]): string {
  const ids = owned?.precommitted.map(({ transactionalId }) => transactionalId) ?? [];
  const owns = owned === null ? '' : `, ids of subtask ${owned.subtask} of ${owned.subtasks} (${owned.ownership})`;
  const pending = ids.length === 0 ? '' : `, pre-committed: ${ids.join(', ')}`;
  return `writer of ${operatorId}, subtask ${subtask}: transactional prefix "${transactionalIdPrefix}"${owns}${pending}`;
}

const MARKERS: Readonly<Record<string, string>> = {
  '-1': 'latest (marker -1)',
  '-2': 'earliest (marker -2)',
  '-3': "the group's committed offset (marker -3)",
};

function kafkaLines(view: CheckpointView): readonly string[] {
  if (view.untold !== null) return [`source offsets and sink transactions can't be told: ${view.untold}`];
  const dropped = view.transactionsDropped ? ', left out of this copy' : '';
  return [
    `source offsets: ${view.sourceOffsets.length}`,
    ...view.sourceOffsets.map((o) => `  ${o.topic}-${o.partition}  ${MARKERS[o.offset] ?? o.offset}`),
    `sink transactions: ${view.sinkTransactions.length}${dropped}`,
    ...view.sinkTransactions.map((t) => `  ${t.transactionalId}  producer ${t.producerId}, epoch ${t.producerEpoch}`),
  ];
}
