import { describe, expect, it } from 'vitest';
import { assembleStatus } from '../../../health/status.ts';
import type { UsableFacts } from '../../../health/status-facts.ts';
import { dark, darkRegion, facts, ok, region, sighting } from './status-sample.ts';

const codes = (findings: readonly { code: string }[]) => findings.map((f) => f.code);

describe('assembleStatus', () => {
  it('is healthy, without blockers, when everything answers', () => {
    const view = assembleStatus(facts());
    expect(view.healthy).toBe(true);
    expect(view.blockers).toEqual([]);
    expect(view.warnings).toEqual([]);
    expect(view.roles).toEqual({
      primary: 'mumbai',
      standby: 'singapore',
      replication: 'active',
      epoch: 1,
      source: 'state',
    });
  });

  it('counts the lag from both logs while both answer, and the same would be lost', () => {
    const view = assembleStatus(facts());
    expect(view.mirror).toEqual([{ topic: 'events', lagRecords: 10, lagMs: 200, basis: 'live' }]);
    expect(view.wouldLose).toEqual([{ topic: 'events', records: 10, ms: 200, estimated: false }]);
  });

  it("tells nothing by the offsets of MirrorMaker's copy, and that a failover is refused", () => {
    const view = assembleStatus(facts({ engine: 'mirrormaker2' }));
    expect([view.mirror, view.wouldLose, view.recoveryPoints]).toEqual([[], [], []]);
    expect(codes(view.blockers)).toEqual(['EngineIsMirrorMaker']);
  });

  it('warns of damaged replicas, and of copies that are too slow while somebody makes them', () => {
    const damaged = [{ checkpointId: 12, code: 'FileMissing', message: 'a is not on the replica' }];
    const verified = { atMs: 90_000, checkpoints: 3, files: 40, damagedFiles: 2, damaged };
    const slow = { code: 'CopySlowerThanCheckpoints', message: 'the copies are slow', sinceMs: 1_000 };
    const replicaHealth = { region: 'singapore', atMs: 95_000, jobs: { counts: { verified, slow } } };
    expect(assembleStatus(facts({ replicaHealth })).warnings).toEqual([
      { code: 'CopySlowerThanCheckpoints', sentence: 'job counts: the copies are slow' },
      {
        code: 'ReplicaDamaged',
        sentence:
          'job counts, checkpoint 12: a is not on the replica and 1 more files; `argus checkpoints list` shows all',
      },
    ]);
    const old = assembleStatus(facts({ nowMs: 400_000, replicaHealth }));
    expect(codes(old.warnings)).toContain('ReplicaDamaged');
    expect(codes(old.warnings)).not.toContain('CopySlowerThanCheckpoints');
  });

  it('has no lag in time when no record is behind', () => {
    const view = assembleStatus(facts({ regions: [region('mumbai', [5n], 'RUNNING'), region('singapore', [5n])] }));
    expect(view.mirror).toEqual([{ topic: 'events', lagRecords: 0, lagMs: 0, basis: 'live' }]);
  });

  it('takes the last sighting while the primary is dark, and estimates the loss up to the first failure', () => {
    const regions = [darkRegion('mumbai'), region('singapore', [995n, 500n])];
    const seen = ok(sighting({ firstFailureAtMs: 99_400 }));
    const view = assembleStatus(facts({ regions, sighting: seen }));
    expect(view.healthy).toBe(false);
    expect(view.mirror).toEqual([{ topic: 'events', lagRecords: 10, lagMs: 200, basis: 'last-seen' }]);
    // 1,000 seen − 995 there now, and 0.4 s at 100 records/s that nobody saw.
    expect(view.wouldLose).toEqual([{ topic: 'events', records: 45, ms: 600, estimated: true }]);
    expect(view.daemon.primaryDarkSinceMs).toBe(99_400);
    expect(view.blockers).toEqual([]);
  });

  it('reckons with the rate up to now when the primary is dark and nobody watches', () => {
    const regions = [darkRegion('mumbai'), region('singapore', [1_000n, 500n])];
    const view = assembleStatus(facts({ nowMs: 159_000, regions }));
    expect(view.wouldLose).toEqual([
      { topic: 'events', records: 6_000, ms: 60_000, estimated: true, unseenMs: 60_000 },
    ]);
  });

  it('says unknown, not zero, when the primary is dark and was never seen', () => {
    const regions = [darkRegion('mumbai'), region('singapore', [990n, 500n])];
    const view = assembleStatus(facts({ regions, sighting: ok(undefined) }));
    expect(view.mirror).toEqual([{ topic: 'events', basis: 'unknown' }]);
    expect(view.wouldLose).toEqual([{ topic: 'events', estimated: true }]);
    expect(codes(view.warnings)).toEqual(['LagUnknown', 'DaemonNotSeen']);
  });

  it('is not healthy when the job does not run', () => {
    const regions = [region('mumbai', [1_000n, 500n], 'RESTARTING'), region('singapore', [990n, 500n])];
    const view = assembleStatus(facts({ regions }));
    expect(view.healthy).toBe(false);
    expect(view.regions[0]?.components.at(-1)).toMatchObject({
      component: 'job counts',
      status: 'failed',
      detail: 'RESTARTING',
    });
  });

  it('is healthy with a dark standby, which blocks a failover', () => {
    const view = assembleStatus(facts({ regions: [region('mumbai', [1n], 'RUNNING'), darkRegion('singapore')] }));
    expect(view.healthy).toBe(true);
    expect(codes(view.blockers)).toEqual(['StandbyKafkaDown', 'StandbyObjectsDown', 'StandbyFlinkDown']);
  });

  it('after a failover the promoted region is the primary, and nothing is behind it', () => {
    const roles = ok({
      epoch: 2,
      primary: 'singapore',
      standby: 'mumbai',
      replication: 'suspended' as const,
      atMs: 0,
      by: 'x',
    });
    const regions = [darkRegion('mumbai'), region('singapore', [990n, 500n], 'RUNNING')];
    const names = [{ name: 'ingest.argus.test', resolver: 'r:53', answer: ok(['127.0.2.1']) }];
    const view = assembleStatus(facts({ roles, regions, names }));
    expect(view.healthy).toBe(true);
    expect(view.regions.map((r) => [r.name, r.role])).toEqual([
      ['singapore', 'primary'],
      ['mumbai', 'standby'],
    ]);
    expect(view.mirror).toEqual([]);
    expect(codes(view.blockers)).toEqual(['ReplicationSuspended']);
  });

  it('warns of names that were not moved when a failover stopped after the promotion', () => {
    const stored = { epoch: 2, primary: 'singapore', standby: 'mumbai', atMs: 0, by: 'x' };
    const roles = ok({ ...stored, replication: 'suspended' as const });
    const runs = [{ id: 'b', kind: 'failover', state: 'interrupted' as const, startedAtMs: 1 }];
    expect(codes(assembleStatus(facts({ roles, runs })).warnings)).toEqual(['RunUnfinished', 'NameElsewhere']);
  });

  it('shows the configured roles, and says so, when the state cannot be read', () => {
    const view = assembleStatus(facts({ roles: dark() }));
    expect(view.roles).toEqual({
      primary: 'mumbai',
      standby: 'singapore',
      replication: 'unknown',
      source: 'configuration',
    });
    expect(view.healthy).toBe(false);
    expect(codes(view.blockers)).toEqual(['StateUnreachable']);
  });

  it.each([
    ['no usable checkpoint', { replica: [{ job: 'counts', usable: ok({ refused: [] }) }] }, 'NoRecoveryPoint'],
    ['a replica that is silent', { replica: [{ job: 'counts', usable: dark<UsableFacts>() }] }, 'RecoveryPointUnknown'],
    [
      'a DNS provider that refuses',
      { records: [{ name: 'n', found: { status: 'failed' as const, latencyMs: 1, reason: 'denied' } }] },
      'DnsApiDown',
    ],
    ['a name without a record', { records: [{ name: 'n', found: ok([]) }] }, 'NameMissing'],
    [
      'a record of another address',
      { records: [{ name: 'n', found: ok([{ content: '9.9.9.9' }]) }] },
      'NameHoldsOther',
    ],
    ['too few free slots', { slotsNeeded: 3 }, 'NoFreeSlots'],
    [
      'a job of that name on the standby',
      { regions: [region('mumbai', [1n], 'RUNNING'), region('singapore', [1n], 'RUNNING')] },
      'ForeignJob',
    ],
    [
      'another partition count',
      { regions: [region('mumbai', [1n], 'RUNNING'), region('singapore', [1n, 1n])] },
      'PartitionCountDiffers',
    ],
  ])('a failover is blocked by %s', (_rule, changes, code) => {
    expect(codes(assembleStatus(facts(changes)).blockers)).toEqual([code]);
  });

  it.each([
    [
      'a recovery point older than the objective',
      { replica: [{ job: 'counts', usable: ok({ point: { checkpointId: 1, completedAtMs: 0 }, refused: [] }) }] },
      'RecoveryPointOld',
    ],
    ['a daemon that has stopped', { sighting: ok(sighting({ checkedAtMs: 50_000 })) }, 'DaemonNotSeen'],
    ['a freeze', { frozenBy: 'run-a' }, 'Frozen'],
    [
      'a name that points elsewhere',
      { names: [{ name: 'n', resolver: 'r:53', answer: ok(['127.0.2.1']) }] },
      'NameElsewhere',
    ],
    [
      'a resolver that is silent',
      { names: [{ name: 'n', resolver: 'r:53', answer: dark<readonly string[]>() }] },
      'ResolverDown',
    ],
  ])('warns of %s', (_rule, changes, code) => {
    expect(codes(assembleStatus(facts(changes)).warnings)).toEqual([code]);
  });

  const refused = (checkpointId: number, completedAtMs: number) => ({
    checkpointId,
    completedAtMs,
    code: 'SourceOffsetBeyondMirror',
    message: 'events-0: the job would go on at 9, the mirror ends at 8',
  });

  it('shows the newest usable recovery point with its own age, and why newer ones were refused', () => {
    const point = { checkpointId: 12, completedAtMs: 90_000 };
    const usable = ok({ point, refused: [refused(14, 99_000), refused(13, 95_000)] });
    const view = assembleStatus(facts({ replica: [{ job: 'counts', usable }] }));
    expect(view.blockers).toEqual([]);
    expect(view.recoveryPoints).toEqual([
      {
        job: 'counts',
        checkpointId: 12,
        ageMs: 10_000,
        refusedCount: 2,
        newestRefused: {
          checkpointId: 14,
          ageMs: 1_000,
          code: 'SourceOffsetBeyondMirror',
          message: 'events-0: the job would go on at 9, the mirror ends at 8',
        },
      },
    ]);
  });

  it('has no age of a recovery point when none is usable, and says what is wrong with the newest', () => {
    const usable = ok<UsableFacts>({ refused: [refused(14, 99_000)] });
    const view = assembleStatus(facts({ replica: [{ job: 'counts', usable }] }));
    expect(view.recoveryPoints[0]).not.toHaveProperty('ageMs');
    expect(view.blockers).toMatchObject([
      { code: 'NoRecoveryPoint', sentence: expect.stringMatching(/none of 1 .*checkpoint 14: events-0/) },
    ]);
  });

  it('shows an interrupted run until a later one was made', () => {
    const run = (id: string, state: 'interrupted' | 'done' | 'refused') => ({
      id,
      kind: 'failover',
      state,
      startedAtMs: 1,
    });
    const open = assembleStatus(facts({ runs: [run('b', 'interrupted'), run('a', 'refused')] })).runs;
    expect(open).toMatchObject({ running: { id: 'b' }, last: { id: 'a', state: 'refused' } });
    const warned = assembleStatus(facts({ runs: [run('b', 'interrupted')] })).warnings;
    expect(codes(warned)).toEqual(['RunUnfinished']);
    const over = assembleStatus(facts({ runs: [run('b', 'done'), run('a', 'interrupted')] })).runs;
    expect(over).toMatchObject({ last: { id: 'b' } });
    expect(over).not.toHaveProperty('running');
  });

  it('shows a run that is going on before the last one that ended', () => {
    const runs = [
      { id: 'b', kind: 'failover', state: 'running' as const, startedAtMs: 2 },
      { id: 'a', kind: 'failover', state: 'failed' as const, startedAtMs: 1 },
    ];
    expect(assembleStatus(facts({ runs })).runs).toMatchObject({ running: { id: 'b' }, last: { id: 'a' } });
  });
});
