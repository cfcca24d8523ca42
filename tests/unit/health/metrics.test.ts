import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMetrics, type MetricsFacts } from '../../../health/metrics.ts';

const facts = (changes: Partial<MetricsFacts> = {}): MetricsFacts => ({
  topics: {
    events: {
      lagMs: 1_500,
      recordsPerSecond: 200,
      partitions: [
        { partition: 0, lagRecords: 7, state: 'mirroring' },
        { partition: 1, lagRecords: 0, state: 'stopped' },
      ],
    },
  },
  checkpoints: {
    counts: {
      lastSyncMs: 1_795_000_000_500,
      newestCheckpointId: 12,
      newestCompletedAtMs: 1_795_000_000_000,
      verifiedMs: 1_795_000_000_250,
      damagedFiles: 3,
      slow: true,
      superseded: 2,
    },
    other: { slow: false },
  },
  roles: { epoch: 1, primary: 'mumbai' },
  primaryReachable: true,
  replicating: true,
  ...changes,
});
const linesOf = async (f: MetricsFacts) => (await createMetrics().render(f)).body.split('\n');

describe('createMetrics', () => {
  it('gives lag per partition and topic, and the time of the last sync in Unix seconds', async () => {
    const lines = await linesOf(facts());
    expect(lines).toContain('kafka_mirror_records_lag{topic="events",partition="0"} 7');
    expect(lines).toContain('kafka_mirror_lag_seconds{topic="events"} 1.5');
    expect(lines).toContain('argus_mirror_partitions_stopped{topic="events"} 1');
    expect(lines).toContain('s3_last_sync_timestamp{job="counts"} 1795000000.5');
    expect(lines.filter((line) => line.startsWith('argus_checkpoint_'))).toEqual([
      'argus_checkpoint_replica_verified_timestamp{job="counts"} 1795000000.25',
      'argus_checkpoint_replica_damaged_files{job="counts"} 3',
      'argus_checkpoint_copy_slow{job="counts"} 1',
      'argus_checkpoint_copy_slow{job="other"} 0',
      'argus_checkpoint_copies_superseded{job="counts"} 2',
    ]);
    expect(lines).toContain('argus_roles_epoch{primary="mumbai"} 1');
    expect(lines).toContain('argus_primary_reachable 1');
  });

  it('bounds the series of a topic with many partitions', async () => {
    const partitions = Array.from({ length: 201 }, (_, partition) => ({
      partition,
      lagRecords: 2,
      state: 'mirroring' as const,
    }));
    const lines = await linesOf(facts({ topics: { big: { lagMs: 0, recordsPerSecond: 0, partitions } } }));
    expect(lines.filter((l) => l.startsWith('kafka_mirror_records_lag{'))).toEqual([
      'kafka_mirror_records_lag{topic="big",partition="all"} 402',
    ]);
  });

  it('bounds the series of many topics', async () => {
    const partitions = Array.from({ length: 101 }, (_, partition) => ({
      partition,
      lagRecords: 1,
      state: 'mirroring' as const,
    }));
    const topics = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [`t${n}`, { lagMs: 0, recordsPerSecond: 0, partitions }]),
    );
    const lines = await linesOf(facts({ topics }));
    expect(lines.filter((l) => l.startsWith('kafka_mirror_records_lag{'))).toHaveLength(50);
    expect(lines).toContain('kafka_mirror_records_lag{topic="t7",partition="all"} 101');
  });

  it('gives the age of the newest heartbeat while there is one, and the transactions that stand open', async () => {
    const metrics = createMetrics();
    const open = { partition: 0, lagRecords: 0, state: 'mirroring' as const, openTransactions: { count: 2 } };
    const topics = { events: { lagMs: 0, recordsPerSecond: 1, partitions: [open] } };
    const { body } = await metrics.render(facts({ heartbeatLagMs: 700, topics }));
    expect(body).toContain('kafka_mirror_heartbeat_lag_seconds 0.7\n');
    expect(body).toContain('kafka_mirror_open_transactions{topic="events"} 2\n');
    expect((await metrics.render(facts())).body).not.toMatch(/^kafka_mirror_heartbeat_lag_seconds /m);
  });

  it('leaves out a lag that nobody can tell, and counts the partitions that wait', async () => {
    const partitions = [
      { partition: 0, lagRecords: undefined, state: 'waiting' as const },
      { partition: 1, lagRecords: 3, state: 'mirroring' as const },
    ];
    const lines = await linesOf(
      facts({ topics: { events: { lagMs: undefined, recordsPerSecond: undefined, partitions } } }),
    );
    expect(lines.filter((l) => l.startsWith('kafka_mirror_records_lag{'))).toEqual([
      'kafka_mirror_records_lag{topic="events",partition="1"} 3',
    ]);
    expect(lines.some((l) => l.startsWith('kafka_mirror_lag_seconds{'))).toBe(false);
    expect(lines.some((l) => l.startsWith('argus_primary_records_per_second{'))).toBe(false);
    expect(lines).toContain('argus_mirror_partitions_waiting{topic="events"} 1');
  });

  it('forgets series of what is no longer there', async () => {
    const metrics = createMetrics();
    await metrics.render(facts());
    const { body } = await metrics.render(facts({ topics: {}, checkpoints: {} }));
    expect(body).not.toContain('topic="events"');
    expect(body).not.toContain('job="counts"');
  });

  it('claims no sync that never happened, and no reachability that was never looked at', async () => {
    const { primaryReachable: _, ...rest } = facts({ checkpoints: { counts: {} } });
    const lines = await linesOf(rest);
    expect(lines.some((l) => l.startsWith('s3_last_sync_timestamp{'))).toBe(false);
    expect(lines.some((l) => l.startsWith('argus_primary_reachable '))).toBe(false);
  });

  it('tells verdicts, probes and readiness as services add them, and nothing of one that fails', async () => {
    const metrics = createMetrics();
    metrics.also(() => ({ verdicts: { PrimaryDead: false, MirrorStalled: true } }));
    metrics.also(() => {
      throw new Error('not now');
    });
    metrics.also(() => ({
      readiness: { ready: false, blockers: 2, rtoMs: 12_000 },
      probes: [
        { probe: 'kafka', region: 'mumbai', observer: 'a', outcome: 'failed', latencyMs: 3_000 },
        { probe: 'objects', region: 'mumbai', observer: 'a', outcome: 'unknown' },
      ],
    }));
    const lines = (await metrics.render(facts())).body.split('\n');
    expect(lines).toContain('argus_verdict{code="PrimaryDead"} 0');
    expect(lines).toContain('argus_verdict{code="MirrorStalled"} 1');
    expect(lines).toContain('argus_standby_ready 0');
    expect(lines).toContain('argus_estimated_rto_seconds 12');
    expect(lines.some((l) => l.startsWith('argus_estimated_rpo_seconds '))).toBe(false);
    expect(lines).toContain('argus_probe_up{probe="kafka",region="mumbai",subject="",observer="a"} 0');
    expect(lines).toContain('argus_probe_latency_seconds{probe="kafka",region="mumbai",subject="",observer="a"} 3');
    expect(lines.some((l) => l.startsWith('argus_probe_up{probe="objects"'))).toBe(false);
    expect(lines).toContain('argus_probe_unknown{probe="objects",region="mumbai",subject="",observer="a"} 1');
  });

  it('asks nobody any more who went', async () => {
    const metrics = createMetrics();
    metrics.also(() => ({ verdicts: { MirrorStalled: true } }));
    const remove = metrics.also(() => ({ verdicts: { PrimaryDead: true } }));
    expect((await metrics.render(facts())).body).toContain('argus_verdict{code="PrimaryDead"} 1');
    remove();
    const { body } = await metrics.render(facts());
    expect(body).not.toContain('PrimaryDead');
    expect(body).toContain('argus_verdict{code="MirrorStalled"} 1');
  });

  it('counts events from the start on', async () => {
    const metrics = createMetrics();
    metrics.notified('slack', 'sent');
    metrics.alertReceived('checked', 3);
    metrics.runEnded('failover', 'done');
    const { body } = await metrics.render(facts());
    expect(body).toContain('argus_notifications_total{channel="slack",outcome="sent"} 1\n');
    expect(body).toContain('argus_alerts_received_total{answer="checked"} 3\n');
    expect(body).toContain('argus_runs_ended_total{runbook="failover",outcome="done"} 1\n');
  });

  it('has every metric in docs/metrics.md, and no other', async () => {
    const { body } = await createMetrics().render(facts());
    const told = [...body.matchAll(/^# TYPE (\S+) /gm)].map((m) => m[1]);
    const rows = readFileSync('docs/metrics.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const documented = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((m) => m[1]));
    expect(documented.toSorted()).toEqual(told.toSorted());
  });
});
