import { partitionKey } from '../../domain/offsets.ts';
import type { CheckedJob, CheckedTransactions, CheckFinding, Findings } from './checked-job.ts';

/** Where the job reads and writes, and whether its transactions will be taken on the standby; pure. */
export function checkSinksAndSources({ checkpoint, flink, transactions, resolvedMarkers }: CheckedJob): Findings {
  const reasons: CheckFinding[] = [];
  const warnings: CheckFinding[] = [];
  const notes: string[] = [];
  if (checkpoint.kind !== 'read') return { reasons, warnings, notes };
  const { contents } = checkpoint;
  const settings = flink.kind === 'known' ? flink.settings : undefined;

  const resolved = new Map((resolvedMarkers?.splits ?? []).map((split) => [partitionKey(split), split]));
  const markers = contents.sourceOffsets.filter((split) => split.offset < 0n && !resolved.has(partitionKey(split)));
  if (resolved.size > 0) {
    const splits = [...resolved].slice(0, 3).map(([key, { marker, offset }]) => `${key} ${offset} for ${marker}`);
    const more = resolved.size > 3 ? ` and ${resolved.size - 3} more` : '';
    notes.push(`markers in place of offsets get an offset on the replica: ${splits.join(', ')}${more}`);
  }
  if (markers.length > 0) {
    const names = markers.slice(0, 3).map(({ topic, partition, offset }) => `${topic}-${partition} (${offset})`);
    const more = markers.length > 3 ? ` and ${markers.length - 3} more` : '';
    reasons.push({
      code: 'SourceOffsetUnknown',
      message: `for ${names.join(', ')}${more} the checkpoint holds a marker in place of an offset, and nobody can tell which it stands for: a failover refuses such a checkpoint`,
      alternative:
        'wait for a checkpoint after a record was read from each partition; and start the source with OffsetsInitializer.committedOffsets(OffsetResetStrategy.NONE), so that a missing offset stops the job instead of being made up',
    });
  } else if (contents.kafkaSources === 0 && contents.outside.length === 0) {
    reasons.push({
      code: 'NoSourceOffsets',
      message: 'the checkpoint holds no offsets of a KafkaSource, and a failover refuses such a checkpoint',
      alternative: 'read from Kafka by KafkaSource; the older FlinkKafkaConsumer is not known',
    });
  } else if (contents.kafkaSources > 0) {
    notes.push(
      'what the source does with an offset that the standby lacks (auto.offset.reset) is not in the checkpoint: use OffsetResetStrategy.NONE',
    );
  }

  const operators = [...new Set([...(settings?.operators ?? []), ...contents.operators])];
  for (const name of unseen(operators.filter(isSource), contents, contents.kafkaSources, (n) => n)) {
    warnings.push({
      code: 'SourceNotVerifiable',
      message: `no offsets of Kafka were seen for ${name}: it is no Kafka source, and whether the standby has its data can't be verified`,
      alternative: 'see for yourself that the standby reaches the same data',
    });
  }
  const committer = (writer: string) => writer.replace(/: Writer$/, ': Committer');
  for (const name of unseen(operators.filter(isSink), contents, contents.kafkaSinks, committer)) {
    warnings.push({
      code: 'SinkNotVerifiable',
      message: `no transactions of Kafka were seen for ${name.replace(/: Writer$/, '')}: it writes at least once, isn't Kafka, or was idle with a connector before 4.0; what reaches its target can't be verified`,
      alternative: 'expect repeated output after a restore, or make the target idempotent',
    });
  }
  if (contents.transactions.length > 0) {
    const ids = [...new Set(contents.transactions.map(({ transactionalId }) => prefixOf(transactionalId)))].sort();
    notes.push(
      `${contents.transactions.length} pending transactions (${ids.join(', ')}) are left out of the replica's metadata: their output is reported by a failover as a possible gap`,
    );
    checkTimeouts(transactions, settings?.checkpointing, { reasons, warnings, notes });
  }
  return { reasons, warnings, notes };
}

function checkTimeouts(
  { timeoutMs, primaryLimitMs, standbyLimitMs }: CheckedTransactions,
  checkpointing: { readonly intervalMs?: number; readonly timeoutMs: number } | undefined,
  to: { readonly reasons: CheckFinding[]; readonly warnings: CheckFinding[]; readonly notes: string[] },
): void {
  if (timeoutMs === undefined) {
    to.notes.push(
      "the sinks' transaction.timeout.ms is not known: the primary may not be asked about them, or has forgotten them",
    );
    return;
  }
  const limit = (ms: number | undefined) => (ms === undefined ? 'unknown' : `${ms}`);
  to.notes.push(
    `transaction.timeout.ms ${timeoutMs}; transaction.max.timeout.ms ${limit(primaryLimitMs)} on the primary, ${limit(standbyLimitMs)} on the standby`,
  );
  if (standbyLimitMs !== undefined && timeoutMs > standbyLimitMs) {
    to.reasons.push({
      code: 'TransactionTimeoutRefused',
      message: `the sinks ask for a transaction time-out of ${timeoutMs} ms, the standby's brokers allow ${standbyLimitMs} ms: the restored job could not begin a transaction`,
      alternative:
        "raise transaction.max.timeout.ms on the standby's brokers, or lower the sink's transaction.timeout.ms",
    });
  }
  const needed = (checkpointing?.intervalMs ?? 0) + (checkpointing?.timeoutMs ?? 0);
  if (timeoutMs < needed) {
    to.warnings.push({
      code: 'TransactionTimeoutShort',
      message: `a transaction may stay open for ${needed} ms (interval and time-out of a checkpoint), its time-out is ${timeoutMs} ms: Kafka would abort output that Flink counts as written`,
      alternative: "raise the sink's transaction.timeout.ms, or lower execution.checkpointing.timeout",
    });
  }
}

const isSource = (name: string) => name.startsWith('Source: ');
/** FLIP-143's writers, and sinks of the older kind. */
const isSink = (name: string) => name.endsWith(': Writer') || name.startsWith('Sink: ');

/** Operators for which the checkpoint holds nothing of Kafka; where it has no names, all of them unless the count fits. */
function unseen(
  names: readonly string[],
  contents: CheckedContents,
  seen: number,
  holder: (name: string) => string,
): readonly string[] {
  if (contents.operators.length === 0) return names.length <= seen ? [] : names;
  return names.filter((name) => ![name, holder(name)].some((one) => contents.kafkaOperators.includes(one)));
}

type CheckedContents = Extract<CheckedJob['checkpoint'], { kind: 'read' }>['contents'];

/** KafkaSink's ids are `<prefix>-<subtask>-<number>`. */
function prefixOf(transactionalId: string): string {
  return transactionalId.replace(/-\d+-\d+$/, '');
}
