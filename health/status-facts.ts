import type { Roles } from '../domain/roles.ts';
import type { DnsRecord } from '../regions/dns/dns-records.ts';
import type { Readiness } from '../state/readiness.ts';
import type { ReplicaHealth } from '../state/replica-health.ts';
import type { Sighting } from '../state/sightings.ts';
import type { Probe, ProbeOf } from './probe.ts';
import type { FlinkFacts } from './probes/flink.ts';
import type { KafkaFacts } from './probes/kafka.ts';

/** The recovery point that a failover would choose now, and what it would pass over. */
export interface UsableFacts {
  /** Absent: none is usable. */
  readonly point?: { readonly checkpointId: number; readonly completedAtMs: number };
  /** Newer ones, newest first. */
  readonly refused: readonly {
    readonly checkpointId: number;
    readonly completedAtMs: number;
    readonly code: string;
    readonly message: string;
  }[];
}

export interface ReplicaFacts {
  readonly job: string;
  readonly usable: ProbeOf<UsableFacts>;
}

export interface RegionFacts {
  readonly name: string;
  readonly kafka: ProbeOf<KafkaFacts>;
  readonly objects: Probe;
  readonly flink: ProbeOf<FlinkFacts>;
}

export interface RunSummary {
  readonly id: string;
  readonly kind: string;
  readonly state: 'running' | 'interrupted' | 'done' | 'failed' | 'refused';
  readonly startedAtMs: number;
}

/** All that was observed for one status, at about one instant. */
export interface StatusFacts {
  readonly nowMs: number;
  readonly topics: readonly string[];
  /** Who mirrors. */
  readonly engine: 'argus' | 'mirrormaker2';
  readonly jobs: readonly string[];
  /** What all the jobs need of the standby's Flink. */
  readonly slotsNeeded: number;
  readonly objectives: { readonly rto: number; readonly rpo: number };
  /** The roles in the state; `undefined` inside the probe: none written yet. */
  readonly roles: ProbeOf<Roles | undefined>;
  readonly configuredRoles: { readonly primary: string; readonly standby: string };
  readonly regions: readonly RegionFacts[];
  readonly addresses: Readonly<Record<string, string>>;
  readonly names: readonly {
    readonly name: string;
    readonly resolver: string;
    readonly answer: ProbeOf<readonly string[]>;
  }[];
  /** What the provider holds for each name. */
  readonly records: readonly {
    readonly name: string;
    readonly found: ProbeOf<readonly (Pick<DnsRecord, 'content'> & Partial<Pick<DnsRecord, 'proxied'>>)[]>;
  }[];
  readonly sighting: ProbeOf<Sighting | undefined>;
  readonly replica: readonly ReplicaFacts[];
  /** What whoever replicates last wrote of the replicas on the standby; absent: nobody ever did, or it can't be read. */
  readonly replicaHealth?: ReplicaHealth;
  /** The newest that a daemon worked out; absent: it was not asked for. */
  readonly readiness?: ProbeOf<Readiness | undefined>;
  /** A freeze that is in force: the run that asked for it. */
  readonly frozenBy?: string;
  readonly runs: readonly RunSummary[];
}
