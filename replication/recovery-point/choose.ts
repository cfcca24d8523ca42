import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { byPartition, type LogRange, offsetFromJson, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { ObjectInfo } from '../../regions/objects/object-store.ts';
import { type FileProblem, newestFirst, type ReplicaPoint, verifyPoint } from '../checkpoints/replica.ts';
import type { JointRefusalCode } from './choose-jointly.ts';
import { type JudgedSinks, judgeSinks, type SinkRefusalCode, type SinkView } from './judge-sinks.ts';
import { indexRanges, type LogIndex } from './log-index.ts';
import type { PointOutput } from './point-output.ts';

export interface RecoveryPointView {
  /** In any order. */
  readonly candidates: readonly ReplicaPoint[];
  /** Every object of the replica, by key. */
  readonly objects: ReadonlyMap<string, Pick<ObjectInfo, 'sizeBytes' | 'etag'>>;
  /** What the standby's log holds of the mirrored topics, and means the same there as on the primary. */
  readonly logRanges: readonly LogRange[];
  /** Absent: of the job's sinks nothing is known. */
  readonly sinks?: SinkView;
}

export type RefusalCode =
  | SinkRefusalCode
  | FileProblem['code']
  /** For the sake of a job that writes what this one reads. */
  | JointRefusalCode
  /** The checkpoint names no Kafka source: where to go on reading is unknown. */
  | 'NoSourceOffsets'
  /** A marker stands in place of an offset: committed group offset, earliest or latest. */
  | 'SourceOffsetUnknown'
  | 'TopicNotMirrored'
  | 'PartitionNotMirrored'
  | 'SourceOffsetBeyondMirror'
  | 'SourceOffsetBeforeLogStart';

export interface Refusal {
  readonly flinkJobId: string;
  readonly checkpointId: number;
  readonly completedAtMs: number;
  /** Never empty; the first is the one to show where there is room for one. */
  readonly reasons: readonly { readonly code: RefusalCode; readonly message: string }[];
}

/** What a job reads again from one partition: offsets in [fromOffset, toOffset). */
export interface PartitionReplay extends TopicPartition {
  readonly fromOffset: bigint;
  readonly toOffset: bigint;
  readonly records: bigint;
}

export interface Replay {
  readonly records: bigint;
  /** Ordered by topic and partition. */
  readonly partitions: readonly PartitionReplay[];
}

export type RecoveryPointChoice =
  | {
      readonly kind: 'chosen';
      readonly point: CheckpointManifest;
      /** What readers on the standby miss of its sinks' output, and what they get twice; absent: nobody looked. */
      readonly output?: PointOutput;
      /** Records between the checkpoint and the end of the mirror, an upper bound where the log has control records. */
      readonly replay: Replay;
      /** Newer ones, newest first. */
      readonly rejected: readonly Refusal[];
    }
  | { readonly kind: 'none'; readonly rejected: readonly Refusal[] };

/** One checkpoint, looked at by itself. */
export interface JudgedPoint {
  readonly manifest: CheckpointManifest;
  /** Why it can't be used; empty: it can. */
  readonly reasons: Refusal['reasons'];
  /** Records between the checkpoint and the end of the mirror; of partitions whose offsets are refused nothing is in it. */
  readonly replay: Replay;
  readonly sinks: JudgedSinks;
  /** By what the standby's log shows; absent: nobody looked, as at points that aren't chosen. */
  readonly output?: PointOutput;
}

/**
 * The newest checkpoint that the standby can be started from: every file on the replica as it was copied, every source
 * offset inside the mirror. Pure. Each newer one is refused with its reasons.
 */
export function chooseRecoveryPoint(view: RecoveryPointView): RecoveryPointChoice {
  const points = [...judgePoints(view)];
  return choiceOf(
    points,
    points.find(({ reasons }) => reasons.length === 0),
  );
}

/** The choice of one of these points, newest first, or of none. Pure. */
export function choiceOf(points: readonly JudgedPoint[], chosen: JudgedPoint | undefined): RecoveryPointChoice {
  const newer = chosen === undefined ? points : points.slice(0, points.indexOf(chosen));
  const rejected = newer.map(({ manifest, reasons }): Refusal => {
    const { flinkJobId, checkpointId, completedAtMs } = manifest;
    return { flinkJobId, checkpointId, completedAtMs, reasons };
  });
  return chosen === undefined
    ? { kind: 'none', rejected }
    : {
        kind: 'chosen',
        point: chosen.manifest,
        ...(chosen.output === undefined ? {} : { output: chosen.output }),
        replay: chosen.replay,
        rejected,
      };
}

/** Every candidate by itself, newest first, each judged when it is asked for. Pure. */
export function* judgePoints(view: RecoveryPointView): Generator<JudgedPoint> {
  const log = indexRanges(view.logRanges);
  for (const candidate of [...view.candidates].sort((a, b) => newestFirst(a.manifest, b.manifest))) {
    const { manifest } = candidate;
    const offsets = judgeOffsets(manifest, log);
    const sinks = judgeSinks(manifest, view.sinks ?? { writes: [], acceptOutputGap: false }, log);
    const reasons = [...verifyPoint(candidate, view.objects), ...offsets.reasons, ...sinks.reasons];
    yield { manifest, reasons, replay: offsets.replay, sinks };
  }
}

const MARKERS: Readonly<Record<string, string>> = {
  '-1': 'the latest offset',
  '-2': 'the earliest offset',
  '-3': 'the committed offset of the group',
};

function judgeOffsets(
  manifest: CheckpointManifest,
  { partitions: ranges, topics }: LogIndex,
): { readonly reasons: Refusal['reasons']; readonly replay: Replay } {
  const reasons: { code: RefusalCode; message: string }[] = [];
  const partitions = new Map<string, PartitionReplay>();
  if (manifest.sourceOffsets.length === 0) {
    reasons.push({ code: 'NoSourceOffsets', message: 'the checkpoint holds no Kafka source offsets' });
  }
  for (const each of manifest.sourceOffsets.map(offsetFromJson)) {
    const key = partitionKey(each);
    const range = ranges.get(key);
    if (range === undefined) {
      const code = topics.has(each.topic) ? 'PartitionNotMirrored' : 'TopicNotMirrored';
      const what = topics.has(each.topic) ? `partition ${key}` : `topic ${each.topic}`;
      reasons.push({ code, message: `the job reads ${what}, which is not mirrored` });
    } else if (each.offset < 0n) {
      const marker = MARKERS[each.offset.toString()] ?? `the marker ${each.offset}`;
      const message = `${key}: the checkpoint holds ${marker} in place of an offset, nothing was read yet`;
      reasons.push({ code: 'SourceOffsetUnknown', message });
    } else if (each.offset > range.logEndOffset) {
      const message = `${key}: the job would go on at ${each.offset}, the mirror ends at ${range.logEndOffset}`;
      reasons.push({ code: 'SourceOffsetBeyondMirror', message });
    } else if (each.offset < range.logStartOffset) {
      const message = `${key}: the job would go on at ${each.offset}, the standby's log begins at ${range.logStartOffset}`;
      reasons.push({ code: 'SourceOffsetBeforeLogStart', message });
    } else {
      const before = partitions.get(key);
      const fromOffset = before !== undefined && before.fromOffset < each.offset ? before.fromOffset : each.offset;
      partitions.set(key, {
        topic: each.topic,
        partition: each.partition,
        fromOffset,
        toOffset: range.logEndOffset,
        records: range.logEndOffset - fromOffset,
      });
    }
  }
  const ordered = [...partitions.values()].sort(byPartition);
  return { reasons, replay: { records: ordered.reduce((sum, p) => sum + p.records, 0n), partitions: ordered } };
}
