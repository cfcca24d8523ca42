import { describe, expect, test } from 'vitest';
import type { SyncedGroup } from '../../../../runbooks/failover/context.ts';
import { groupLines, groupWindows } from '../../../../runbooks/failover/group-windows.ts';
import { at } from './world.ts';

const promotedAt = at(100n, 50n);
const group = (over: Partial<SyncedGroup> = {}): SyncedGroup => ({
  group: 'shop',
  source: 'primary',
  offsets: at(100n, 50n),
  ...over,
});
const window = (over: Partial<SyncedGroup> = {}) => groupWindows([group(over)], promotedAt)[0];

describe('what a move means to a group', () => {
  test('is nothing when it had read all', () => {
    expect(window()).toEqual({
      group: 'shop',
      source: 'primary',
      rereadAtMost: 0,
      partitionsWithoutOffset: 0,
      setBack: 0,
    });
  });

  test('is at most what lies between its offsets and the promotion', () => {
    expect(window({ offsets: at(90n, 45n) })).toMatchObject({ rereadAtMost: 15 });
  });

  test('counts no other topics, and nothing past the promotion', () => {
    const other = { topic: 'local', partition: 0, offset: 1n };
    expect(window({ offsets: [...at(120n, 50n), other] })).toMatchObject({ rereadAtMost: 0 });
  });

  test('tells partitions of its topics where it has no offset', () => {
    expect(window({ offsets: at(90n) })).toMatchObject({ rereadAtMost: 10, partitionsWithoutOffset: 1 });
  });

  test('tells why the primary`s offsets are not there, and where it was set back', () => {
    const lines = groupLines(
      groupWindows([group({ source: 'last-copy', because: 'no answer', offsets: at(90n), clamped: 2 })], promotedAt),
    );
    expect(lines).toEqual([
      'group shop: goes on as copied last (no answer), at most 10 records twice; set back to the promotion in 2 partitions; no offset in 1 partitions',
    ]);
  });

  test('is not listed without end', () => {
    const many = groupWindows(
      Array.from({ length: 25 }, (_, i) => group({ group: `g${i}` })),
      promotedAt,
    );
    expect(groupLines(many)).toHaveLength(21);
    expect(groupLines(many).at(-1)).toBe('and 5 more groups: see --json');
  });
});
