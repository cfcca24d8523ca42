import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { type LogRange, type PartitionOffset, partitionKey, partitionsOf } from '../../domain/offsets.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { openReplica, type ReplicaProblem } from '../checkpoints/replica.ts';
import type { RecoveryPointView } from './choose.ts';
import type { SinkLogReader } from './sink-logs.ts';

/** A checkpoint's identity. */
export type PointName = Pick<CheckpointManifest, 'flinkJobId' | 'checkpointId'>;

export interface GatherOptions {
  /** The standby's. */
  readonly objects: ObjectStore;
  readonly kafka: KafkaAdmin;
  /** The mirrored topics. */
  readonly topics: readonly string[];
  /**
   * Where the mirror ended when it was frozen. What the standby's log holds above (a fence's marker) is not of the
   * primary; partitions that are not named count as they are.
   */
  readonly mirrorEnds?: readonly PartitionOffset[];
  /** A person took it upon himself that output of the jobs is missing on the standby; default false. */
  readonly acceptOutputGap?: boolean;
  /** Reads the sinks' topics on the standby; absent: how their transactions ended there is not looked at. */
  readonly sinkLogs?: SinkLogReader;
  /** Of the jobs that it names, nothing but this checkpoint is a candidate. */
  readonly only?: ReadonlyMap<string, PointName>;
  readonly signal?: AbortSignal;
}

export interface GatheredView extends RecoveryPointView {
  /** What lies on the replica and is no candidate; each part names again what the listing told. */
  readonly problems: readonly ReplicaProblem[];
  /** How many older checkpoints lie on the replica that were not looked at. */
  readonly older: number;
}

/**
 * A job's checkpoints on the replica, which is listed once, a part at a time, newest first: ten, and each time four
 * times as many as the time before. What `judgePoints` decides by, given what the standby's log holds.
 */
export async function* recoveryViews(
  options: Pick<GatherOptions, 'objects' | 'signal' | 'only'>,
  job: string,
  logRanges: readonly LogRange[],
): AsyncGenerator<GatheredView> {
  const replica = await openReplica(options.objects, job, options.signal ? { signal: options.signal } : {});
  const wanted = options.only?.get(job);
  for (let skip = 0, limit = 10; ; skip += limit, limit *= 4) {
    const { points, objects, problems, older } = await replica.read(skip, skip + limit, { hashMetadata: true });
    const candidates = wanted === undefined ? points : points.filter(({ manifest }) => isSame(manifest, wanted));
    yield { candidates, objects, problems, older, logRanges };
    if (older === 0) return;
  }
}

const isSame = (a: PointName, b: PointName) => a.flinkJobId === b.flinkJobId && a.checkpointId === b.checkpointId;

/** What the standby's log holds of the mirrored topics, as far as the mirror went. A topic that is missing has no ranges. */
export async function standbyRanges(options: Omit<GatherOptions, 'objects'>): Promise<readonly LogRange[]> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const topics = await options.kafka.describeTopics(options.topics, call);
  const partitions = partitionsOf(topics.values());
  const ranges = partitions.length === 0 ? [] : await options.kafka.logRanges(partitions, call);
  return boundedBy(ranges, options.mirrorEnds ?? []);
}

/** The ranges, none of which ends above the end that is named for its partition. Pure. */
export function boundedBy(ranges: readonly LogRange[], ends: readonly PartitionOffset[]): readonly LogRange[] {
  const bound = new Map(ends.map((end) => [partitionKey(end), end.offset]));
  return ranges.map((range) => {
    const end = bound.get(partitionKey(range));
    return end !== undefined && end < range.logEndOffset ? { ...range, logEndOffset: end } : range;
  });
}
