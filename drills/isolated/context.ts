import type { Bubble } from '../../domain/bubble.ts';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Config, JobConfig } from '../../domain/config.ts';
import type { Roles } from '../../domain/roles.ts';
import type { DnsRecords } from '../../regions/dns/dns-records.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { BubbleCopy, BubblePlace } from '../../replication/checkpoints/bubble-copy.ts';
import type { Step, StepIo } from '../../runbooks/engine/step.ts';
import type { FailoverContext, RejectedPoint } from '../../runbooks/failover/context.ts';
import type { Json } from '../../state/journal.ts';
import type { Sighting } from '../../state/sightings.ts';
import type { DrillSite } from '../bubble-region.ts';
import type { DrillCause, DrillReport, Leak, OutputComparison } from '../drill-report.ts';
import type { Inventory } from './inventory.ts';

/** A job as the drill starts it: everything that it is told is the drill's. */
export interface DrilledJob {
  readonly config: JobConfig;
  /** Absolute path of the jar. */
  readonly jarPath: string;
  readonly args: readonly string[];
  /** Its FlinkDeployment, where drills' jobs are such: then neither jar nor arguments count. */
  readonly manifest?: KubernetesObject;
  /** Drill topics by the production topics that they are in place of. */
  readonly topics: ReadonlyMap<string, string>;
  readonly group: string;
  readonly transactionalIdPrefix: string;
  readonly flinkJobId: string;
  /** Key prefixes in the standby's bucket. */
  readonly checkpoints: string;
  readonly restore: string;
}

/** What a drill's steps ask of the parts that know; all of it only reads. */
export interface DrillQuestions {
  /** As a failover asks it. */
  readonly chooseRecoveryPoints: FailoverContext['chooseRecoveryPoints'];
  /** What a job is restored from in the bubble. `SinkNotMovable` and the like are refusals: exit code 3. */
  gatherCopy(point: CheckpointManifest, place: BubblePlace, signal: AbortSignal): Promise<BubbleCopy>;
  /**
   * What is wrong with the chosen points' files and with the records that the jobs will read; `evidence` says what was
   * looked at, and what could not be.
   */
  prove(
    points: readonly CheckpointManifest[],
    io: Pick<StepIo, 'signal' | 'progress'>,
  ): Promise<{
    readonly causes: readonly DrillCause[];
    readonly evidence: Json;
    /** Why what the jobs will read was not held against the primary's log, or not all of it. */
    readonly mirrorNotCompared?: string;
  }>;
  /**
   * The job's output beside production's. `waiting`: its own checkpoints don't cover enough yet, and it is asked again.
   * `last`: nothing is waited for any more, what can be compared is.
   */
  compare(
    restored: RestoredJob,
    options: { readonly last: boolean; readonly signal: AbortSignal },
  ): Promise<
    | { readonly kind: 'waiting'; readonly for: string }
    | { readonly kind: 'ended'; readonly comparisons: readonly OutputComparison[] }
  >;
  /** Why a job that does not take its state doesn't, from what Flink says of its failure. Pure. */
  causeOf(job: string, failure: string): DrillCause;
}

/** A drill's job at work. */
export interface RestoredJob extends DrilledJob {
  readonly point: CheckpointManifest;
  /** URI of the newest checkpoint that it completed itself. */
  readonly newestCheckpoint: string;
}

/** What a step that fails, or is taken back, leaves for the report: facts are those of steps that ended well. */
export interface DrillFindings {
  readonly causes: DrillCause[];
  readonly comparisons: OutputComparison[];
  leaks?: readonly Leak[];
  /** See {@link DrillQuestions.prove}. */
  mirrorNotCompared?: string;
}

/** Everything that an isolated drill needs; put together by the composition. */
export interface IsolatedContext {
  readonly config: Config;
  readonly run: string;
  readonly bubble: Bubble;
  /** Of the drills' lease. */
  readonly epoch: number;
  /** `user@host`, for people. */
  readonly by: string;
  readonly clock: Clock;
  readonly roles: Roles;
  /** Only looked at. */
  readonly primary: {
    readonly name: string;
    readonly kafka: Pick<KafkaAdmin, 'describeTopics' | 'topicConfigs' | 'logRanges'>;
  };
  /** As this drill may use it. */
  readonly standby: DrillSite;
  /**
   * A region as a drill, dead by now, could use it: to clean up after it. `principal`: whose limits it had set. Undefined:
   * the configuration has none of this name.
   */
  siteOf(region: string, bubble: Bubble, principal?: string): DrillSite | undefined;
  /** Only looked at. */
  readonly records: Pick<DnsRecords, 'find'>;
  /** The state itself, of which the drill writes but its own part. */
  readonly state: ObjectStore;
  readonly jobs: readonly DrilledJob[];
  /** The daemon's last sight of the primary. */
  readonly sighting: Sighting | undefined;
  readonly questions: DrillQuestions;
  readonly findings: DrillFindings;
}

/** What the steps have found out, for those after them and for the report. */
export interface IsolatedFacts {
  /** What there was before anything was made. */
  readonly before: Inventory;
  /** The mark of the lease of those who act on the regions, as it was then. */
  readonly actsBefore: string;
  readonly points: readonly (DrillReport['points'][number] & { readonly manifest: CheckpointManifest })[];
  readonly rejected: readonly RejectedPoint[];
  readonly rpo: NonNullable<DrillReport['rpo']>;
  readonly copies: ReadonlyMap<string, BubbleCopy>;
  /** When every job had a checkpoint of its own, and had written where there was something to write, as seen. */
  readonly recoveredAtMs: number;
}

export type IsolatedStep = Step<IsolatedContext, IsolatedFacts>;
