import type { CheckedJob, CheckFinding, Findings } from './checked-job.ts';

/** Whether the sources read the topics that the configuration names; pure. Without `jobs[].reads` nothing is compared. */
export function checkTopics({ checkpoint, reads }: CheckedJob): Findings {
  const warnings: CheckFinding[] = [];
  const { sourceOffsets, unassigned, unheld } =
    checkpoint.kind === 'read' ? checkpoint.contents : { sourceOffsets: [], unassigned: [], unheld: [] };
  if (checkpoint.kind !== 'read' || reads === undefined) return { reasons: [], warnings, notes: [] };
  const inState = new Set([...sourceOffsets, ...unassigned, ...unheld].map(({ topic }) => topic));
  const undeclared = [...inState].filter((topic) => !reads.includes(topic)).sort();
  if (undeclared.length > 0) {
    warnings.push({
      code: 'TopicNotDeclared',
      message: `the checkpoint goes on reading ${undeclared.join(', ')}, which jobs.reads does not name`,
      alternative: 'add it; or it was left by an older version of the job, whose splits Flink keeps reading',
    });
  }
  const unread = reads.filter((topic) => !inState.has(topic)).sort();
  if (unread.length > 0) {
    warnings.push({
      code: 'TopicNotRead',
      message: `jobs.reads names ${unread.join(', ')}, of which the checkpoint holds nothing`,
      alternative:
        'correct jobs.reads, or see whether the job reads it: a restored job begins it where its source says',
    });
  }
  return { reasons: [], warnings, notes: [] };
}
