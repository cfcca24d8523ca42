import { type LogRange, type PartitionOffset, partitionKey, partitionsOf } from '../../domain/offsets.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { listReplica, type ReplicaProblem } from '../checkpoints/replica.ts';
import type { RecoveryPointView } from './choose.ts';

export interface GatherOptions {
  /** The standby's. */
  readonly objects: ObjectStore;
  readonly kafka: KafkaAdmin;
  readonly job: string;
  /** The mirrored topics. */
  readonly topics: readonly string[];
  /**
   * Where the mirror ended when it was frozen. What the standby's log holds above (a fence's marker) is not of the
   * primary; partitions that are not named count as they are.
   */
  readonly mirrorEnds?: readonly PartitionOffset[];
  /** How many checkpoints are looked at; default 10. */
  readonly limit?: number;
  /** How many of the newest are passed over; default none. */
  readonly skip?: number;
  readonly signal?: AbortSignal;
}

export interface GatheredView extends RecoveryPointView {
  /** What lies on the replica and is no candidate. */
  readonly problems: readonly ReplicaProblem[];
  /** How many older checkpoints lie on the replica that were not looked at. */
  readonly older: number;
}

/** Reads from the standby's stores what `chooseRecoveryPoint` decides by. A topic that is missing has no ranges. */
export async function gatherRecoveryView(options: GatherOptions): Promise<GatheredView> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const [replica, logRanges] = await Promise.all([
    listReplica(options.objects, options.job, {
      ...call,
      limit: options.limit ?? 10,
      skip: options.skip ?? 0,
      hashMetadata: true,
    }),
    standbyRanges(options, call),
  ]);
  return {
    candidates: replica.points,
    objects: replica.objects,
    problems: replica.problems,
    older: replica.older,
    logRanges: boundedBy(logRanges, options.mirrorEnds ?? []),
  };
}

async function standbyRanges(
  options: GatherOptions,
  call: { readonly signal?: AbortSignal },
): Promise<readonly LogRange[]> {
  const topics = await options.kafka.describeTopics(options.topics, call);
  const partitions = partitionsOf(topics.values());
  return partitions.length === 0 ? [] : options.kafka.logRanges(partitions, call);
}

/** The ranges, none of which ends above the end that is named for its partition. Pure. */
export function boundedBy(ranges: readonly LogRange[], ends: readonly PartitionOffset[]): readonly LogRange[] {
  const bound = new Map(ends.map((end) => [partitionKey(end), end.offset]));
  return ranges.map((range) => {
    const end = bound.get(partitionKey(range));
    return end !== undefined && end < range.logEndOffset ? { ...range, logEndOffset: end } : range;
  });
}
