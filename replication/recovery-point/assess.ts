import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { byPartition, offsetFromJson, type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import type { TopicLoss } from '../topics/estimate-loss.ts';
import { judgePoints, type RecoveryPointView, type Refusal, type RefusalCode, type Replay } from './choose.ts';
import { estimateRestoreMs, type RestoreRates } from './estimate-restore.ts';

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
  /** From the start of the job until it has caught up with the mirror; null for a refused one. */
  readonly restoreMs: number | null;
}

export interface AssessmentFacts {
  readonly nowMs: number;
  /** By topic: what the standby lacks. A topic without an entry is unknown. */
  readonly losses: Readonly<Record<string, TopicLoss>>;
  readonly rates: RestoreRates;
}

/**
 * All candidates of a job, newest first, with the same verdicts as `chooseRecoveryPoint`. Pure. Of a replica that is
 * looked at in parts, `newer` are those of the parts before.
 */
export function assessPoints(
  view: RecoveryPointView,
  facts: AssessmentFacts,
  newer: readonly AssessedPoint[] = [],
): readonly AssessedPoint[] {
  const ranges = new Map(view.logRanges.map((range) => [partitionKey(range), range]));
  let chosen = newer.find((p) => p.verdict === 'chosen')?.manifest;
  const assessed: AssessedPoint[] = [];
  for (const { manifest, reasons, replay } of judgePoints(view)) {
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
    };
    if (reasons.length > 0) assessed.push({ ...common, verdict: 'refused', reasons, replay: null, restoreMs: null });
    else {
      const restoreMs = estimateRestoreMs(facts.rates, { stateBytes, replayRecords: replay.records });
      const verdict = chosen === undefined ? 'chosen' : 'older';
      assessed.push({ ...common, verdict, reasons: chosen ? [newerIsUsable(chosen)] : [], replay, restoreMs });
      chosen ??= manifest;
    }
  }
  return assessed;
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
