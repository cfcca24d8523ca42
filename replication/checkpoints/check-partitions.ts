import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { CheckedJob, CheckFinding, Findings } from './checked-job.ts';

/** Whether the sources read every partition that they know of; pure. */
export function checkPartitions({ checkpoint }: CheckedJob): Findings {
  const warnings: CheckFinding[] = [];
  const { unassigned, unheld } = checkpoint.kind === 'read' ? checkpoint.contents : { unassigned: [], unheld: [] };
  if (unheld.length > 0) {
    warnings.push({
      code: 'PartitionHeldByNone',
      message: `${some(unheld)}: the source gave it to a reader and no reader's state holds it; a restored job would not read it, unless the source has an end and reached it`,
      alternative: 'see whether the job reads it; if not, restart it from an older checkpoint or a savepoint',
    });
  }
  if (unassigned.length > 0) {
    warnings.push({
      code: 'PartitionNotAssigned',
      message: `${some(unassigned)}: the source knows it and no reader had it when the checkpoint was taken; a restored job begins it where the source's settings say`,
      alternative: 'wait for the next checkpoint; if it stays so, see whether all readers run',
    });
  }
  return { reasons: [], warnings, notes: [] };
}

function some(partitions: readonly TopicPartition[]): string {
  const more = partitions.length > 3 ? ` and ${partitions.length - 3} more` : '';
  return partitions.slice(0, 3).map(partitionKey).join(', ') + more;
}
