import type { KubernetesObject } from '../kubernetes/kubernetes-api.ts';

/** A job of a Flink cluster, by Flink's own state names (CREATED, RUNNING, FAILING, FAILED, CANCELED, FINISHED, RESTARTING …). */
export interface FlinkJob {
  readonly id: string;
  /** The id by which Flink itself knows it, where that is another: the folder of its checkpoints has that one. */
  readonly flinkId?: string;
  readonly name: string;
  readonly state: string;
  readonly startedAtMs: number;
}

export interface FlinkCheckpoints {
  readonly restored?: { readonly id: number; readonly path: string; readonly atMs: number };
  readonly latestCompleted?: { readonly id: number; readonly path: string; readonly completedAtMs: number };
  readonly completedCount: number;
  readonly failedCount: number;
}

/** A completed checkpoint or savepoint that Flink remembers. */
export interface FlinkSnapshot {
  readonly kind: 'checkpoint' | 'savepoint';
  readonly id: number;
  /** The directory of its `_metadata`, as Flink writes it. */
  readonly path: string;
  readonly completedAtMs: number;
}

/** How a job takes its checkpoints, as its cluster tells it. */
export interface FlinkJobSettings {
  /** E.g. `2.2.1`; absent when the cluster doesn't tell. */
  readonly flinkVersion?: string;
  /** Absent: the job takes no checkpoints. */
  readonly checkpointing?: {
    readonly mode: string;
    /** Absent: only savepoints are taken. */
    readonly intervalMs?: number;
    readonly timeoutMs: number;
    /** What becomes of the checkpoints when the job ends: kept, deleted when it is cancelled, or always deleted. */
    readonly whenEnded: 'kept' | 'deleted-on-cancellation' | 'deleted';
    /** Flink's class names. */
    readonly stateBackend?: string;
    readonly storage?: string;
    readonly unaligned: boolean;
    readonly changelog: boolean;
  };
  /** Configuration of the cluster by key. What a job sets for itself Flink doesn't tell, besides `checkpointing`. */
  readonly cluster: ReadonlyMap<string, string>;
  /** Names of the operators, as far as Flink shows them in its tasks' names: `Source: events`, `counts: Writer`. */
  readonly operators: readonly string[];
}

export interface StartJob {
  /** Its name in Flink: needed where each job has a cluster of its own. */
  readonly name?: string;
  /** The program; of no use where a manifest names it. */
  readonly jarPath: string;
  readonly entryClass: string;
  readonly args: readonly string[];
  readonly parallelism: number;
  /** The directory of the `_metadata` to restore from; absent: an empty start. */
  readonly savepointPath?: string;
  /** Default `NO_CLAIM`: Flink deletes nothing of what it restores. `CLAIM`: it owns that, and deletes it by and by. */
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM';
  /** Settings of this job alone, over its cluster's: `execution.checkpointing.dir`. What the program sets itself is over these. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** The FlinkDeployment that it is made of, where none is configured for it: a drill's. */
  readonly manifest?: KubernetesObject;
  /** 32 hex digits. A second start with the id of a job that runs is refused by Flink: the act's precondition. */
  readonly jobId?: string;
}

/** A program in a cluster, and the job that it was uploaded for. */
export interface UploadedProgram {
  /** The cluster's name of it. */
  readonly id: string;
  readonly jobId: string;
}

export interface StopWithSavepoint {
  readonly jobId: string;
  /** Where the savepoint's folder is made, as the job's file system names it. */
  readonly directory: string;
  /** 32 hex digits: a second request with the same ones is the same request. */
  readonly triggerId: string;
  /** `NATIVE` is written and restored faster; the changelog state backend knows `CANONICAL` only. */
  readonly format: 'NATIVE' | 'CANONICAL';
}

/** How a stop with savepoint stands. `unknown`: the cluster knows no such request, or no longer. */
export type SavepointStop =
  | { readonly kind: 'running' }
  | { readonly kind: 'done'; readonly path: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'unknown' };

/** What was done to end a job by force. */
export interface ForcedStop {
  /** In words, for the journal. */
  readonly done: readonly string[];
  /** Pods of nodes that don't answer: whether their processes have ended nobody knows. */
  readonly unproven: readonly string[];
}

/** What a job's platform says of it, beside what Flink does. */
export interface JobHealth {
  /**
   * `sound`: all that the platform tells speaks for it. `settling`: nothing is against it that doesn't pass by itself.
   * `troubled`: it passes only when somebody mends it, or in a moment. `hopeless`: as it is it will never run.
   */
  readonly kind: 'sound' | 'settling' | 'troubled' | 'hopeless';
  /** In one sentence; absent: nothing is known against it. */
  readonly why?: string;
  /** How often its processes were started again in their place. */
  readonly restarts: number;
  /** It doesn't run, has never got so far that it could process a record, and would do better if it were made anew. */
  readonly remake: boolean;
  /** What a person may do where that is left to him. */
  readonly hint?: string;
  /** The platform's own words: `{ jobManager: 'READY', lifecycle: 'STABLE' }`. */
  readonly says: Readonly<Record<string, string>>;
}

/** A session cluster that jobs are submitted to, as its platform and its own REST interface have it. */
export interface SessionCluster {
  readonly namespace: string;
  readonly name: string;
  readonly state: 'absent' | 'starting' | 'ready';
  /** Absent: it isn't ready, or doesn't answer. */
  readonly slots?: { readonly free: number; readonly total: number };
  /** Names of the jobs that are configured for it, and the slots that they take together. */
  readonly jobs: readonly string[];
  readonly wanted: number;
}

/** How a job has fared since it was submitted: only what two of them differ by says how it fares now. */
export interface FlinkPulse {
  /** How often Flink began it anew; absent: it doesn't tell. */
  readonly restarts?: number;
  /** Of each of its vertices: how long each of its tasks, on average, has waited for those behind it. */
  readonly heldUpMs: readonly number[];
}

/** A release of Flink in a region. */
export interface FlinkRelease {
  /** E.g. `2.2.1`; as it is declared, `1.20`. */
  readonly version: string;
  /** Nothing tells it that runs: it stands in what the jobs are started by. */
  readonly declared?: true;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * One region's Flink. Errors are `ArgusError`: `FlinkUnreachable` (retryable), `FlinkRefused` (with Flink's own reason),
 * `JobMissing`. Every call ends within its deadline (10 s; `start`: 60 s) or by the signal.
 */
export interface FlinkJobs {
  /** All jobs the cluster knows, newest start first. */
  list(options?: CallOptions): Promise<readonly FlinkJob[]>;
  checkpoints(jobId: string, options?: CallOptions): Promise<FlinkCheckpoints>;
  /**
   * The completed checkpoints and savepoints in the job's history, newest first, without those that Flink has removed
   * since. The history is short (`web.checkpoints.history`), and a restarted JobManager has forgotten it.
   */
  snapshots(jobId: string, options?: CallOptions): Promise<readonly FlinkSnapshot[]>;
  /** How the job takes its checkpoints; also of a job that has ended, as long as the cluster knows it. */
  settings(jobId: string, options?: CallOptions): Promise<FlinkJobSettings>;
  /** Task slots that are free and in all; tells whether a job could start. */
  slots(options?: CallOptions): Promise<{ readonly free: number; readonly total: number }>;
  /** The releases of Flink that are there, or that jobs are to be started by, each once. Absent: there is no such means. */
  versions?(options?: CallOptions): Promise<readonly FlinkRelease[]>;
  /** The session clusters of jobs whose platform keeps these by name. Absent: there are none. */
  clusters?(options?: CallOptions): Promise<readonly SessionCluster[]>;
  /**
   * Tries without any change whether the jobs could be started, and throws what stands against it. Absent: only a start
   * can tell.
   */
  check?(options?: CallOptions): Promise<void>;
  /** Submits the job. An answer proves nothing about recovery: observe `checkpoints` for one newer than the restored. */
  start(job: StartJob, options?: CallOptions): Promise<{ readonly jobId: string }>;
  /**
   * Programs that lie uploaded in the cluster for a start with a job id of its own: each is removed behind its start, so
   * that what stays is of a start whose process died. Absent: the cluster keeps none.
   */
  uploads?(options?: CallOptions): Promise<readonly UploadedProgram[]>;
  /** Removes one; one that is gone is no error. Where `uploads` is. */
  removeUpload?(id: string, options?: CallOptions): Promise<void>;
  /** Asks the job to stop without savepoint; the effect is observed by `list`. A finished job is no error. */
  cancel(jobId: string, options?: CallOptions): Promise<void>;
  /**
   * Asks the job to take a savepoint and to end with it, without draining: no window fires, and what its sinks had
   * pre-committed is committed. The effect is observed: the job FINISHED, and the savepoint's `_metadata` in the
   * directory. A job that can't take one goes on. Absent: there is no such means.
   */
  stopWithSavepoint?(stop: StopWithSavepoint, options?: CallOptions): Promise<void>;
  /** How a stop with savepoint stands. Where `stopWithSavepoint` is. */
  savepointStop?(jobId: string, triggerId: string, options?: CallOptions): Promise<SavepointStop>;
  /**
   * Keeps the platform from starting a job again that has ended by itself. Idempotent. Absent: a job that has ended stays
   * so.
   */
  settle?(jobId: string, options?: CallOptions): Promise<void>;
  /** Ends by force what a cancellation has not ended. Absent: there is no such means. */
  forceStop?(
    jobId: string,
    options?: CallOptions & {
      /** Forgets pods that nobody can see end: then nothing tells any more that they may run. Default: they stay. */
      readonly giveUp?: boolean;
    },
  ): Promise<ForcedStop>;
  /** What the platform says of a job that is there. Absent: the platform tells nothing beside Flink. */
  health?(jobId: string, options?: CallOptions): Promise<JobHealth>;
  /** How the job has fared so far, asked cheaply. Absent: there is no such means. */
  pulse?(jobId: string, options?: CallOptions): Promise<FlinkPulse>;
  /** The newest root cause that Flink recorded for the job, if any. */
  failureOf(jobId: string, options?: CallOptions): Promise<string | undefined>;
}
