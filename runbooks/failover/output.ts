import type { DoubledOutput } from '../../replication/recovery-point/judge-output.ts';
import type { SinkNote } from '../../replication/recovery-point/judge-sinks.ts';
import type { OutputGap } from '../../replication/recovery-point/point-output.ts';
import type { UsedPoint } from './context.ts';

/** Output of a job that readers on the standby miss, in one partition. Offsets in decimal. */
export interface ReportedGap extends Omit<OutputGap, 'mirroredEnd' | 'sinkEnd'> {
  readonly job: string;
  readonly mirroredEnd: string;
  readonly sinkEnd: string | null;
}

export interface ReportedDouble extends DoubledOutput {
  readonly job: string;
}

export interface ReportedNote extends SinkNote {
  readonly job: string;
}

/** What a failover's report tells of its jobs' output. */
export interface ReportedOutput {
  readonly outputGap: readonly ReportedGap[];
  readonly doubledOutput: readonly ReportedDouble[];
  readonly outputNotes: readonly ReportedNote[];
}

/** What the chosen points mean to readers of their sinks' output. Pure. */
export function reportedOutput(points: readonly Pick<UsedPoint, 'job' | 'output'>[]): ReportedOutput {
  const each = points.flatMap(({ job, output }) => (output === undefined ? [] : [{ job, ...output }]));
  return {
    outputGap: each.flatMap(({ job, gap }) =>
      gap.map((g) => {
        return { job, ...g, mirroredEnd: g.mirroredEnd.toString(), sinkEnd: g.sinkEnd?.toString() ?? null };
      }),
    ),
    doubledOutput: each.flatMap(({ job, doubled }) => doubled.map((d) => ({ job, ...d }))),
    outputNotes: each.flatMap(({ job, notes }) => notes.map((n) => ({ job, ...n }))),
  };
}

/** The same for people, a line each; nothing of topics without doubles. Pure. */
export function outputLines({
  outputGap = [],
  doubledOutput = [],
  outputNotes = [],
}: Partial<ReportedOutput>): readonly string[] {
  return [
    ...outputGap.map((g) => {
      const most = g.recordsAtMost === null ? 'an unknown number of records' : `at most ${g.recordsAtMost} records`;
      const aborted = g.abortedRecords ? `, ${g.abortedRecords} of them in transactions that are aborted there` : '';
      const ends = `the mirror ends at ${g.mirroredEnd}, the output ${g.sinkEnd === null ? 'nobody knows where' : `may go up to ${g.sinkEnd}`}`;
      return `missing output of ${g.job} in ${g.topic}-${g.partition}: ${most}${aborted}; ${ends}`;
    }),
    ...doubledOutput
      .filter((d) => d.records !== 0 || d.basis !== 'exact')
      .map((d) => `doubled output of ${d.job} in ${d.topic}: ${doubledText(d)}`),
    ...outputNotes.map((n) => `not verifiable of ${n.job}: ${n.message}`),
  ];
}

/** `at least 12 records`. Pure. */
function doubledText({ records, basis }: Pick<DoubledOutput, 'records' | 'basis'>): string {
  if (records === null) return 'an unknown number of records';
  const bound = { exact: '', atLeast: 'at least ', atMost: 'at most ', unknown: 'about ' }[basis];
  return `${bound}${records} records`;
}

/** What is to be said of a point before a failover to it. Pure. */
export function outputWarnings(point: UsedPoint): readonly string[] {
  if (point.output !== undefined) return outputLines(reportedOutput([point]));
  const dropped = point.droppedTransactions.length;
  return dropped === 0
    ? []
    : [`${point.job}: ${dropped} pending transactions of its sinks are left out; how they ended is not looked at`];
}
