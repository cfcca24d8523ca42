import type { Look } from '../../../../cli/watch/look.ts';
import type { StatusView } from '../../../../health/status-view.ts';

/** When the sample look was taken. */
export const lookedAtMs = Date.parse('2026-11-22T12:00:00Z');

const part = (component: string): StatusView['regions'][number]['components'][number] => ({
  component,
  status: 'ok',
  latencyMs: 4,
});

/** Everything well, as `argus watch` would see it; tests change what they are about. */
export function sampleLook(status: Partial<StatusView> = {}, more: Partial<Omit<Look, 'status'>> = {}): Look {
  return {
    objectives: { rto: 900_000, rpo: 60_000 },
    readiness: {
      atMs: lookedAtMs - 20_000,
      primary: 'mumbai',
      standby: 'singapore',
      status: 'green',
      sentence: 'if mumbai failed now: RTO about 12 s, RPO 1 s',
      rto: { ms: 12_000, runs: 4 },
      rpoMs: 1_000,
      blockers: [],
      warnings: [],
    },
    standing: {
      atMs: lookedAtMs - 1_000,
      by: 'daemon',
      mode: 'manual',
      primary: 'mumbai',
      standby: 'singapore',
      verdicts: [
        {
          code: 'Healthy',
          severity: 'ok',
          sinceMs: lookedAtMs - 120_000,
          sentence: 'both regions answer',
          evidence: [],
        },
      ],
      decision: { kind: 'idle', sentence: 'nothing is to be done', reasons: [], sinceMs: lookedAtMs - 120_000 },
    },
    drill: {
      run: '20261122T090000Z-drill-ab12',
      status: 'done',
      startedAtMs: lookedAtMs - 3 * 3_600_000,
      report: { outcome: 'passed', verdict: 'counts came back in 9 s' },
    },
    status: {
      atMs: lookedAtMs - 500,
      healthy: true,
      roles: { primary: 'mumbai', standby: 'singapore', replication: 'active', epoch: 3, source: 'state' },
      regions: [
        { name: 'mumbai', role: 'primary', components: ['kafka', 'objects', 'flink', 'job counts'].map(part) },
        { name: 'singapore', role: 'standby', components: ['kafka', 'objects', 'flink'].map(part) },
      ],
      names: [
        {
          name: 'ingest.argus.test',
          resolver: '127.0.0.1:5353',
          status: 'ok',
          addresses: ['127.0.1.1'],
          region: 'mumbai',
        },
      ],
      daemon: { seen: true, ageMs: 300 },
      mirror: [{ topic: 'events', lagRecords: 1_234, lagMs: 900, basis: 'live' }],
      wouldLose: [{ topic: 'events', records: 1_234, ms: 900, estimated: true }],
      recoveryPoints: [{ job: 'counts', checkpointId: 42, ageMs: 11_000 }],
      readiness: { status: 'green', sentence: 'if mumbai failed now: RTO about 12 s, RPO 1 s', ageMs: 20_000 },
      runs: {
        last: {
          id: '20261120T090000Z-failover-0001',
          kind: 'failover',
          state: 'done',
          startedAtMs: lookedAtMs - 51 * 3_600_000,
        },
      },
      blockers: [],
      warnings: [],
      ...status,
    },
    ...more,
  };
}
