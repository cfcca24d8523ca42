import type { ResolvedMarkers, SourceOffset } from '../../domain/checkpoint.ts';
import { byPartition, type LogRange, type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { inFolders } from './catalogue.ts';
import type { KafkaStates } from './kafka-states.ts';

/** Of KafkaSource: begin at the group's committed offset, at the earliest one. Source: KafkaPartitionSplit, connector 3.4 and 5.0. */
const COMMITTED = -3n;
const EARLIEST = -2n;

/** What one look at the primary's Kafka saw for a job's markers. */
export interface SeenForMarkers {
  readonly group: string;
  /** The run that took the checkpoint was seen running after the commits were read: no stop with a savepoint committed more. */
  readonly running: boolean;
  /** What the group has committed, of any partition. */
  readonly commits: readonly PartitionOffset[];
  /** Of the partitions with markers. */
  readonly ranges: readonly LogRange[];
}

/** Looks at the primary's Kafka and Flink, for a checkpoint of this run; its errors are thrown. */
export type LookAtMarkers = (
  markers: readonly SourceOffset[],
  flinkJobId: string,
  signal?: AbortSignal,
) => Promise<SeenForMarkers>;

/** A checkpoint is not kept waiting for longer by a Kafka that is silent. */
const patienceMs = 2_000;

/** The look for a job whose sources commit for this group. */
export function markerLook(
  {
    kafka,
    flink,
  }: {
    readonly kafka: Pick<KafkaAdmin, 'groupOffsets' | 'logRanges'>;
    readonly flink: Pick<FlinkJobs, 'list'>;
  },
  group: string,
): LookAtMarkers {
  return async (markers, flinkJobId, outer) => {
    const soon = AbortSignal.timeout(patienceMs);
    const signal = outer ? AbortSignal.any([outer, soon]) : soon;
    const partitions = markers.map(({ topic, partition }) => ({ topic, partition }));
    const [commits, ranges] = await Promise.all([
      kafka.groupOffsets(group, { signal }),
      kafka.logRanges(partitions, { signal }),
    ]);
    const jobs = await flink.list({ signal });
    return {
      group,
      running: jobs.some((job) => inFolders(job) === flinkJobId && job.state === 'RUNNING'),
      commits,
      ranges,
    };
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
 * group has committed, as long as no newer checkpoint is complete, by which the job commits what it has read since, nor
 * the job stopped with a savepoint, by which it does so, too (other savepoints commit nothing since Flink 1.15, FLIP-203);
 * with several Kafka sources nobody knows whose group it is. -2 stands for the log's start, which is the same as at the job's
 * start only where it is 0. -1, and what older connectors wrote, can't be known any more.
 */
export function resolveMarkers(
  states: Pick<KafkaStates, 'offsets'> & { readonly sources: { readonly size: number } },
  seen: Pick<SeenForMarkers, 'running' | 'commits' | 'ranges'>,
  newerComplete: boolean,
): ResolvedMarkers['splits'] {
  const ranges = new Map(seen.ranges.map((range) => [partitionKey(range), range]));
  const commits = new Map(seen.commits.map((commit) => [partitionKey(commit), commit.offset]));
  return markersOf(states).flatMap(({ topic, partition, offset: marker }) => {
    const key = partitionKey({ topic, partition });
    const range = ranges.get(key);
    const unchanged = states.sources.size === 1 && seen.running && !newerComplete;
    const committed = unchanged ? commits.get(key) : undefined;
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
