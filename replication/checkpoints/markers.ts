import type { ResolvedMarkers, SourceOffset } from '../../domain/checkpoint.ts';
import { byPartition, type LogRange, type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import type { KafkaStates } from './kafka-states.ts';

/** Of KafkaSource: begin at the group's committed offset, at the earliest one. Source: KafkaPartitionSplit, connector 3.4 and 5.0. */
const COMMITTED = -3n;
const EARLIEST = -2n;

/** What one look at the primary's Kafka saw for a job's markers. */
export interface SeenForMarkers {
  readonly group: string;
  /** What the group has committed, of any partition. */
  readonly commits: readonly PartitionOffset[];
  /** Of the partitions with markers. */
  readonly ranges: readonly LogRange[];
}

/** Looks at the primary's Kafka; its errors are thrown. */
export type LookAtMarkers = (markers: readonly SourceOffset[], signal?: AbortSignal) => Promise<SeenForMarkers>;

/** A checkpoint is not kept waiting for longer by a Kafka that is silent. */
const patienceMs = 2_000;

/** The look for a job whose sources commit for this group. */
export function markerLook(kafka: Pick<KafkaAdmin, 'groupOffsets' | 'logRanges'>, group: string): LookAtMarkers {
  return async (markers, outer) => {
    const soon = AbortSignal.timeout(patienceMs);
    const signal = outer ? AbortSignal.any([outer, soon]) : soon;
    const partitions = markers.map(({ topic, partition }) => ({ topic, partition }));
    const [commits, ranges] = await Promise.all([
      kafka.groupOffsets(group, { signal }),
      kafka.logRanges(partitions, { signal }),
    ]);
    return { group, commits, ranges };
  };
}

/** The splits in whose place the checkpoint has a marker. */
export function markersOf({ offsets }: Pick<KafkaStates, 'offsets'>): readonly SourceOffset[] {
  return offsets.filter(({ offset }) => offset < 0n).sort(byPartition);
}

/**
 * Where the job would have begun each partition that has a marker, as far as that is proven. Pure.
 *
 * A reader keeps the marker until it has read a record, and commits nothing for it meanwhile. So -3 stands for what the
 * group has committed, as long as no newer checkpoint is complete, by which the job commits what it has read since; with
 * several Kafka sources nobody knows whose group it is. -2 stands for the log's start, which is the same as at the job's
 * start only where it is 0. -1, and what older connectors wrote, can't be known any more.
 */
export function resolveMarkers(
  states: Pick<KafkaStates, 'offsets'> & { readonly sources: { readonly size: number } },
  seen: Pick<SeenForMarkers, 'commits' | 'ranges'>,
  newerComplete: boolean,
): ResolvedMarkers['splits'] {
  const ranges = new Map(seen.ranges.map((range) => [partitionKey(range), range]));
  const commits = new Map(seen.commits.map((commit) => [partitionKey(commit), commit.offset]));
  return markersOf(states).flatMap(({ topic, partition, offset: marker }) => {
    const key = partitionKey({ topic, partition });
    const range = ranges.get(key);
    const committed = states.sources.size === 1 && !newerComplete ? commits.get(key) : undefined;
    const offset = marker === COMMITTED ? committed : marker === EARLIEST ? 0n : undefined;
    // A commit that the log no longer holds, or that was set too high, is not where the source began.
    if (range === undefined || offset === undefined) return [];
    if (offset < range.logStartOffset || offset > range.logEndOffset) return [];
    return [{ topic, partition, marker: marker.toString(), offset: offset.toString() }];
  });
}

/** Offsets in the place of those markers; every other split stays. Pure. */
export function markersAsOffsets({ splits }: Pick<ResolvedMarkers, 'splits'>): (split: SourceOffset) => SourceOffset {
  const offsets = new Map(splits.map((split) => [partitionKey(split), split]));
  return ({ topic, partition, offset }) => {
    const found = offsets.get(partitionKey({ topic, partition }));
    return {
      topic,
      partition,
      offset: found !== undefined && offset === BigInt(found.marker) ? BigInt(found.offset) : offset,
    };
  };
}
