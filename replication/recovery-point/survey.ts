import type { LogRange } from '../../domain/offsets.ts';
import type { ReplicaProblem } from '../checkpoints/replica.ts';
import { type AssessedPoint, type AssessmentFacts, assessPoints } from './assess.ts';
import { recoveryViews } from './find.ts';
import type { GatherOptions } from './gather.ts';

/** What the replica holds of a job. */
export interface PointSurvey {
  /** Newest first. */
  readonly points: readonly AssessedPoint[];
  /** What lies there and is no checkpoint. */
  readonly problems: readonly ReplicaProblem[];
  /** Checkpoints that were not looked at, because a newer one is chosen. */
  readonly older: number;
}

/** Looks at a job's checkpoints as far back as a failover would, and at ten at least. Reads only. */
export async function surveyPoints(
  options: Omit<GatherOptions, 'limit' | 'skip'>,
  factsOf: (logRanges: readonly LogRange[]) => AssessmentFacts,
): Promise<PointSurvey> {
  const points: AssessedPoint[] = [];
  // Every part names again what is none.
  const problems = new Map<string, ReplicaProblem>();
  let older = 0;
  for await (const view of recoveryViews(options)) {
    points.push(...assessPoints(view, factsOf(view.logRanges), points));
    for (const problem of view.problems) problems.set(problem.key, problem);
    older = view.older;
    if (points.some((p) => p.verdict === 'chosen')) break;
  }
  return { points, problems: [...problems.values()], older };
}
