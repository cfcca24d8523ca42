import type { Clock } from '../../domain/clock.ts';
import type { Config } from '../../domain/config.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { Roles } from '../../domain/roles.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Region } from '../../regions/region.ts';
import type { Divergence } from '../../replication/orphans/divergence.ts';
import type { KeptRanges } from '../../replication/orphans/guard.ts';
import type { KeptRange, RescuedPartition } from '../../replication/orphans/rescue.ts';
import type { Rescued } from '../../state/rescued.ts';
import type { Step } from '../engine/step.ts';

/** What was rescued, read back; or the first record that is not kept as it was. */
export type RescueVerdict =
  | { readonly kind: 'verified'; readonly partitions: readonly RescuedPartition[] }
  | {
      readonly kind: 'differs';
      readonly topic: string;
      readonly partition: number;
      readonly at: bigint;
      readonly what: string;
    };

/** What a failback asks of both logs; the real one is `joinOrphans`. */
export interface OldLogs {
  /** How the old primary's partitions stand to the active side's. Reads only; throws while somebody writes to the old primary. */
  findDivergence(signal: AbortSignal): Promise<readonly Divergence[]>;
  /** Keeps what is to be rescued and is not kept yet; `mayAct` throws when nothing may be written. Can be gone on with. */
  rescue(
    found: readonly Divergence[],
    mayAct: () => void,
    progress: (message: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Compares what is kept with the old primary's log, record by record. Reads only. */
  checkRescue(found: readonly Divergence[], signal: AbortSignal): Promise<RescueVerdict>;
  /** Counts what is kept of one partition in these ranges, by this run and those before it. Reads only. */
  countKept(tp: TopicPartition, ranges: readonly KeptRange[], signal: AbortSignal): Promise<RescuedPartition>;
  /** Topics of the old primary that have to be deleted and made anew still; also Argus' own. Reads only. */
  lookForDiverged(found: readonly Divergence[], signal: AbortSignal): Promise<readonly string[]>;
  /** Deletes a topic of the old primary and makes it anew, once all that it alone has is kept. */
  beginAnew(topic: string, kept: readonly KeptRanges[], mayAct: () => void, signal: AbortSignal): Promise<void>;
  /** Checkpoints in the active side's replica that had read orphans, as keys of its bucket. Reads only. */
  findOvertaken(signal: AbortSignal): Promise<readonly string[]>;
  /** Takes one out of those that can be chosen. Idempotent. */
  retirePoint(point: string, signal: AbortSignal): Promise<void>;
  /** Lets the mirror write to the old primary again, where an earlier failover had denied it. Idempotent. */
  letMirrorWrite(signal: AbortSignal): Promise<void>;
  /** Where a topic's orphans are kept, for people. */
  describeKept(topic: string): string;
}

/** Everything that a failback needs; put together by the composition. */
export interface FailbackContext extends OldLogs {
  readonly config: Config;
  /** The active side: primary since the promotion. */
  readonly primary: Region;
  /** The old primary, standby by the roles in force. */
  readonly standby: Region;
  readonly state: ObjectStore;
  readonly clock: Clock;
  /** The roles in force: replication is suspended since the promotion. */
  readonly roles: Roles;
  readonly run: string;
  /** Of the lease. */
  readonly epoch: number;
  /** `user@host`, for people. */
  readonly by: string;
  /** A person took it upon himself that the old primary's jobs can't be seen stopped. */
  readonly acceptUnfenced: boolean;
  readonly keepIn: Rescued['to'];
}

/** What the steps have found out, for those after them and for the report. */
export interface FailbackFacts {
  readonly oldJobsStopped: boolean;
  readonly unfencedBecause: string;
  /** How far it was seen that the old primary's Kafka takes no writes; `none`: it has no fence. */
  readonly kafkaFenced: 'proven' | 'partial' | 'none';
  readonly found: readonly Divergence[];
  /** What this run has compared with the old primary's log as it is now: only that may be deleted. */
  readonly verified: readonly RescuedPartition[];
  /** What is kept of the old primary since the promotion, by this run and those before it. */
  readonly rescued: Rescued;
  /** Topics that were begun anew by this run. */
  readonly begunAnew: readonly string[];
  /** Of the roles under which is mirrored back. */
  readonly rolesEpoch: number;
}

export type FailbackStep = Step<FailbackContext, FailbackFacts>;
