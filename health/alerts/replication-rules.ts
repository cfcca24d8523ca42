import type { AlertGroup } from './alert-rule.ts';

/** While nothing is to be replicated, as after a failover, a lag says nothing. */
const whileReplicating = 'and on () (max(argus_replicating) == 1)';

/** What goes wrong between primary and standby. */
export const mirrorRules: AlertGroup = {
  name: 'argus-mirror',
  rules: [
    {
      alert: 'KafkaMirrorLagHigh',
      expr: 'kafka_mirror_records_lag > 10000',
      forSeconds: 300,
      severity: 'warning',
      action: 'check',
      summary: 'The standby lacks {{ $value }} records of {{ $labels.topic }}/{{ $labels.partition }}',
      description: 'These records would be lost, or wait for the old primary, if the primary failed now.',
      todo: '`argus mirror status`: is one partition behind, or all? Look at the link and at throttles (`argus mirror throttle`).',
    },
    {
      alert: 'RpoAtRisk',
      expr: 'max by (topic) (kafka_mirror_lag_seconds) > 0.5 * scalar(max(argus_objective_rpo_seconds))',
      forSeconds: 60,
      severity: 'warning',
      action: 'check',
      summary: '{{ $labels.topic }} is {{ $value | humanizeDuration }} behind: more than half of the RPO',
      description: 'The copy takes so long that a failure of the primary could soon cost more than the objective.',
      todo: '`argus mirror status` names the slowest partition; raise the throttle or the bandwidth.',
    },
    {
      alert: 'RpoMissed',
      expr: 'max(argus_estimated_rpo_seconds) > scalar(max(argus_objective_rpo_seconds))',
      forSeconds: 60,
      severity: 'critical',
      action: 'check',
      summary: 'A failover now would lose {{ $value | humanizeDuration }}: more than the RPO',
      description: '`argus failover` would refuse this loss until a person accepts it.',
      todo: '`argus status` says which part is late: the mirror, or the checkpoints.',
    },
    {
      alert: 'MirrorPartitionStopped',
      expr: 'max by (topic) (argus_mirror_partitions_stopped) > 0',
      forSeconds: 60,
      severity: 'critical',
      action: 'check',
      summary: '{{ $value }} partitions of {{ $labels.topic }} are mirrored no further',
      description:
        'The logs of both sides can not be shown to be the same there: nothing more is copied until a person acts.',
      todo: '`argus mirror status` gives the reason, `argus mirror reseed` repairs.',
    },
    {
      alert: 'MirrorPartitionWaiting',
      expr: 'max by (topic) (argus_mirror_partitions_waiting) > 0',
      forSeconds: 600,
      severity: 'warning',
      summary: '{{ $value }} partitions of {{ $labels.topic }} can not be mirrored for now',
      description: 'They have no leader, were deleted, or may not be read.',
      todo: '`argus mirror status`; look at the brokers of both sides.',
    },
    {
      alert: 'MirrorSilent',
      expr: `(count(present_over_time(kafka_mirror_records_lag[1h])) unless on () count(kafka_mirror_records_lag)) ${whileReplicating}`,
      forSeconds: 120,
      severity: 'critical',
      action: 'check',
      summary: 'The mirror says nothing any more',
      description:
        'It told of its lag within the last hour, and does not now: the process is gone, or hears from no side.',
      todo: '`argus mirror status`, and the log of `argus daemon`.',
    },
    {
      alert: 'MirrorRestarting',
      expr: 'increase(argus_mirror_restarts_total[15m]) > 3',
      forSeconds: 0,
      severity: 'warning',
      summary: 'The mirror ended by itself {{ $value | printf "%.0f" }} times in 15 minutes',
      description: 'It is begun anew each time and loses nothing, but the lag grows meanwhile.',
      todo: 'The log of `argus daemon` has the reason of each end.',
    },
    {
      alert: 'MirrorDiverged',
      expr: 'increase(argus_mirror_audit_differences_total[1h]) > 0',
      forSeconds: 0,
      severity: 'critical',
      action: 'check',
      summary: 'The standby holds other records than the primary',
      description:
        'A sample of the same offsets differed. Offsets in checkpoints and groups may mean something else there.',
      todo: '`argus mirror verify` names the ranges, `argus mirror reseed` repairs.',
    },
    {
      alert: 'MirrorTransactionsOpen',
      expr: 'kafka_mirror_open_transactions > 0',
      forSeconds: 600,
      severity: 'warning',
      summary: '{{ $value }} transactions of {{ $labels.topic }} stand open on the standby',
      description: 'Readers of committed records wait behind them.',
      todo: 'Look for a producer on the primary that neither commits nor aborts; the standby ends them at a failover.',
    },
    {
      alert: 'HeartbeatLate',
      expr: `max(kafka_mirror_heartbeat_lag_seconds) > 30 ${whileReplicating}`,
      forSeconds: 60,
      severity: 'critical',
      action: 'check',
      summary: 'Nothing of the primary has come through for {{ $value | humanizeDuration }}',
      description: 'One heartbeat a second goes through Kafka and the mirror; the newest on the standby is this old.',
      todo: '`argus status`: does the primary answer, does the mirror run?',
    },
  ],
};

/** What goes wrong with the replica of the checkpoints. */
export const checkpointRules: AlertGroup = {
  name: 'argus-checkpoints',
  rules: [
    {
      alert: 'CheckpointSyncDelayed',
      expr: `time() - s3_last_sync_timestamp > 300 ${whileReplicating}`,
      forSeconds: 300,
      severity: 'warning',
      action: 'check',
      summary:
        'The checkpoints of {{ $labels.job }} were last complete on the standby {{ $value | humanizeDuration }} ago',
      description: 'A failover would restore the job from that long ago, and replay everything since.',
      todo: '`argus checkpoints list`, `argus recovery-points --explain`; does the bucket on each side answer?',
    },
    {
      alert: 'ReplicaDamaged',
      expr: 'argus_checkpoint_replica_damaged_files > 0',
      forSeconds: 60,
      severity: 'critical',
      action: 'check',
      summary: '{{ $value }} files of the checkpoints of {{ $labels.job }} are missing or changed on the standby',
      description: 'Checkpoints that need them can not be restored from.',
      todo: '`argus checkpoints verify` names them; the sync mends what the primary still has.',
    },
    {
      alert: 'CheckpointCopySlow',
      expr: 'argus_checkpoint_copy_slow == 1',
      forSeconds: 600,
      severity: 'warning',
      summary: 'Copies of the checkpoints of {{ $labels.job }} do not keep up',
      description: 'Flink makes checkpoints faster than they are copied, and removes some before they are.',
      todo: 'More bandwidth, a longer checkpoint interval, or incremental checkpoints.',
    },
    {
      alert: 'SyncFailing',
      expr: 'increase(argus_sync_failures_total[10m]) > 5',
      forSeconds: 0,
      severity: 'warning',
      summary: 'The copy of {{ $labels.what }} failed {{ $value | printf "%.0f" }} times in 10 minutes',
      description: 'Each is tried again; what is on the standby grows old.',
      todo: 'The log of `argus daemon` has the reason.',
    },
  ],
};
