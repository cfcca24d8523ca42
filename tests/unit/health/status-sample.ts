import type { ProbeOf } from '../../../health/probe.ts';
import type { RegionFacts, StatusFacts } from '../../../health/status-facts.ts';
import type { Sighting } from '../../../state/sightings.ts';

export const ok = <T>(value: T, latencyMs = 3): ProbeOf<T> => ({ status: 'ok', latencyMs, value });
export const dark = <T>(): ProbeOf<T> => ({
  status: 'unknown',
  latencyMs: 2_000,
  reason: 'no answer within 2 s',
  code: 'ProbeTimedOut',
});

/** A region with topic `events` of two partitions that end where said. */
export function region(name: string, ends: readonly bigint[], job?: string): RegionFacts {
  const ranges = ends.map((logEndOffset, partition) => ({
    topic: 'events',
    partition,
    logStartOffset: 0n,
    logEndOffset,
  }));
  const jobs = new Map(job ? [['counts', { id: 'a1', name: 'counts', state: job, startedAtMs: 0 }]] : []);
  return {
    name,
    kafka: ok({ topics: new Map([['events', ends.length]]), ranges }),
    objects: ok(undefined),
    flink: ok({ slots: { free: 2, total: 4 }, jobs, running: new Set(jobs.keys()) }),
  };
}

export const darkRegion = (name: string): RegionFacts => ({ name, kafka: dark(), objects: dark(), flink: dark() });

export const sighting = (changes: Partial<Sighting> = {}): Sighting => ({
  region: 'mumbai',
  atMs: 99_000,
  checkedAtMs: 99_500,
  topics: {
    events: {
      recordsPerSecond: 100,
      partitions: [
        {
          partition: 0,
          logStartOffset: 0n,
          logEndOffset: 1_000n,
          mirroredEndOffset: 990n,
          newestTimestampMs: 99_000,
          mirroredTimestampMs: 98_800,
        },
        {
          partition: 1,
          logStartOffset: 0n,
          logEndOffset: 500n,
          mirroredEndOffset: 500n,
          newestTimestampMs: 99_000,
          mirroredTimestampMs: 99_000,
        },
      ],
    },
  },
  ...changes,
});

/** Everything well: mumbai serves, singapore is ten records behind. */
export const facts = (changes: Partial<StatusFacts> = {}): StatusFacts => ({
  nowMs: 100_000,
  topics: ['events'],
  engine: 'argus',
  jobs: ['counts'],
  slotsNeeded: 2,
  objectives: { rto: 900_000, rpo: 60_000 },
  roles: ok({ epoch: 1, primary: 'mumbai', standby: 'singapore', replication: 'active', atMs: 0, by: 'ops@host' }),
  configuredRoles: { primary: 'mumbai', standby: 'singapore' },
  regions: [region('mumbai', [1_000n, 500n], 'RUNNING'), region('singapore', [990n, 500n])],
  addresses: { mumbai: '127.0.1.1', singapore: '127.0.2.1' },
  names: [{ name: 'ingest.argus.test', resolver: '127.0.0.1:5353', answer: ok(['127.0.1.1']) }],
  records: [{ name: 'ingest.argus.test', found: ok([{ content: '127.0.1.1' }]) }],
  sighting: ok(sighting()),
  replica: [{ job: 'counts', usable: ok({ point: { checkpointId: 12, completedAtMs: 96_000 }, refused: [] }) }],
  runs: [],
  ...changes,
});
