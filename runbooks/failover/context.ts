import type { CheckpointManifest, PendingTransaction, SinkEnds } from '../../domain/checkpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Config, JobConfig } from '../../domain/config.ts';
import type { PartitionOffset } from '../../domain/offsets.ts';
import type { Roles } from '../../domain/roles.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Names, Region } from '../../regions/region.ts';
import type { PointOutput } from '../../replication/recovery-point/point-output.ts';
import type { OpenTransaction } from '../../replication/topics/decide-transactions.ts';
import type { EndedTransaction } from '../../replication/topics/end-open-transactions.ts';
import type { ToldTransaction } from '../../replication/topics/open-transactions.ts';
import type { Sighting } from '../../state/sightings.ts';
import type { GuardLink } from '../fencing/claim-primary.ts';
import type { KafkaFencing } from '../fencing/kafka-fencing.ts';
import type { LossLimit } from './budget.ts';
import type { StandbyRemains } from './standby-remains.ts';

/** A recovery point that was refused, and why. */
export interface RejectedPoint {
  readonly job: string;
  readonly checkpointId: number;
  readonly code: string;
  readonly message: string;
}

/** Which recovery point a job is restored from. */
export type RecoveryPointChoice =
  | {
      readonly kind: 'chosen';
      readonly point: CheckpointManifest;
      /** What readers on the standby miss of its sinks' output, and what they get twice. */
      readonly output?: PointOutput;
      readonly rejected: readonly RejectedPoint[];
    }
  | { readonly kind: 'none'; readonly rejected: readonly RejectedPoint[] };

/** What was done for the committed offsets of one consumer group. */
export interface SyncedGroup {
  readonly group: string;
  /** `last-copy`: the primary can't be asked; what the daemon copied last stands on the standby already. */
  readonly source: 'primary' | 'last-copy';
  /** Why the primary's could not be copied. */
  readonly because?: string;
  /** As they stand on the standby afterwards. */
  readonly offsets: readonly PartitionOffset[];
  /** Partitions in which the primary's offset lay past what was mirrored. */
  readonly clamped?: number;
}

/** A job as the standby starts it. */
export interface FailoverJob {
  readonly config: JobConfig;
  /** Absolute path of the jar. */
  readonly jarPath: string;
}

/** Everything a failover needs; put together by the composition. */
export interface FailoverContext {
  readonly config: Config;
  readonly primary: Region;
  readonly standby: Region;
  readonly names: Names;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly jobs: readonly FailoverJob[];
  /** The roles that the failover changes: those under which the primary is primary. */
  readonly roles: Roles;
  /** The daemon's last sight of the primary. */
  readonly sighting: Sighting | undefined;
  readonly run: string;
  /** The earlier run that this one goes on with: it may have had effects past the point of no return. */
  readonly resumes?: string;
  /** Of the lease. */
  readonly epoch: number;
  /** `user@host`, for people. */
  readonly by: string;
  /** A person took it upon himself that the primary may still write. */
  readonly acceptUnfenced: boolean;
  /** A person took it upon himself that output of the jobs is missing on the standby. */
  readonly acceptOutputGap?: boolean;
  /** A primary that can't be reached is claimed from its guard. Absent: no region has one. */
  readonly guard?: GuardLink;
  /** By what the loss is judged before the standby's jobs start; absent: it is not judged. */
  readonly lossLimit?: LossLimit;
  /** The Flink in which drills run on the standby, with their jobs. Absent: there is none. */
  readonly drillFlink?: Pick<FlinkJobs, 'list' | 'cancel'>;
  /** How long a mirror that still gets records may go on. */
  readonly drainMs: number;
  /** Transactions that a person wants committed: producer ids of the source, or the mirror's transactional ids. */
  readonly commitTransactions?: readonly string[];
  readonly remains: StandbyRemains;
  /**
   * Newest usable points of all jobs, chosen together, given where mirrored data ends; by the job's name. A job that
   * runs already keeps what it was restored from. Reads only.
   */
  chooseRecoveryPoints(
    jobs: readonly { readonly config: JobConfig; readonly restored?: UsedPoint }[],
    mirroredEnds: readonly PartitionOffset[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, RecoveryPointChoice>>;
  /**
   * What readers miss and get twice of a point's output, when nothing of the mirror's stands open any more; undefined
   * when no more can be told than before. Reads only.
   */
  recountOutput(
    point: UsedPoint,
    writes: readonly string[],
    mirroredEnds: readonly PartitionOffset[],
    signal: AbortSignal,
  ): Promise<PointOutput | undefined>;
  /** Copies a group's committed offsets to the standby, clamped to where mirrored data ends. Idempotent. */
  syncGroup(group: string, mirroredEnds: readonly PartitionOffset[], signal: AbortSignal): Promise<SyncedGroup>;
  /** The same for the groups that are followed by name, but for these. Absent: none are. */
  syncOtherGroups?(
    but: readonly string[],
    mirroredEnds: readonly PartitionOffset[],
    signal: AbortSignal,
  ): Promise<readonly SyncedGroup[]>;
}

/** A recovery point in the run's facts and in the report. */
export interface UsedPoint {
  readonly job: string;
  readonly flinkJobId: string;
  readonly checkpointId: number;
  readonly completedAtMs: number;
  readonly uri: string;
  readonly sourceOffsets: readonly PartitionOffset[];
  readonly droppedTransactions: readonly PendingTransaction[];
  /** Where its sinks' topics ended on the primary after it; absent: nobody looked. */
  readonly sinkEnds?: SinkEnds;
  /** Absent: nobody looked, as at a job that an earlier run has started. */
  readonly output?: PointOutput;
  /** Where Flink consumes what it restores (CLAIM): what is copied for the job. */
  readonly claim?: { readonly files: number; readonly bytes: number };
}

/** What a job that is to be started is restored from. */
export interface PreparedRestore {
  readonly job: string;
  /** The directory of the `_metadata`. */
  readonly uri: string;
  /** `CLAIM`: what lies there is a copy that this job may consume. */
  readonly claimMode: 'NO_CLAIM' | 'CLAIM';
  /** With `CLAIM`: the only job that may be restored from it, and the size of the copy. */
  readonly jobId?: string;
  readonly files?: number;
  readonly bytes?: number;
}

/** What the steps have found out, for those after them and for the report. */
export interface FailoverFacts {
  /** The primary's jobs were seen stopped. */
  readonly primaryStopped: boolean;
  /** Why that could not be seen. */
  readonly unfencedBecause: string;
  /** How far its Kafka was seen to take no writes any more. */
  readonly kafkaFencing: KafkaFencing;
  /** Where the primary's fenced logs ended when they stood still. */
  readonly fencedEnds: readonly PartitionOffset[];
  /** Where mirrored data ends on the standby; offsets at and above belong to the new primary. */
  readonly promotedAt: readonly PartitionOffset[];
  readonly mirrorDrained: boolean;
  /** Whose the open transactions are that the mirror left, as far as it said. */
  readonly toldTransactions: readonly ToldTransaction[];
  /** The standby's brokers were seen to refuse the mirror's writes. */
  readonly writeDenied: boolean;
  /** Transactions that the mirror had left open, and how this run ended them. */
  readonly endedTransactions: readonly EndedTransaction[];
  /** Open ones of others: readers of committed records wait behind them. */
  readonly foreignTransactions: readonly OpenTransaction[];
  /** Of `commitTransactions`: what stood open nowhere any more. */
  readonly unmatchedCommits: readonly string[];
  /** The primary's log ends, seen after the mirror had stopped; absent while it is dark. Seen again after the flip. */
  readonly primaryEnds: readonly PartitionOffset[];
  /** They were seen after every resolver had answered with the standby. */
  readonly primaryEndsAreLast: boolean;
  readonly groups: readonly SyncedGroup[];
  readonly points: readonly UsedPoint[];
  /** Of the jobs that were still to be started. */
  readonly restores: readonly PreparedRestore[];
  readonly rejected: readonly RejectedPoint[];
  /** The standby's Flink job id by the job's name. */
  readonly startedJobs: Readonly<Record<string, string>>;
  readonly rolesEpoch: number;
  /** When every job had a checkpoint newer than the restored one, as seen. */
  readonly recoveredAtMs: number;
  /** Until when caches may keep an answer from before the flip. */
  readonly namesSettleAtMs: number;
  /** Names that resolvers answer with the provider's edge, whichever region they lead to. */
  readonly proxiedNames: readonly string[];
  /** When every resolver answered with the standby, as seen. */
  readonly namesAnswerAtMs: number;
}
