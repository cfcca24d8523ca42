import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { byPartition, offsetFromJson, type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import { estimateCopyMs } from '../checkpoints/restore-copy.ts';
import type { TopicLoss } from '../topics/estimate-loss.ts';
import type { Refusal, RefusalCode, Replay } from './choose.ts';
import { estimateRestoreMs, type RestoreRates } from './estimate-restore.ts';
import type { SeenJob } from './find.ts';
import type { SinkNote } from './judge-sinks.ts';
import type { PointOutput } from './point-output.ts';

/** Where a job would go on reading, and what the standby holds there. */
export interface AssessedSource extends PartitionOffset {
  /** Null: the partition is not mirrored. */
  readonly logStartOffset: bigint | null;
  /** Exclusive. */
  readonly logEndOffset: bigint | null;
}

/** What the primary has of the job's source topics and the standby lacks. Null: nobody can tell. */
export interface PointLoss {
  readonly records: number | null;
  readonly ms: number | null;
}

/** A checkpoint of the replica with all that speaks for and against it. */
export interface AssessedPoint {
  readonly manifest: CheckpointManifest;
  /** `older`: it could be used, and a newer one is. */
  readonly verdict: 'chosen' | 'older' | 'refused';
  /** Why it is not chosen; empty exactly for the chosen one. */
  readonly reasons: readonly { readonly code: RefusalCode | 'NewerIsUsable'; readonly message: string }[];
  readonly ageMs: number;
  /** Files and `_metadata`. */
  readonly stateBytes: number;
  /** Ordered by topic and partition. */
  readonly sources: readonly AssessedSource[];
  /** Null for a refused one: it is not known where it would go on. */
  readonly replay: Replay | null;
  readonly rpo: PointLoss;
  /** What can't be verified of its sinks. */
  readonly notes: readonly SinkNote[];
  /** What readers on the standby miss and get twice of its sinks' output; only of the chosen one. */
  readonly output?: PointOutput;
  /** From the start of the job, or of its copy, until it has caught up with the mirror; null for a refused one. */
  readonly restoreMs: number | null;
}

export interface AssessmentFacts {
  readonly nowMs: number;
  /** By topic: what the standby lacks. A topic without an entry is unknown. */
  readonly losses: Readonly<Record<string, TopicLoss>>;
  readonly rates: RestoreRates;
}

/** What was looked at of a job, newest first, with the same verdicts as a failover's. Pure. */
export function assessPoints(
  seen: Pick<SeenJob, 'points' | 'chosen' | 'logRanges'>,
  facts: AssessmentFacts,
): readonly AssessedPoint[] {
  const ranges = new Map(seen.logRanges.map((range) => [partitionKey(range), range]));
  const { chosen } = seen;
  return seen.points.map((point): AssessedPoint => {
    const { manifest, reasons, replay, sinks, output } = point;
    const sources = manifest.sourceOffsets
      .map(offsetFromJson)
      .sort(byPartition)
      .map((source) => {
        const range = ranges.get(partitionKey(source));
        const { logStartOffset = null, logEndOffset = null } = range ?? {};
        return { ...source, logStartOffset, logEndOffset };
      });
    const stateBytes = manifest.files.reduce((sum, file) => sum + file.sizeBytes, manifest.metadata.sizeBytes);
    const common = {
      manifest,
      ageMs: Math.max(0, facts.nowMs - manifest.completedAtMs),
      stateBytes,
      sources,
      rpo: lossOf(sources, facts.losses),
      notes: output?.notes ?? sinks.notes,
      ...(output === undefined ? {} : { output }),
    };
    if (reasons.length > 0) return { ...common, verdict: 'refused', reasons, replay: null, restoreMs: null };
    const copyMs = manifest.needsClaim ? estimateCopyMs({ files: manifest.files.length, bytes: stateBytes }) : 0;
    const restoreMs = copyMs + estimateRestoreMs(facts.rates, { stateBytes, replayRecords: replay.records });
    return chosen === undefined || point === chosen
      ? { ...common, verdict: 'chosen', reasons: [], replay, restoreMs }
      : { ...common, verdict: 'older', reasons: [newerIsUsable(chosen.manifest)], replay, restoreMs };
  });
}

/** The refused ones in the words of a failover. Pure. */
export function refusalsOf(points: readonly AssessedPoint[]): readonly Pick<Refusal, 'checkpointId' | 'reasons'>[] {
  return points
    .filter((p) => p.verdict === 'refused')
    .map((p) => ({ checkpointId: p.manifest.checkpointId, reasons: p.reasons as Refusal['reasons'] }));
}

const newerIsUsable = ({ checkpointId }: CheckpointManifest) => ({
  code: 'NewerIsUsable' as const,
  message: `it could be used; checkpoint ${checkpointId} is newer`,
});

function lossOf(sources: readonly PartitionOffset[], losses: AssessmentFacts['losses']): PointLoss {
  const topics = [...new Set(sources.map((s) => s.topic))];
  const each = topics.map((topic) => losses[topic]);
  const all = (values: readonly (number | null | undefined)[]): readonly number[] | undefined => {
    const known = values.filter((value) => typeof value === 'number');
    return known.length > 0 && known.length === values.length ? known : undefined;
  };
  const records = all(each.map((loss) => loss?.estimatedRecords));
  const ms = all(each.map((loss) => loss?.ms));
  return {
    records: records?.reduce((sum, n) => sum + n, 0) ?? null,
    ms: ms === undefined ? null : Math.max(...ms),
  };
}
