import { expect, test } from 'vitest';
import { fenceSights, type ReplicationFacts, replicationSights } from '../../../health/probes/replication.ts';
import type { MirrorStatus } from '../../../replication/topics/mirror-status.ts';

const nowMs = 1_000_000;
const side = (region: string, reachable = true) => ({
  region,
  reachable,
  checkedAtMs: nowMs,
  firstFailureAtMs: undefined,
  error: undefined,
});
const topic = (
  lagMs: number | undefined,
  state: 'mirroring' | 'waiting' | 'stopped' = 'mirroring',
  alignsTo?: bigint,
) =>
  ({
    lagMs,
    partitions: [
      {
        partition: 0,
        lagMs,
        state,
        stop: state === 'stopped' ? { reason: 'Diverged', detail: '' } : undefined,
        trouble: state === 'waiting' ? 'the standby takes no records for it' : undefined,
        alignsTo,
      },
    ],
  }) as unknown as MirrorStatus['topics'][string];
const mirror = (over: Partial<MirrorStatus> = {}): MirrorStatus => ({
  atMs: nowMs - 500,
  phase: 'mirroring',
  source: side('mumbai'),
  target: side('singapore'),
  topics: { events: topic(200) },
  ...over,
});
const facts = (over: Partial<ReplicationFacts> = {}): ReplicationFacts => ({
  nowMs,
  source: 'mumbai',
  target: 'singapore',
  rpoMs: 60_000,
  mirror: mirror(),
  syncs: new Map([['counts', nowMs - 4_000]]),
  sinceMs: 0,
  heartbeatLagMs: 900,
  ...over,
});
const told = (f: ReplicationFacts) => replicationSights(f).map((s) => [s.probe, s.code ?? s.status]);

const well = [
  ['mirror', 'ok'],
  ['checkpoints', 'ok'],
  ['heartbeat', 'ok'],
];
const cases: readonly (readonly [string, ReplicationFacts, readonly (readonly string[])[]])[] = [
  ['all is well', facts(), well],
  [
    'a process that died',
    facts({ mirror: mirror({ atMs: nowMs - 11_000 }) }),
    [['mirror', 'MirrorSilent'], ...well.slice(1)],
  ],
  [
    'one that has just begun',
    { ...facts({ sinceMs: nowMs - 3_000 }), mirror: mirror({ phase: 'connecting' }) },
    [['mirror', 'MirrorStarting'], ...well.slice(1)],
  ],
  [
    'a partition that diverged',
    facts({ mirror: mirror({ topics: { events: topic(0, 'stopped') } }) }),
    [['mirror', 'MirrorStopped'], ...well.slice(1)],
  ],
  [
    'a lag beyond the objective',
    facts({ mirror: mirror({ topics: { events: topic(61_000) } }) }),
    [['mirror', 'MirrorLagging'], ...well.slice(1)],
  ],
  [
    'a partition that is not mirrored for now',
    facts({ mirror: mirror({ topics: { other: topic(200), events: topic(undefined, 'waiting') } }) }),
    [['mirror', 'MirrorWaiting'], ...well.slice(1)],
  ],
  [
    'one that is not mirrored beside one that is far behind',
    facts({ mirror: mirror({ topics: { events: topic(undefined, 'waiting'), other: topic(61_000) } }) }),
    [['mirror', 'MirrorLagging'], ...well.slice(1)],
  ],
  [
    'a partition that is brought to the log start',
    facts({ mirror: mirror({ topics: { events: topic(undefined, 'waiting', 5n) } }) }),
    [['mirror', 'LagUnknown'], ...well.slice(1)],
  ],
  [
    'a standby that takes nothing',
    facts({ mirror: mirror({ target: side('singapore', false) }) }),
    [['mirror', 'StandbyUnreachable'], ...well.slice(1)],
  ],
  [
    'a primary that is away says nothing of the mirror',
    facts({
      mirror: mirror({ source: side('mumbai', false) }),
      syncs: new Map([['counts', 1]]),
      heartbeatLagMs: 99_000,
    }),
    [
      ['mirror', 'SourceUnreachable'],
      ['checkpoints', 'SourceUnreachable'],
      ['heartbeat', 'SourceUnreachable'],
    ],
  ],
  [
    'a mirror that connects again to a primary that went away',
    facts({ mirror: mirror({ phase: 'connecting', source: { ...side('mumbai', false), firstFailureAtMs: nowMs } }) }),
    [['mirror', 'SourceUnreachable'], ...well.slice(1)],
  ],
  [
    'checkpoints that are not copied',
    facts({ syncs: new Map([['counts', undefined]]) }),
    [well[0]!, ['checkpoints', 'CheckpointsLate'], well[2]!],
  ],
  [
    'a first copy that is still under way',
    facts({ syncs: new Map([['counts', undefined]]), sinceMs: nowMs - 20_000 }),
    well,
  ],
  [
    'a heartbeat that is late',
    facts({ heartbeatLagMs: 31_000 }),
    [...well.slice(0, 2), ['heartbeat', 'HeartbeatLate']],
  ],
];
test.each(cases)('%s', (_name, seen, expected) => expect(told(seen)).toEqual(expected));

test('a heartbeat that nobody writes is not told', () => {
  const { heartbeatLagMs: _, ...without } = facts();
  expect(told(without)).toEqual(well.slice(0, 2));
});

test('a region that lost the role and takes writes is told; one that is shut is no sign of life', () => {
  expect(fenceSights({ region: 'mumbai', holds: false })).toMatchObject([
    { probe: 'kafka-write', region: 'mumbai', subject: 'fence', status: 'failed', code: 'FencedSideWritable' },
  ]);
  expect(fenceSights({ region: 'mumbai', holds: true })).toEqual([]);
  expect(fenceSights(undefined)).toEqual([]);
});
