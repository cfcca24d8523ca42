import type { Roles } from '../domain/roles.ts';
import type { Sighting } from '../state/sightings.ts';
import type { Probe, ProbeOf } from './probe.ts';
import type { FlinkFacts } from './probes/flink.ts';
import type { KafkaFacts } from './probes/kafka.ts';

export interface ReplicaFacts {
  readonly job: string;
  /** Newest complete point on the replica, if any. */
  readonly newest: ProbeOf<{ readonly checkpointId: number; readonly completedAtMs: number } | undefined>;
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
  readonly state: 'running' | 'interrupted' | 'done' | 'failed';
  readonly startedAtMs: number;
}

/** All that was observed for one status, at about one instant. */
export interface StatusFacts {
  readonly nowMs: number;
  readonly topics: readonly string[];
  readonly jobs: readonly string[];
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
  readonly dnsApi: Probe;
  readonly sighting: ProbeOf<Sighting | undefined>;
  readonly replica: readonly ReplicaFacts[];
  /** A freeze that is in force: the run that asked for it. */
  readonly frozenBy?: string;
  readonly runs: readonly RunSummary[];
}
