import { flag, type Gauges, seconds } from './gauges.ts';

/** What a scrape tells of each job's checkpoints on the standby. */
export interface CheckpointFacts {
  readonly checkpoints: Readonly<
    Record<
      string,
      {
        readonly lastSyncMs?: number;
        readonly newestCheckpointId?: number;
        readonly newestCompletedAtMs?: number;
        /** When every file was last looked at, and how many were missing or not what was copied. */
        readonly verifiedMs?: number;
        readonly damagedFiles?: number;
        /** The copies don't keep up with the checkpoints. */
        readonly slow?: boolean;
        /** Copies that Flink ended by removing the checkpoint, since the sync began. */
        readonly superseded?: number;
      }
    >
  >;
}

/** Adds the checkpoint sync's gauges; the function given sets them. */
export function checkpointSeries({ gauge }: Gauges): (facts: CheckpointFacts) => void {
  const lastSync = gauge(
    's3_last_sync_timestamp',
    'When the checkpoint sync last found the replica complete, in Unix seconds.',
    ['job'],
  );
  const newestId = gauge('argus_replica_newest_checkpoint_id', 'Newest complete checkpoint on the replica.', ['job']);
  const newestAt = gauge('argus_replica_newest_checkpoint_timestamp', 'When Flink completed it, in Unix seconds.', [
    'job',
  ]);
  const verifiedAt = gauge(
    'argus_checkpoint_replica_verified_timestamp',
    'When every file on the replica was last looked at, in Unix seconds.',
    ['job'],
  );
  const damagedFiles = gauge(
    'argus_checkpoint_replica_damaged_files',
    'Files on the replica that were missing or not what was copied, at the last look.',
    ['job'],
  );
  const slowCopy = gauge(
    'argus_checkpoint_copy_slow',
    '1 while the copies do not keep up with the checkpoints of the job, else 0.',
    ['job'],
  );
  const superseded = gauge(
    'argus_checkpoint_copies_superseded',
    'Copies that Flink ended by removing the checkpoint, since the sync began.',
    ['job'],
  );

  return ({ checkpoints }) => {
    for (const [job, c] of Object.entries(checkpoints)) {
      if (c.lastSyncMs !== undefined) lastSync.set({ job }, seconds(c.lastSyncMs));
      if (c.newestCheckpointId !== undefined) newestId.set({ job }, c.newestCheckpointId);
      if (c.newestCompletedAtMs !== undefined) newestAt.set({ job }, seconds(c.newestCompletedAtMs));
      if (c.verifiedMs !== undefined) verifiedAt.set({ job }, seconds(c.verifiedMs));
      if (c.damagedFiles !== undefined) damagedFiles.set({ job }, c.damagedFiles);
      if (c.slow !== undefined) slowCopy.set({ job }, flag(c.slow));
      if (c.superseded !== undefined) superseded.set({ job }, c.superseded);
    }
  };
}
