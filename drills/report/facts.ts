import type { InspectedRun } from '../../state/journal.ts';
import type { KeptRecount } from '../../state/recounts.ts';
import type { Rescued } from '../../state/rescued.ts';
import type { RunRecord } from '../../state/run-record.ts';
import type { Sample } from '../../state/samples.ts';

/** All that a report is made from. */
export interface ReportFacts {
  readonly inspected: InspectedRun;
  readonly record: RunRecord;
  /** Those around the run; empty: nobody noted any. */
  readonly samples: readonly Sample[];
  readonly recount?: KeptRecount;
  /** What a failback found that only the old primary had after this run. */
  readonly rescued?: Rescued;
  /** Other runs of the same runbook under the same roles, and those that it was made of. */
  readonly others: readonly RunRecord[];
  /** Of the configuration, for runs that did not note theirs. */
  readonly objectives: { readonly rtoMs: number; readonly rpoMs: number };
  readonly madeAtMs: number;
  /** Of the Argus that makes the report. */
  readonly version: string;
}
