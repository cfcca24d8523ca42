import type { Failure } from '../state/journal.ts';

/**
 * `isolated`: the real job from the real replica, in a bubble. `switchover`: there and back. `tabletop`: every check and
 * the plan, nothing started. `fault`: something is broken on purpose.
 */
export type DrillKind = 'isolated' | 'switchover' | 'tabletop' | 'fault';

/** Who or what began a drill. */
export type DrillTrigger =
  | { readonly kind: 'person' }
  /** `slotAtMs`: when it was due; `late`: it was missed then, and caught up. */
  | { readonly kind: 'schedule'; readonly slotAtMs: number; readonly late: boolean };

/** Why a drill failed. */
export type DrillCause = Failure & { readonly job?: string };

/** What a drill's output was, beside production's. */
export type OutputComparison = { readonly job: string; readonly topic: string } & (
  | {
      readonly kind: 'compared';
      /** Whose output it is held against: what the primary's job committed, as mirrored, or as read on the primary. */
      readonly against: 'mirrored' | 'primary';
      readonly records: number;
      readonly missing: number;
      readonly unexpected: number;
      readonly differing: number;
      /** The first difference, in one sentence. */
      readonly first?: string;
    }
  | { readonly kind: 'skipped'; readonly why: string }
);

/** Something that is there after a drill and was not before. */
export interface Leak {
  readonly kind:
    | 'topic'
    | 'group'
    | 'object'
    | 'flinkJob'
    | 'jar'
    | 'namespace'
    | 'kubernetes'
    | 'acl'
    | 'quota'
    | 'dns';
  readonly name: string;
}

/**
 * What a drill came to: the report of its journal's `run-finished`. All of it is JSON; its keys are only ever added to.
 * Steps with their evidence are the journal's.
 */
export interface DrillReport {
  readonly run: string;
  readonly kind: DrillKind;
  /** `stopped`: it was ended before it could tell, by a person or because an incident came. */
  readonly outcome: 'passed' | 'failed' | 'stopped';
  /** In one sentence. */
  readonly verdict: string;
  /** The most telling one first; none where it passed. */
  readonly causes: readonly DrillCause[];
  readonly trigger: DrillTrigger;
  readonly by: string;
  readonly reason?: string;
  /** The primary and the standby of that time. */
  readonly from: string;
  readonly to: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** From the order until the drill's jobs were seen at work: the recovery without detection, fencing and names. */
  readonly rto?: { readonly ms: number; readonly objectiveMs: number };
  /** What would have been lost if the primary had died when the recovery point was chosen. */
  readonly rpo?: {
    readonly objectiveMs: number;
    /** Absent: nobody can tell. */
    readonly ms?: number;
    readonly records?: number;
    readonly certainty: 'counted' | 'estimated';
    readonly topics: readonly { readonly topic: string; readonly records: number; readonly ms?: number }[];
  };
  /** What each job was restored from. */
  readonly points: readonly {
    readonly job: string;
    readonly checkpointId: number;
    readonly completedAtMs: number;
    readonly uri: string;
    /** Records that the job processed again, up to where the mirror then ended. */
    readonly replayRecords?: number;
  }[];
  /** Newer recovery points that were refused, and why. */
  readonly rejected: readonly {
    readonly job: string;
    readonly checkpointId: number;
    readonly code: string;
    readonly message: string;
  }[];
  readonly comparisons: readonly OutputComparison[];
  /** None: nothing is left. Absent: it was not looked, since nothing was made. */
  readonly leaks?: readonly Leak[];
  /** For `switchover`: the runs that it was made of. For `fault`: what was broken, what was expected and what was seen. */
  readonly runs?: readonly string[];
  /** For `switchover`: what each of the two proved, as far as they are done. */
  readonly legs?: readonly {
    readonly runs: readonly string[];
    readonly from: string;
    readonly to: string;
    readonly provenZero: boolean;
    readonly producersBlockedMs: number | null;
    readonly rtoMs: number | null;
  }[];
  readonly faults?: readonly {
    readonly fault: string;
    readonly expected: string;
    readonly seen: string;
    readonly met: boolean;
    readonly healed: boolean;
  }[];
}
