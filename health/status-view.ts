import type { Roles } from '../domain/roles.ts';
import type { Probe } from './probe.ts';
import type { RunSummary } from './status-facts.ts';

/** Something that an operator must know, named so that a script can tell it. */
export interface Finding {
  readonly code: string;
  readonly sentence: string;
}

export interface Component {
  /** `kafka`, `objects`, `flink`, `job counts`. */
  readonly component: string;
  readonly status: Probe['status'];
  readonly latencyMs: number;
  readonly detail?: string;
}

export interface TopicLag {
  readonly topic: string;
  /** Absent when it can't be told. */
  readonly lagRecords?: number;
  readonly lagMs?: number;
  /** `live`: both logs were read just now; `last-seen`: from the daemon's last sighting; `unknown`: neither. */
  readonly basis: 'live' | 'last-seen' | 'unknown';
}

/** What would be gone if the primary never came back from now on. An estimate wherever the primary is dark. */
export interface TopicLoss {
  readonly topic: string;
  readonly records?: number;
  readonly ms?: number;
  readonly estimated: boolean;
  /** The estimate builds on a last sight this much older than the outage; absent when it was seconds. */
  readonly unseenMs?: number;
}

/** What `argus status` shows; `--json` prints exactly this. Additive: keys are never removed or renamed. */
export interface StatusView {
  readonly atMs: number;
  readonly healthy: boolean;
  readonly roles: {
    readonly primary: string;
    readonly standby: string;
    readonly replication: Roles['replication'] | 'unknown';
    readonly epoch?: number;
    readonly source: 'state' | 'configuration';
  };
  readonly regions: readonly {
    readonly name: string;
    readonly role: 'primary' | 'standby';
    readonly components: readonly Component[];
  }[];
  readonly names: readonly {
    readonly name: string;
    readonly resolver: string;
    readonly status: Probe['status'];
    readonly addresses: readonly string[];
    /** The region whose address the name holds. */
    readonly region?: string;
    readonly detail?: string;
  }[];
  readonly daemon: { readonly seen: boolean; readonly ageMs?: number; readonly primaryDarkSinceMs?: number };
  readonly mirror: readonly TopicLag[];
  readonly recoveryPoints: readonly {
    readonly job: string;
    /** Of the newest that a failover could use, as its own choice would be; absent: none, or it can't be told. */
    readonly checkpointId?: number;
    readonly ageMs?: number;
    readonly detail?: string;
    /** How many newer ones lie on the replica and are not usable; absent when that can't be told. */
    readonly refusedCount?: number;
    /** The newest of them, and why. */
    readonly newestRefused?: {
      readonly checkpointId: number;
      readonly ageMs: number;
      readonly code: string;
      readonly message: string;
    };
  }[];
  readonly wouldLose: readonly TopicLoss[];
  /** The daemon's newest word on what a failover would come to; absent: there is none. */
  readonly readiness?: {
    readonly status: 'green' | 'yellow' | 'red';
    readonly sentence: string;
    readonly ageMs: number;
  };
  readonly runs: { readonly running?: RunSummary; readonly last?: RunSummary };
  /** A failover would be refused or fail because of these. */
  readonly blockers: readonly Finding[];
  readonly warnings: readonly Finding[];
}
