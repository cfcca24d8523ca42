import { Counter, Gauge, Registry } from 'prom-client';

/** What the daemon knows at the moment of a scrape; absent parts leave their series out. */
export interface MetricsFacts {
  readonly topics: Readonly<
    Record<
      string,
      {
        /** Undefined where nobody can tell now: such a series is left out, never 0. */
        readonly lagMs: number | undefined;
        readonly recordsPerSecond: number | undefined;
        readonly partitions: readonly {
          readonly partition: number;
          readonly lagRecords: number | undefined;
          readonly state: 'mirroring' | 'waiting' | 'stopped';
          readonly openTransactions?: { readonly count: number };
        }[];
      }
    >
  >;
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
  readonly roles?: { readonly epoch: number; readonly primary: string };
  readonly primaryReachable?: boolean;
  readonly replicating: boolean;
  /** Undefined while none was seen, or there are none. */
  readonly heartbeatLagMs?: number;
}

export interface Metrics {
  /** Prometheus' text format of the facts given, and of the counters. */
  render(facts: MetricsFacts): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Counts a mirror process that ended by itself. */
  mirrorRestarted(): void;
  /** Counts a copy of committed offsets or checkpoints that failed. */
  syncFailed(what: 'checkpoints' | 'groups'): void;
  /** Counts what the sampling of both logs compared, and the ranges in which something differed. */
  audited(batches: number, differences: number): void;
}

/** A partition's own series is given up to this many per topic; beyond it they are summed under `partition="all"`. */
const partitionSeriesLimit = 200;
/** With more partitions than this in all topics together, that is so for every topic. */
const allPartitionsLimit = 5_000;

/** A registry of its own, so that two in one process never meet. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
  const lagRecords = gauge('kafka_mirror_records_lag', 'Records on the primary that the standby does not have.', [
    'topic',
    'partition',
  ]);
  const lagSeconds = gauge('kafka_mirror_lag_seconds', 'How far the standby is behind, by the timestamps of records.', [
    'topic',
  ]);
  const heartbeatLag = gauge(
    'kafka_mirror_heartbeat_lag_seconds',
    'Age of the newest heartbeat of the primary that can be read on the standby; one is written every second.',
  );
  const rate = gauge(
    'argus_primary_records_per_second',
    'Records appended on the primary, average of the last seconds.',
    ['topic'],
  );
  const stopped = gauge(
    'argus_mirror_partitions_stopped',
    'Partitions that are mirrored no further until a person acts.',
    ['topic'],
  );
  const waiting = gauge(
    'argus_mirror_partitions_waiting',
    'Partitions that can not be mirrored for now: without leader, deleted, or not readable.',
    ['topic'],
  );
  const open = gauge(
    'kafka_mirror_open_transactions',
    'Transactions of the primary that stand open on the standby too, and hold read_committed readers back there.',
    ['topic'],
  );
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
  const epoch = gauge('argus_roles_epoch', 'Epoch of the roles in force; the label says who is primary.', ['primary']);
  const reachable = gauge('argus_primary_reachable', '1 while the primary Kafka answers, 0 while it does not.');
  const replicating = gauge(
    'argus_replicating',
    '1 while the mirror and the checkpoint sync are to run, 0 while they stand still.',
  );
  const restarts = new Counter({
    name: 'argus_mirror_restarts_total',
    help: 'Mirror processes that ended by themselves.',
    registers: [registry],
  });
  const failures = new Counter({
    name: 'argus_sync_failures_total',
    help: 'Copies of checkpoints or committed offsets that failed; each is tried again.',
    labelNames: ['what'],
    registers: [registry],
  });
  const auditedBatches = new Counter({
    name: 'argus_mirror_audit_batches_total',
    help: 'Record batches that were compared on both sides.',
    registers: [registry],
  });
  const auditDifferences = new Counter({
    name: 'argus_mirror_audit_differences_total',
    help: 'Compared ranges in which the standby did not hold what the primary holds.',
    registers: [registry],
  });

  return {
    async render(facts) {
      for (const g of [
        lagRecords,
        lagSeconds,
        rate,
        stopped,
        waiting,
        open,
        lastSync,
        newestId,
        newestAt,
        verifiedAt,
        damagedFiles,
        slowCopy,
        superseded,
        epoch,
        reachable,
      ])
        g.reset();
      const all = Object.values(facts.topics).reduce((sum, t) => sum + t.partitions.length, 0);
      for (const [topic, t] of Object.entries(facts.topics)) {
        if (t.lagMs !== undefined) lagSeconds.set({ topic }, t.lagMs / 1_000);
        if (t.recordsPerSecond !== undefined) rate.set({ topic }, t.recordsPerSecond);
        stopped.set({ topic }, t.partitions.filter((p) => p.state === 'stopped').length);
        waiting.set({ topic }, t.partitions.filter((p) => p.state === 'waiting').length);
        open.set({ topic }, sum(t.partitions.map((p) => p.openTransactions?.count ?? 0)) ?? 0);
        if (t.partitions.length > partitionSeriesLimit || all > allPartitionsLimit) {
          const lag = sum(t.partitions.map((p) => p.lagRecords));
          if (lag !== undefined) lagRecords.set({ topic, partition: 'all' }, lag);
        } else {
          for (const { partition, lagRecords: lag } of t.partitions) {
            if (lag !== undefined) lagRecords.set({ topic, partition: String(partition) }, lag);
          }
        }
      }
      for (const [job, c] of Object.entries(facts.checkpoints)) {
        if (c.lastSyncMs !== undefined) lastSync.set({ job }, c.lastSyncMs / 1_000);
        if (c.newestCheckpointId !== undefined) newestId.set({ job }, c.newestCheckpointId);
        if (c.newestCompletedAtMs !== undefined) newestAt.set({ job }, c.newestCompletedAtMs / 1_000);
        if (c.verifiedMs !== undefined) verifiedAt.set({ job }, c.verifiedMs / 1_000);
        if (c.damagedFiles !== undefined) damagedFiles.set({ job }, c.damagedFiles);
        if (c.slow !== undefined) slowCopy.set({ job }, c.slow ? 1 : 0);
        if (c.superseded !== undefined) superseded.set({ job }, c.superseded);
      }
      if (facts.roles) epoch.set({ primary: facts.roles.primary }, facts.roles.epoch);
      if (facts.primaryReachable === undefined) reachable.remove();
      else reachable.set(facts.primaryReachable ? 1 : 0);
      if (facts.heartbeatLagMs === undefined) heartbeatLag.remove();
      else heartbeatLag.set(facts.heartbeatLagMs / 1_000);
      replicating.set(facts.replicating ? 1 : 0);
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    mirrorRestarted: () => restarts.inc(),
    syncFailed: (what) => failures.inc({ what }),
    audited(batches, differences) {
      auditedBatches.inc(batches);
      auditDifferences.inc(differences);
    },
  };
}

/** Undefined when one of them is. */
function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((a, b) => (a === undefined || b === undefined ? undefined : a + b), 0);
}
