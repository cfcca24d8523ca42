import { type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import type { SyncedGroup } from './context.ts';

/** What a move means to the clients of one consumer group. */
export interface GroupWindow {
  readonly group: string;
  /** Where its committed offsets come from. */
  readonly source: SyncedGroup['source'];
  /** Why the primary's could not be copied at the end. */
  readonly because?: string;
  /**
   * Offsets from where it goes on to the promotion, transactions' markers among them: what its clients had not read, or
   * had read without it standing in the copied offsets. So many records at most are read twice.
   */
  readonly rereadAtMost: number;
  /** Partitions of its topics without an offset: its clients begin there by their own rule. */
  readonly partitionsWithoutOffset: number;
  /** Partitions in which it had committed records that the standby has not: it was set back to the promotion. */
  readonly setBack: number;
}

/** The window of each group, by the offsets that it has on the standby. Pure. */
export function groupWindows(
  groups: readonly SyncedGroup[],
  promotedAt: readonly PartitionOffset[],
): readonly GroupWindow[] {
  const ends = new Map(promotedAt.map((p) => [partitionKey(p), p.offset]));
  return groups.map(({ group, source, because, offsets, clamped = 0 }) => {
    const own = offsets.filter((o) => ends.has(partitionKey(o)));
    const topics = new Set(own.map((o) => o.topic));
    const sum = own.reduce((all, o) => {
      const ahead = (ends.get(partitionKey(o)) ?? o.offset) - o.offset;
      return ahead > 0n ? all + ahead : all;
    }, 0n);
    return {
      group,
      source,
      ...(because === undefined ? {} : { because }),
      rereadAtMost: Number(sum),
      partitionsWithoutOffset: promotedAt.filter((p) => topics.has(p.topic)).length - own.length,
      setBack: clamped,
    };
  });
}

const shown = 20;

/** The same for people, a line each. Pure. */
export function groupLines(groups: readonly GroupWindow[]): readonly string[] {
  const lines = groups.slice(0, shown).map((g) => {
    const from =
      g.source === 'primary' ? 'as on the old primary' : `as copied last (${g.because ?? 'it was not asked'})`;
    const back = g.setBack === 0 ? '' : `; set back to the promotion in ${g.setBack} partitions`;
    const none = g.partitionsWithoutOffset === 0 ? '' : `; no offset in ${g.partitionsWithoutOffset} partitions`;
    return `group ${g.group}: goes on ${from}, at most ${g.rereadAtMost} records twice${back}${none}`;
  });
  return groups.length <= shown ? lines : [...lines, `and ${groups.length - shown} more groups: see --json`];
}
