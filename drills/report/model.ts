import type { RegionVersions } from '../../health/platform-versions.ts';
import type { Failure, Json } from '../../state/journal.ts';
import type { ChainFault } from '../../state/journal-chain.ts';
import type { RunStatus } from '../../state/run-record.ts';
import type { Sample } from '../../state/samples.ts';
import type { DrillKind, DrillReport } from '../drill-report.ts';

/** A step as the report tells it, from the journal. */
export interface ReportStep {
  readonly id: string;
  readonly title: string;
  /** `started`: its end stands nowhere. `not-run`: planned, and not begun. */
  readonly status: 'started' | 'done' | 'already' | 'failed' | 'refused' | 'compensated' | 'not-run';
  readonly startedAtMs?: number;
  readonly ms?: number;
  /** How much of that it waited for others, and for whom. */
  readonly waitedMs?: number;
  readonly waitsFor?: string;
  /** From its act on nothing was taken back. */
  readonly pointOfNoReturn?: true;
  readonly error?: Failure;
  /** What was seen, when, and by whom. */
  readonly evidence?: Seen;
  /** Its effect was to be taken back: what that took and saw; with an error it could not be. */
  readonly takenBack?: Seen & { readonly ms: number; readonly error?: Failure };
}

/** What was seen, when, and by whom. */
export interface Seen {
  readonly atMs: number;
  readonly by: string;
  readonly seen: Json;
}

/** What was reached against what was to be reached. `met`: null when nobody can tell. */
export interface Measured {
  readonly ms: number | null;
  readonly objectiveMs: number;
  readonly met: boolean | null;
  /** From what to what it was measured, in one sentence. */
  readonly means: string;
  /** What it may have been at most, where its begin is not known. */
  readonly atMostMs?: number;
}

/** How sure a loss is: `proven` none, `counted` in both logs, `estimated`, or `unknown`. */
export type Certainty = 'proven' | 'counted' | 'estimated' | 'unknown';

/** What the standby did not have of one topic. Null: nobody knows. */
export interface TopicLossLine {
  readonly topic: string;
  readonly records: number | null;
  readonly bytes: number | null;
  readonly ms: number | null;
  readonly certainty: Certainty;
  /** Up to so many, if clients went on. */
  readonly atMostRecords?: number;
  /** What a later count corrects: the estimate of that time. */
  readonly estimatedRecords?: number;
  readonly countedBy?: string;
}

export interface ReportPoint {
  readonly job: string;
  readonly checkpointId: number;
  readonly completedAtMs?: number;
  readonly uri: string;
  readonly replayRecords?: number;
}

/** Where time or data could be saved, from what this run shows. */
export interface Hint {
  readonly code: string;
  readonly sentence: string;
}

/** A run of the same move: one that was cut off before this one went on with it, or that this one led to. */
export interface RelatedRun {
  readonly run: string;
  readonly status: RunStatus;
  readonly startedAtMs: number;
  readonly relation: 'gone on with by this run' | 'went on with this run' | 'part of this drill';
}

/** All that a report says. JSON; its keys are only ever added to. */
export interface ReportModel {
  readonly format: 'argus-report/1';
  readonly run: string;
  readonly runbook: string;
  readonly drill?: DrillKind;
  readonly title: string;
  readonly status: RunStatus;
  /** In one sentence. */
  readonly verdict: string;
  readonly from?: string;
  readonly to?: string;
  readonly by: string;
  readonly startedFrom?: string;
  readonly reason?: string;
  /** What a person, or the configuration, took upon itself. */
  readonly accepted: readonly string[];
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly outageAtMs?: number;
  /** `run`: as the run itself noted them when it began. */
  readonly objectivesOf: 'run' | 'configuration';
  readonly rto?: Measured;
  readonly rpo?: Measured & {
    readonly records: number | null;
    readonly bytes: number | null;
    readonly certainty: Certainty;
    readonly topics: readonly TopicLossLine[];
  };
  readonly share?: { readonly totalMs: number; readonly ownMs: number };
  readonly steps: readonly ReportStep[];
  readonly pointOfNoReturn?: { readonly step: string; readonly atMs: number };
  readonly points: readonly ReportPoint[];
  readonly rejected: readonly {
    readonly job: string;
    readonly checkpointId: number;
    readonly code: string;
    readonly message: string;
  }[];
  /** Read again, or for the first time, by the restored jobs. Null: not known. */
  readonly replayedRecords: number | null;
  /** Output that readers of the standby get twice, or miss; one sentence each. */
  readonly output: readonly string[];
  readonly samples: readonly Sample[];
  /** Why there are no samples. */
  readonly samplesNote?: string;
  /** Of a drill. */
  readonly comparisons?: DrillReport['comparisons'];
  readonly leaks?: DrillReport['leaks'];
  /** Of a drill by switchover: the moves that it was made of. */
  readonly legs?: DrillReport['legs'];
  readonly faults?: DrillReport['faults'];
  readonly causes: readonly (Failure & { readonly job?: string })[];
  readonly related: readonly RelatedRun[];
  readonly hints: readonly Hint[];
  readonly versions: {
    readonly argus?: string;
    readonly node?: string;
    readonly reportBy: string;
    /** What the regions told when the run began; absent: it didn't ask. */
    readonly platform?: readonly (RegionVersions & {
      /** All of it in one line. */
      readonly text: string;
    })[];
  };
  readonly configSha256?: string;
  readonly madeAtMs: number;
  readonly journal: {
    readonly chained: boolean;
    readonly fault?: ChainFault;
    /** The newest entry that is as it was written. */
    readonly head?: { readonly seq: number; readonly sha256: string };
    /** Whole, as they lie in the state, in the order of their fields. */
    readonly entries: readonly unknown[];
  };
}
