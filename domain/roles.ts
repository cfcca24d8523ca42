import type { PartitionOffsetJson } from './offsets.ts';

/**
 * Who is primary, from one epoch on. Epochs grow by one with each change of roles; the highest is in force.
 * Stored as `roles/<epoch, 10 digits>`, each written once and never changed.
 */
export interface Roles {
  readonly epoch: number;
  readonly primary: string;
  readonly standby: string;
  /**
   * `active`: the mirror and the checkpoint sync run from primary to standby.
   * `suspended`: they don't, since the standby's log may have diverged (after a failover, until failback).
   */
  readonly replication: 'active' | 'suspended';
  readonly atMs: number;
  /** Who made the change: `user@host`, for people. */
  readonly by: string;
  /** The run that made it; absent for the roles of the first start, which come from the configuration. */
  readonly run?: string;
  /** The promoted log's end offsets: a stored offset above these must be reset. Absent for the first roles. */
  readonly promotedAt?: readonly PartitionOffsetJson[];
}
