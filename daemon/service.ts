import type { Roles } from '../domain/roles.ts';
import type { CheckpointSync } from '../replication/checkpoints/sync.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import type { ReplicationOrder } from './decide-replication.ts';
import type { EventHub } from './events.ts';

/** What the daemon knows at this instant, for whatever runs beside replication. Each is undefined until it is known. */
export interface DaemonView {
  roles(): Roles | undefined;
  order(): ReplicationOrder | undefined;
  /** The mirror's last word, however old: it says when. */
  mirror(): MirrorStatus | undefined;
  /** Each job's checkpoint sync. */
  syncs(): ReadonlyMap<string, CheckpointSync>;
  /** The age of the newest heartbeat that the standby has. */
  heartbeatLagMs(): number | undefined;
  /** Whether the region that lost the role of primary refuses its writers; undefined: none has to, or nobody can tell. */
  fence(): { readonly region: string; readonly holds: boolean } | undefined;
  /** Whether this daemon, of several, is the one that replicates and acts. */
  leads(): boolean;
  /** What happens, to be told and to be heard. */
  readonly events: EventHub;
}

/** Something that runs as long as the daemon does, in every daemon, and is begun anew when it fails. */
export interface Service {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** Makes a service; nothing runs yet. */
export type MakeService = (view: DaemonView) => Service;
