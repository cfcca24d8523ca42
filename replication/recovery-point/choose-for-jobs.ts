import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { offsetFromJson, type PartitionOffset } from '../../domain/offsets.ts';
import type { JudgedPoint } from './choose.ts';
import { chooseJointly, type JointCandidate, type JointRefusal } from './choose-jointly.ts';

/** What a job that runs already was restored from. */
export type RestoredPoint = Pick<JointCandidate, 'flinkJobId' | 'checkpointId' | 'completedAtMs' | 'sourceOffsets'>;

/** A job with its checkpoints, each judged by itself. */
export interface JobPoints {
  readonly job: string;
  /** Topics that its exactly-once sinks write. */
  readonly writes: readonly string[];
  /** Newest first. */
  readonly points: readonly JudgedPoint[];
  /** It runs already, restored from this one: nothing else is possible. */
  readonly restored?: RestoredPoint;
}

/** What a job is restored from. */
export interface JobChoice {
  /** Newest first; what is refused for the sake of other jobs has that among its reasons. */
  readonly points: readonly JudgedPoint[];
  /** Undefined: none of the points is usable. */
  readonly chosen: JudgedPoint | undefined;
  /** No checkpoint was left, or one's output was not known: older ones could change the choice. */
  readonly wantsOlder: boolean;
}

interface Candidate extends JointCandidate {
  readonly judged: JudgedPoint | undefined;
}

/**
 * The newest checkpoint of each job that is usable by itself and goes with those of the jobs that write what it reads.
 * Pure; by the job's name.
 */
export function chooseForJobs(jobs: readonly JobPoints[]): ReadonlyMap<string, JobChoice> {
  const choice = chooseJointly(
    jobs.map(({ job, writes, points, restored }) => ({
      job,
      writes,
      candidates: restored === undefined ? points.map(candidateOf) : [restoredCandidate(restored, points)],
    })),
  );
  const refusals = new Map<string, JointRefusal[]>();
  for (const refusal of choice.rejected) {
    const key = keyOf(refusal.job, refusal);
    refusals.set(key, [...(refusals.get(key) ?? []), refusal]);
  }
  const unknown = new Set(choice.rejected.map((r) => (r.code === 'WriterOutputUnknown' ? r.writer : undefined)));
  return new Map(
    jobs.map(({ job, points }) => {
      const chosen = choice.points.get(job)?.judged;
      const told = points.map((point): JudgedPoint => {
        const more = refusals.get(keyOf(job, point.manifest)) ?? [];
        const reasons = more.map(({ code, message }) => ({ code, message }));
        return more.length === 0 ? point : { ...point, reasons: [...point.reasons, ...reasons] };
      });
      return [job, { points: told, chosen, wantsOlder: !choice.points.has(job) || unknown.has(job) }];
    }),
  );
}

function candidateOf(judged: JudgedPoint): Candidate {
  const { manifest, reasons } = judged;
  return {
    flinkJobId: manifest.flinkJobId,
    checkpointId: manifest.checkpointId,
    completedAtMs: manifest.completedAtMs,
    refused: reasons.length > 0,
    sourceOffsets: manifest.sourceOffsets.map(offsetFromJson),
    outputEnds: outputEnds(manifest),
    judged,
  };
}

/** What the replica says of it still counts, were it refused now or not. */
function restoredCandidate(restored: RestoredPoint, points: readonly JudgedPoint[]): Candidate {
  const judged = points.find(
    ({ manifest }) => manifest.flinkJobId === restored.flinkJobId && manifest.checkpointId === restored.checkpointId,
  );
  if (judged !== undefined) return { ...candidateOf(judged), refused: false };
  return { ...restored, refused: false, outputEnds: [], judged };
}

/**
 * Where the output ended that was committed with the checkpoint: below the last stable offsets, as they were while no
 * newer checkpoint was complete. Whatever was seen later is no such end, and so unknown.
 */
function outputEnds({ sinkEnds }: CheckpointManifest): readonly PartitionOffset[] {
  if (sinkEnds === undefined || sinkEnds.newerComplete) return [];
  return sinkEnds.partitions.map(({ topic, partition, stableOffset }) => {
    return { topic, partition, offset: BigInt(stableOffset) };
  });
}

const keyOf = (job: string, { flinkJobId, checkpointId }: Pick<JointRefusal, 'flinkJobId' | 'checkpointId'>) =>
  `${flinkJobId}-${checkpointId}-${job}`;
