import type { ResolvedMarkers } from '../../domain/checkpoint.ts';
import type { FlinkJobSettings } from '../../regions/flink/flink-jobs.ts';
import type { CheckpointContents } from './check-contents.ts';

/** What the brokers tell of a job's transactions. */
export interface CheckedTransactions {
  /** The longest time-out that the sinks asked for; undefined when there are no transactions, or none may be described. */
  readonly timeoutMs: number | undefined;
  /** `transaction.max.timeout.ms`, the smallest of the brokers; undefined when it may not be read. */
  readonly primaryLimitMs: number | undefined;
  readonly standbyLimitMs: number | undefined;
}

/** A job as it was seen; pure data. */
export interface CheckedJob {
  readonly job: string;
  /** Where the job's checkpoints are looked for. */
  readonly prefix: string;
  readonly bucketUri: string;
  readonly replicaBucketUri: string;
  readonly rpoMs: number;
  readonly nowMs: number;
  readonly flink:
    | { readonly kind: 'silent'; readonly message: string }
    /** Flink answers and knows no job of this name. */
    | { readonly kind: 'missing' }
    | {
        readonly kind: 'known';
        readonly state: string;
        readonly settings: FlinkJobSettings;
        /** Where Flink itself says the newest checkpoint lies. */
        readonly newestPath: string | undefined;
      };
  readonly checkpoint:
    | { readonly kind: 'none' }
    | { readonly kind: 'unreadable'; readonly code: string; readonly message: string }
    /** With the run that took it. */
    | { readonly kind: 'read'; readonly flinkJobId?: string; readonly contents: CheckpointContents };
  readonly transactions: CheckedTransactions;
  /** Topics that the configuration names as the sources'. */
  readonly reads?: readonly string[];
  /** Offsets for the sources' markers, as a copy of the checkpoint would get them now. */
  readonly resolvedMarkers?: ResolvedMarkers;
}

/** What is wrong with a job, and what helps. */
export interface CheckFinding {
  readonly code: string;
  readonly message: string;
  readonly alternative: string;
}

/** Findings of one kind of look. */
export interface Findings {
  readonly reasons: readonly CheckFinding[];
  readonly warnings: readonly CheckFinding[];
  readonly notes: readonly string[];
}
