import { describe, expect, test } from 'vitest';
import { planGroupOffsets } from '../../../../replication/groups/plan-group-offsets.ts';

const at = (partition: number, offset: bigint) => ({ topic: 'events', partition, offset });
const ends = new Map([
  ['events-0', 100n],
  ['events-1', 100n],
]);

describe('a group`s offsets on the standby', () => {
  test('are the primary`s, as they are', () => {
    const plan = planGroupOffsets({ primary: [at(0, 7n), at(1, 100n)], standby: [], mirroredEnds: ends });
    expect(plan).toEqual({ commit: [at(0, 7n), at(1, 100n)], clamped: [], skipped: [] });
  });

  test('never lie past what was mirrored', () => {
    const plan = planGroupOffsets({ primary: [at(0, 101n)], standby: [], mirroredEnds: ends });
    expect(plan).toEqual({ commit: [at(0, 100n)], clamped: [at(0, 101n)], skipped: [] });
  });

  test('are committed only where they differ', () => {
    const plan = planGroupOffsets({
      primary: [at(0, 7n), at(1, 8n)],
      standby: [at(0, 7n), at(1, 7n)],
      mirroredEnds: ends,
    });
    expect(plan.commit).toEqual([at(1, 8n)]);
  });

  test('follow the primary also when it was reset to an earlier one', () => {
    const plan = planGroupOffsets({ primary: [at(0, 3n)], standby: [at(0, 9n)], mirroredEnds: ends });
    expect(plan.commit).toEqual([at(0, 3n)]);
  });

  test('leave out partitions that are not mirrored', () => {
    const plan = planGroupOffsets({ primary: [at(5, 3n)], standby: [], mirroredEnds: ends });
    expect(plan).toEqual({ commit: [], clamped: [], skipped: [at(5, 3n)] });
  });
});
