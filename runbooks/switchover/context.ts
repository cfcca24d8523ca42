import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { JobConfig } from '../../domain/config.ts';
import type { LogRange, PartitionOffset, TopicPartition } from '../../domain/offsets.ts';
import type { Json } from '../../state/journal.ts';
import type { FailoverContext, FailoverFacts } from '../failover/context.ts';
import type { FenceIo } from '../fencing/kafka-fencing.ts';

/** Whose writes are kept off the primary: of the services that take in data, or of the Flink jobs. */
export type Writers = 'producers' | 'jobs';

/** Whether a region's brokers take writes of these principals. */
export type WritersSeen =
  /** All are refused. `proven`: it was tried at every leader; else it follows from the rules that every broker told. */
  | { readonly kind: 'denied'; readonly proven: boolean; readonly evidence: Json }
  | { readonly kind: 'open'; readonly where: string }
  /** The configuration names nobody, or the brokers can't deny. */
  | { readonly kind: 'no-means'; readonly why: string };

/** A complete savepoint in the primary's bucket that a switchover asked for. */
export interface StoredSavepoint {
  readonly job: string;
  readonly flinkJobId: string;
  readonly checkpointId: number;
  /** Its folder's key, without a slash at its end. */
  readonly directory: string;
  /** By the store's clock. */
  readonly completedAtMs: number;
}

/** Everything that a switchover needs beyond what a failover does. */
export interface SwitchoverContext extends FailoverContext {
  /** A person has stopped the producers, where Argus has no means to. */
  readonly producersStopped: boolean;
  /** How long the jobs may take to read what the producers left; then they are stopped where they are. */
  readonly catchUpMs: number;
  /** Reads only, and tries writes that write nothing. */
  lookAtWriters(who: Writers, signal: AbortSignal): Promise<WritersSeen>;
  /** Idempotent. */
  denyWriters(who: Writers, io: FenceIo): Promise<void>;
  /** Takes exactly that back. Idempotent. */
  allowWriters(who: Writers, io: FenceIo): Promise<void>;
  /** Savepoints that switchovers of these roles asked a job for, newest first. */
  listSavepoints(job: string, signal: AbortSignal): Promise<readonly StoredSavepoint[]>;
  /** The savepoint's copy on the standby, if it is complete. Reads only. */
  findCopy(savepoint: StoredSavepoint, signal: AbortSignal): Promise<CheckpointManifest | undefined>;
  /** Copies and relocates it. Idempotent. */
  copySavepoint(job: JobConfig, savepoint: StoredSavepoint, signal: AbortSignal): Promise<CheckpointManifest>;
  /** Partitions of the primary in which a transaction stands open. Reads only. */
  heldAtPrimary(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<readonly PartitionOffset[]>;
  /** Offset ranges on the primary, in which nothing but control records stand. Reads only. */
  lookForRecords(
    ranges: readonly LogRange[],
    signal: AbortSignal,
  ): Promise<readonly { readonly topic: string; readonly partition: number; readonly records: number }[]>;
  /** Lets the mirror write to the primary, which becomes the standby. Idempotent. */
  allowMirror(signal: AbortSignal): Promise<void>;
  /** Whether the mirror may write there. */
  lookAtMirror(signal: AbortSignal): Promise<WritersSeen>;
  /** When an earlier run of this switchover first kept the producers from writing. */
  readonly deniedAtMs?: number;
  /** What an earlier run of it proved; needed where the standby runs already. */
  readonly earlierProof?: SwitchoverProof;
  /** Ids of the jobs that ran on the primary when earlier runs were taken back; absent: none was. */
  readonly returnedJobs?: ReadonlySet<string>;
}

/** That nothing is lost: where both sides' logs end, and what was still to be read there. Offsets in decimal. */
export interface SwitchoverProof {
  readonly atMs: number;
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    /** Of the primary, with producers and jobs kept from writing. */
    readonly primaryEnd: string;
    readonly standbyEnd: string;
  }[];
}

/** What the steps of a switchover have found out, besides what those of a failover do. */
export interface SwitchoverFacts extends FailoverFacts {
  /** When the producers were first kept from writing. */
  readonly producersDeniedAtMs: number;
  /** How that is known. */
  readonly producersDenied: 'proven' | 'by-rules' | 'by-person';
  /** What the jobs had not read when they were stopped: offsets by job, markers of transactions among them. */
  readonly behind: readonly { readonly job: string; readonly offsets: string }[];
  readonly savepoints: readonly StoredSavepoint[];
  readonly proof: SwitchoverProof;
  /** Of what the jobs' savepoints leave to be read on the standby. Null: not known. */
  readonly unread: number | null;
}
