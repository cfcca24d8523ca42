import {
  type LogRange,
  largerOf,
  type PartitionOffset,
  partitionKey,
  smallerOf,
  type TopicPartition,
} from '../../domain/offsets.ts';

/** Offsets [from, to) of one partition; holes and markers in it are no records. */
export interface OffsetRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** One partition of the old primary, as it was seen beside the active side's. */
export interface PartitionView extends TopicPartition {
  /** Where the promoted log's shared part ends; undefined: it was not mirrored when the roles changed. */
  readonly promotedAt: bigint | undefined;
  /** What the old primary holds now. */
  readonly old: OffsetRange;
  /** What the active side holds; undefined: it has no such partition. */
  readonly active: OffsetRange | undefined;
  /** The topic was deleted and made anew on one side since it was mirrored. */
  readonly recreated: boolean;
  /** The first offset below `promotedAt` at which both sides hold other records, where that was looked for. */
  readonly differsAt?: bigint | undefined;
}

/**
 * How a partition of the old primary stands to the active side's log.
 *
 * - `same`: it ends where the promoted log's shared part ends: mirroring back goes on there.
 * - `behind`: it ends before: the rest comes by mirroring back.
 * - `orphans`: it holds records that the active side never got, or others at the same offsets.
 * - `started-above`: its log begins above the shared part, so that nothing of it is shared.
 * - `recreated`: the topic is not the one that was mirrored.
 * - `gap`: what would come next was deleted on the active side: it can only be begun anew.
 * - `only-old`: the active side has no such partition. Nothing of it is touched.
 */
export type DivergenceKind = 'same' | 'behind' | 'orphans' | 'started-above' | 'recreated' | 'gap' | 'only-old';

export interface Divergence extends TopicPartition {
  readonly kind: DivergenceKind;
  /** Where both logs stop being the same, exclusive. */
  readonly sharedEnd: bigint;
  /** What the old primary holds now. */
  readonly old: OffsetRange;
  /** Offsets that only the old primary has; undefined: none. */
  readonly orphans?: OffsetRange;
  /** Offsets below the shared end that the active side has deleted and the old primary still has. */
  readonly older?: OffsetRange;
  /** Orphans that the old primary has deleted by itself since: nobody has them any more. */
  readonly gone?: OffsetRange;
}

/** How one partition diverged. Pure. */
export function divergenceOf(view: PartitionView): Divergence {
  const { topic, partition, promotedAt, old, active, recreated, differsAt } = view;
  const shared = recreated || promotedAt === undefined ? 0n : smallerOf(promotedAt, differsAt ?? promotedAt);
  const orphans = range(largerOf(shared, old.from), old.to);
  const older = active === undefined ? undefined : range(old.from, smallerOf(active.from, smallerOf(shared, old.to)));
  const gone = promotedAt === undefined || recreated ? undefined : range(shared, old.from);
  const empty = old.from >= old.to;
  return {
    topic,
    partition,
    kind: kindOf(),
    sharedEnd: shared,
    old,
    ...(orphans && { orphans }),
    ...(older && { older }),
    ...(gone && { gone }),
  };

  function kindOf(): DivergenceKind {
    if (active === undefined) return 'only-old';
    if (recreated) return orphans ? 'recreated' : 'behind';
    if (old.from > shared) return 'started-above';
    if (orphans) return 'orphans';
    // An empty log is brought to where the active side's begins.
    if (!empty && active.from > old.to) return 'gap';
    return old.to < shared ? 'behind' : 'same';
  }
}

const diverged: ReadonlySet<DivergenceKind> = new Set(['orphans', 'started-above', 'recreated', 'gap']);

/** Topics of which at least one partition can't be mirrored on from where it is; sorted. Pure. */
export function divergedTopics(found: readonly Divergence[]): readonly string[] {
  return [...new Set(found.filter((d) => diverged.has(d.kind)).map((d) => d.topic))].sort();
}

/** What has to be kept before a topic of the old primary may be deleted. */
export interface WantedRange extends TopicPartition, OffsetRange {
  /** `orphan`: the active side never had it. `older`: the active side has deleted it. */
  readonly reason: 'orphan' | 'older';
}

/**
 * What is to be rescued: every orphan, and of topics that are begun anew also what the active side holds no more.
 * Ordered by topic, partition and offset. Pure.
 */
export function wantedRanges(found: readonly Divergence[]): readonly WantedRange[] {
  const anew = new Set(divergedTopics(found));
  return found.flatMap(({ topic, partition, kind, orphans, older }) => {
    if (kind === 'only-old' && !anew.has(topic)) return [];
    return [
      ...(older && anew.has(topic) ? [{ topic, partition, ...older, reason: 'older' as const }] : []),
      ...(orphans ? [{ topic, partition, ...orphans, reason: 'orphan' as const }] : []),
    ];
  });
}

/** Joins what was seen of both sides. `active` lacks partitions that it does not have. Pure. */
export function partitionViews(seen: {
  readonly promotedAt: readonly PartitionOffset[];
  readonly old: readonly LogRange[];
  readonly active: readonly LogRange[];
  readonly recreated: ReadonlySet<string>;
  /** By `partitionKey`. */
  readonly differences: ReadonlyMap<string, bigint>;
}): readonly PartitionView[] {
  const promoted = new Map(seen.promotedAt.map((p) => [partitionKey(p), p.offset]));
  const active = new Map(seen.active.map((r) => [partitionKey(r), { from: r.logStartOffset, to: r.logEndOffset }]));
  return seen.old.map((r) => ({
    topic: r.topic,
    partition: r.partition,
    promotedAt: promoted.get(partitionKey(r)),
    old: { from: r.logStartOffset, to: r.logEndOffset },
    active: active.get(partitionKey(r)),
    recreated: seen.recreated.has(r.topic),
    differsAt: seen.differences.get(partitionKey(r)),
  }));
}

function range(from: bigint, to: bigint): OffsetRange | undefined {
  return from < to ? { from, to } : undefined;
}
