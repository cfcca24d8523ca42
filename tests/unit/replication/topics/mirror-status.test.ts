import { describe, expect, test } from 'vitest';
import { sampleRate, topicStatuses } from '../../../../replication/topics/mirror-status.ts';
import { newPartitionState, type PartitionState } from '../../../../replication/topics/partition-state.ts';

function state(overrides: Partial<PartitionState>): PartitionState {
  return { ...newPartitionState({ topic: 'events', partition: 0 }), sourceSeenAt: 0, ...overrides };
}

function topic(...states: PartitionState[]) {
  return topicStatuses(states, 10_000, true).events;
}

describe('the mirror`s lag', () => {
  test('is nothing, in records and in time, when both ends are the same', () => {
    const s = state({ sourceEnd: 5n, mirroredEnd: 5n, mirroredTimestampMs: 1, newestTimestampMs: 1 });
    expect(topic(s)).toMatchObject({ lagRecords: 0, lagMs: 0 });
  });

  test('is by the timestamps of both sides when all was fetched', () => {
    const s = state({
      sourceEnd: 9n,
      fetchFrom: 9n,
      mirroredEnd: 5n,
      mirroredTimestampMs: 1_000,
      newestTimestampMs: 1_700,
    });
    expect(topic(s)).toMatchObject({ lagRecords: 4, lagMs: 700 });
  });

  test('is up to now while the newest record was not fetched', () => {
    const s = state({
      sourceEnd: 9n,
      fetchFrom: 7n,
      mirroredEnd: 5n,
      mirroredTimestampMs: 1_000,
      newestTimestampMs: 1_700,
    });
    expect(topic(s)).toMatchObject({ lagRecords: 4, lagMs: 9_000 });
  });

  test('of a topic adds the records and takes the longest time', () => {
    const a = state({ sourceEnd: 3n, fetchFrom: 3n, mirroredTimestampMs: 0, newestTimestampMs: 5 });
    const b = state({ partition: 1, sourceEnd: 4n, fetchFrom: 4n, mirroredTimestampMs: 0, newestTimestampMs: 9 });
    expect(topic(a, b)).toMatchObject({ lagRecords: 7, lagMs: 9 });
  });
});

describe('a lag that nobody can tell', () => {
  const behind = {
    sourceEnd: 9n,
    fetchFrom: 9n,
    mirroredEnd: 5n,
    mirroredTimestampMs: 1_000,
    newestTimestampMs: 1_700,
  };
  const trouble = { side: 'source', why: 'mumbai: partition events-0 has no leader', retryAt: 0 } as const;

  test.each([
    ['before the source was seen', { sourceSeenAt: undefined }, true, 'mirroring'],
    ['while the source is away', behind, false, 'mirroring'],
    ['while the partition can`t be read', { ...behind, trouble }, true, 'waiting'],
  ])('is undefined, never 0: %s', (_when, overrides, reachable, expected) => {
    const status = topicStatuses([state(overrides)], 10_000, reachable).events;
    expect(status).toMatchObject({ lagRecords: undefined, lagMs: undefined });
    expect(status?.partitions[0]).toMatchObject({ state: expected, lagRecords: undefined, lagMs: undefined });
  });

  test('in time is undefined while the standby holds no record, and that in records is known', () => {
    expect(topic(state({ sourceEnd: 4n }))).toMatchObject({ lagRecords: 4, lagMs: undefined });
  });

  test('of one partition makes that of its topic unknown', () => {
    expect(topic(state({}), state({ partition: 1, trouble }))?.lagRecords).toBeUndefined();
  });
});

describe('the source`s rate', () => {
  test('is taken over the last ten seconds', () => {
    const s = state({ bytesPerRecord: 100 });
    for (let second = 0; second <= 30; second++) {
      s.sourceEnd = BigInt(second < 20 ? 0 : (second - 20) * 50);
      sampleRate(s, second * 1_000);
    }
    expect(topic(s)).toMatchObject({ recordsPerSecond: 50, bytesPerSecond: 5_000 });
  });

  test('is nothing, and needs no more than two looks, while nothing is written; then it counts from the last of them', () => {
    const s = state({ sourceEnd: 1_000n });
    for (let second = 0; second <= 60; second++) sampleRate(s, second * 1_000);
    expect(s.samples).toHaveLength(2);
    expect(topic(s)?.recordsPerSecond).toBe(0);
    s.sourceEnd = 1_100n;
    sampleRate(s, 61_000);
    expect(topic(s)?.recordsPerSecond).toBe(100);
  });

  test('is unknown while only one look was taken', () => {
    const s = state({ sourceEnd: 1_000n });
    sampleRate(s, 0);
    expect(topic(s)?.recordsPerSecond).toBeUndefined();
  });
});

describe('open transactions', () => {
  const slot = (sourceProducerId: bigint | undefined, sinceMs: number) => ({
    transactionalId: '__argus-mirror-events-0-t0',
    producer: { producerId: 1n, producerEpoch: 0 },
    nextSequence: 0,
    timeoutMs: 4_000,
    takenUp: false,
    orphan: undefined,
    begun: false,
    preparing: false,
    endedAt: 0,
    open: { sourceProducerId, firstOffset: BigInt(sinceMs), sinceMs },
  });

  test('are told with the oldest, and as late past half of its time-out', () => {
    const s = state({ slots: [slot(5n, 9_000), slot(6n, 7_999), slot(undefined, 1)] });
    const expected = { count: 2, firstOffset: 7_999n, ageMs: 2_001, timeoutMs: 4_000, late: true };
    expect(topic(s)?.partitions[0]?.openTransactions).toEqual(expected);
    expect(topic(state({ slots: [slot(5n, 8_000)] }))?.partitions[0]?.openTransactions?.late).toBe(false);
    expect(topic(state({}))?.partitions[0]).not.toHaveProperty('openTransactions');
  });
});
