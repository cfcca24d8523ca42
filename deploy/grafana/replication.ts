import type { DashboardPlan } from './panels.ts';

/** How far the standby is behind, and why. */
export const replication: DashboardPlan = {
  uid: 'argus-replication',
  title: 'Argus: replication',
  description: 'The mirror and the checkpoints, by topic and job.',
  variables: {
    topic: 'label_values(argus_mirror_partitions_stopped, topic)',
    job_name: 'label_values(argus_checkpoint_copy_slow, job)',
  },
  rows: [
    {
      title: 'The mirror',
      panels: [
        {
          kind: 'lines',
          title: 'Lag in seconds',
          description: 'By the timestamps of both sides’ newest records, the worst partition of each topic.',
          unit: 's',
          queries: [{ expr: 'max by (topic) (kafka_mirror_lag_seconds{topic=~"$topic"})', legend: '{{topic}}' }],
        },
        {
          kind: 'lines',
          title: 'Lag in records',
          description: 'Records on the primary that the standby does not have; alert above 10,000 in a partition.',
          unit: 'short',
          queries: [{ expr: 'sum by (topic) (kafka_mirror_records_lag{topic=~"$topic"})', legend: '{{topic}}' }],
        },
        {
          kind: 'lines',
          title: 'Heartbeat',
          description: 'Age of the newest heartbeat on the standby: about 1 s while everything goes through.',
          unit: 's',
          queries: [{ expr: 'max(kafka_mirror_heartbeat_lag_seconds)', legend: 'age' }],
        },
        {
          kind: 'lines',
          title: 'Records appended on the primary',
          description: 'A second, average of 10 s.',
          unit: 'cps',
          queries: [
            { expr: 'max by (topic) (argus_primary_records_per_second{topic=~"$topic"})', legend: '{{topic}}' },
          ],
        },
        {
          kind: 'lines',
          title: 'Partitions that are not mirrored',
          description: 'Stopped: until a person acts. Waiting: without leader, deleted or not readable.',
          unit: 'short',
          queries: [
            {
              expr: 'max by (topic) (argus_mirror_partitions_stopped{topic=~"$topic"}) > 0',
              legend: '{{topic}} stopped',
            },
            {
              expr: 'max by (topic) (argus_mirror_partitions_waiting{topic=~"$topic"}) > 0',
              legend: '{{topic}} waiting',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Open transactions',
          description:
            'Of the primary, that stand open on the standby too: readers of committed records wait behind them.',
          unit: 'short',
          queries: [{ expr: 'max by (topic) (kafka_mirror_open_transactions{topic=~"$topic"})', legend: '{{topic}}' }],
        },
        {
          kind: 'lines',
          title: 'Audit',
          description: 'Batches compared on both sides a second; differences should stay 0.',
          unit: 'cps',
          queries: [
            { expr: 'sum(rate(argus_mirror_audit_batches_total[$__rate_interval]))', legend: 'compared' },
            { expr: 'sum(rate(argus_mirror_audit_differences_total[$__rate_interval]))', legend: 'different' },
          ],
        },
        {
          kind: 'lines',
          title: 'Failures',
          description: 'Ends of the mirror’s process, and copies that failed; each is tried again.',
          unit: 'short',
          queries: [
            { expr: 'sum(increase(argus_mirror_restarts_total[$__rate_interval]))', legend: 'mirror ended' },
            { expr: 'sum by (what) (increase(argus_sync_failures_total[$__rate_interval]))', legend: '{{what}}' },
          ],
        },
      ],
    },
    {
      title: 'Checkpoints',
      panels: [
        {
          kind: 'lines',
          title: 'Since the last complete sync',
          description: 'Alert above 300 s.',
          unit: 's',
          queries: [{ expr: 'time() - max by (job) (s3_last_sync_timestamp{job=~"$job_name"})', legend: '{{job}}' }],
        },
        {
          kind: 'lines',
          title: 'Age of the newest checkpoint on the standby',
          description: 'From here a failover would restore, at best.',
          unit: 's',
          queries: [
            {
              expr: 'time() - max by (job) (argus_replica_newest_checkpoint_timestamp{job=~"$job_name"})',
              legend: '{{job}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Damaged files',
          description: 'Missing on the standby, or not what was copied, at the last look; should stay 0.',
          unit: 'short',
          queries: [
            { expr: 'max by (job) (argus_checkpoint_replica_damaged_files{job=~"$job_name"})', legend: '{{job}}' },
          ],
        },
        {
          kind: 'lines',
          title: 'Copies that do not keep up',
          description: '1 while they do not; and copies that Flink ended by removing the checkpoint.',
          unit: 'short',
          queries: [
            { expr: 'max by (job) (argus_checkpoint_copy_slow{job=~"$job_name"})', legend: '{{job}} slow' },
            {
              expr: 'max by (job) (argus_checkpoint_copies_superseded{job=~"$job_name"})',
              legend: '{{job}} superseded',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Since every file was looked at',
          description: 'How old the knowledge is that the replica is whole.',
          unit: 's',
          queries: [
            {
              expr: 'time() - max by (job) (argus_checkpoint_replica_verified_timestamp{job=~"$job_name"})',
              legend: '{{job}}',
            },
          ],
        },
      ],
    },
    {
      title: 'The daemon',
      panels: [
        {
          kind: 'lines',
          title: 'Memory',
          description: 'Without the mirror’s process; less than 250 MB is right.',
          unit: 'bytes',
          queries: [{ expr: 'process_resident_memory_bytes{job="argus"}', legend: '{{instance}}' }],
        },
        {
          kind: 'lines',
          title: 'CPU',
          description: 'Without the mirror’s process; idle it needs 3 % of a core at most.',
          unit: 'percentunit',
          queries: [{ expr: 'rate(process_cpu_seconds_total{job="argus"}[$__rate_interval])', legend: '{{instance}}' }],
        },
        {
          kind: 'lines',
          title: 'Messages',
          description: 'By channel and what became of them; failed and dropped should stay 0.',
          unit: 'short',
          queries: [
            {
              expr: 'sum by (channel, outcome) (increase(argus_notifications_total[$__rate_interval]))',
              legend: '{{channel}} {{outcome}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Alerts received',
          description: 'By what became of them.',
          unit: 'short',
          queries: [
            { expr: 'sum by (answer) (increase(argus_alerts_received_total[$__rate_interval]))', legend: '{{answer}}' },
          ],
        },
      ],
    },
  ],
};
