import type { Roles } from '../domain/roles.ts';

/** A failover's wish that replication stand still, in force under the present roles (thaws and older roles are accounted for). */
export interface FreezeFacts {
  readonly epoch: number;
  readonly run: string;
  readonly drainMs: number;
  /** The confirmation is already in the state. */
  readonly confirmed: boolean;
}

/** Which way data flows under the roles of one epoch. */
export interface Direction {
  readonly source: string;
  readonly target: string;
  readonly rolesEpoch: number;
}

/** What replication has to do now. */
export type ReplicationOrder =
  | ({ readonly kind: 'run' } & Direction)
  /** Drain, stop and confirm under this epoch. */
  | ({ readonly kind: 'freeze'; readonly epoch: number; readonly run: string; readonly drainMs: number } & Direction)
  /** Frozen and confirmed: stand still until a thaw or new roles. */
  | { readonly kind: 'frozen'; readonly epoch: number; readonly run: string }
  | { readonly kind: 'idle'; readonly why: string };

/**
 * What replication must do under these roles and this freeze. Pure.
 *
 * Only active roles ever run; so a daemon that is started after a failover does nothing. A freeze outlives the process
 * that asked for it: a failover that was killed leaves replication standing, never running on below it.
 */
export function decideReplication(roles: Roles | undefined, freeze: FreezeFacts | undefined): ReplicationOrder {
  if (roles === undefined) return { kind: 'idle', why: 'no roles are written yet' };
  if (roles.replication === 'suspended') {
    return {
      kind: 'idle',
      why: `${roles.primary} was promoted (roles epoch ${roles.epoch}): replication is suspended until a failback`,
    };
  }
  const direction = { source: roles.primary, target: roles.standby, rolesEpoch: roles.epoch };
  if (!freeze) return { kind: 'run', ...direction };
  const { epoch, run, drainMs } = freeze;
  return freeze.confirmed ? { kind: 'frozen', epoch, run } : { kind: 'freeze', epoch, run, drainMs, ...direction };
}

/**
 * What to do when the state can't be read: what runs goes on for a while, since a short gap must not stop replication;
 * nothing is started, and after `graceMs` it stops, because roles may have changed unseen. Pure.
 */
export function decideWithoutState(running: boolean, unreadableForMs: number, graceMs: number): 'keep' | 'stop' {
  return running && unreadableForMs < graceMs ? 'keep' : 'stop';
}
