import { describe, expect, it } from 'vitest';
import { sightLook, sightMirror } from '../../../daemon/sight.ts';
import type { MirrorStatus } from '../../../replication/topics/mirror-status.ts';

const status = (source: Partial<MirrorStatus['source']> = {}): MirrorStatus => ({
  atMs: 10_000,
  phase: 'mirroring',
  source: {
    region: 'mumbai',
    reachable: true,
    checkedAtMs: 9_900,
    firstFailureAtMs: undefined,
    error: undefined,
    ...source,
  },
  target: { region: 'singapore', reachable: true, checkedAtMs: 9_900, firstFailureAtMs: undefined, error: undefined },
  topics: {
    events: {
      recordsPerSecond: 50,
      bytesPerSecond: 5_000,
      lagRecords: 3,
      lagMs: 10,
      partitions: [
        {
          partition: 0,
          state: 'mirroring',
          stop: undefined,
          trouble: undefined,
          seen: true,
          logStartOffset: 0n,
          logEndOffset: 103n,
          mirroredEndOffset: 100n,
          newestTimestampMs: 9_890,
          mirroredTimestampMs: undefined,
          lagRecords: 3,
          lagMs: 10,
        },
      ],
    },
  },
});

describe('sightMirror', () => {
  it('takes what the mirror saw, at the instant of the primary’s answer', () => {
    expect(sightMirror(undefined, 'mumbai', status())).toMatchObject({
      region: 'mumbai',
      atMs: 9_900,
      topics: { events: { partitions: [{ logEndOffset: 103n, newestTimestampMs: 9_890, mirroredTimestampMs: null }] } },
    });
  });

  it('keeps what was last seen when the mirror does not reach the primary', () => {
    const seen = sightMirror(undefined, 'mumbai', status());
    expect(sightMirror(seen, 'mumbai', status({ reachable: false, checkedAtMs: 12_000 }))).toBe(seen);
  });

  it('keeps the rate and the ends that a mirror which has just begun does not know yet', () => {
    const seen = sightMirror(undefined, 'mumbai', status());
    const begun = status({ checkedAtMs: 10_500 });
    const events = begun.topics.events;
    const partitions = (events?.partitions ?? []).map((p) => ({ ...p, seen: false, logEndOffset: 0n }));
    const topics = { events: { ...events, recordsPerSecond: undefined, bytesPerSecond: undefined, partitions } };
    const after = sightMirror(seen, 'mumbai', { ...begun, topics } as MirrorStatus);
    expect(after).toMatchObject({ atMs: 10_500, topics: { events: { recordsPerSecond: 50, bytesPerSecond: 5_000 } } });
    expect(after?.topics.events?.partitions).toEqual(seen?.topics.events?.partitions);
  });

  it('takes nothing of a mirror of another direction', () => {
    expect(sightMirror(undefined, 'singapore', status())).toBeUndefined();
  });
});

describe('sightLook', () => {
  const seen = sightMirror(undefined, 'mumbai', status());

  it('keeps the first failure through all that follow, and what was last seen', () => {
    const first = sightLook(seen, 'mumbai', { atMs: 11_000, ok: false });
    const second = sightLook(first, 'mumbai', { atMs: 12_000, ok: false, mirrorFailedAtMs: 11_500 });
    expect(second).toMatchObject({ firstFailureAtMs: 11_000, checkedAtMs: 12_000, atMs: 9_900 });
    expect(second.topics).toEqual(seen?.topics);
  });

  it('takes the mirror’s own failure when that was earlier', () => {
    const dark = sightLook(seen, 'mumbai', { atMs: 11_000, ok: false, mirrorFailedAtMs: 10_200 });
    expect(dark.firstFailureAtMs).toBe(10_200);
  });

  it('forgets the failure when the primary answers again', () => {
    const dark = sightLook(seen, 'mumbai', { atMs: 11_000, ok: false });
    expect(sightLook(dark, 'mumbai', { atMs: 12_000, ok: true })).not.toHaveProperty('firstFailureAtMs');
  });

  it('notes the failure of a primary that was never seen', () => {
    expect(sightLook(undefined, 'mumbai', { atMs: 5, ok: false })).toEqual({
      region: 'mumbai',
      atMs: 0,
      checkedAtMs: 5,
      firstFailureAtMs: 5,
      topics: {},
    });
  });
});
