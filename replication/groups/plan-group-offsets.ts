import { type PartitionOffset, partitionKey } from '../../domain/offsets.ts';

export interface GroupPlan<T extends PartitionOffset> {
  /** What to commit on the standby: only what differs from what it has. */
  readonly commit: readonly T[];
  /** Those of the primary that lay past the mirrored end and were set back to it. */
  readonly clamped: readonly T[];
  /** Those of partitions that are not mirrored. */
  readonly skipped: readonly T[];
}

/**
 * Which committed offsets a group gets on the standby: the primary's as they are, since offsets mean the same on both
 * sides, but never past what was mirrored, or the group would skip records. `mirroredEnds` is by `partitionKey`, exclusive.
 */
export function planGroupOffsets<T extends PartitionOffset>(view: {
  readonly primary: readonly T[];
  readonly standby: readonly PartitionOffset[];
  readonly mirroredEnds: ReadonlyMap<string, bigint>;
}): GroupPlan<T> {
  const present = new Map(view.standby.map((o) => [partitionKey(o), o.offset]));
  const commit: T[] = [];
  const clamped: T[] = [];
  const skipped: T[] = [];
  for (const committed of view.primary) {
    const key = partitionKey(committed);
    const end = view.mirroredEnds.get(key);
    if (end === undefined) {
      skipped.push(committed);
      continue;
    }
    const past = committed.offset > end;
    if (past) clamped.push(committed);
    const offset = past ? end : committed.offset;
    if (present.get(key) !== offset) commit.push({ ...committed, offset });
  }
  return { commit, clamped, skipped };
}
