import type { LogRange } from '../../domain/offsets.ts';
import { type AssessedPoint, type AssessmentFacts, assessPoints } from './assess.ts';
import { type AskedJob, type SeenJob, seeJobs } from './find.ts';
import type { GatherOptions } from './gather.ts';

/** What the replica holds of a job. */
export interface PointSurvey extends Pick<SeenJob, 'job' | 'problems' | 'older'> {
  /** Newest first. */
  readonly points: readonly AssessedPoint[];
}

/** Looks at all jobs' checkpoints as far back as a failover would, and at ten of each at least. Reads only. */
export async function surveyPoints(
  options: GatherOptions,
  jobs: readonly AskedJob[],
  factsOf: (logRanges: readonly LogRange[]) => AssessmentFacts,
): Promise<readonly PointSurvey[]> {
  const seen = await seeJobs(options, jobs);
  return seen.map((each) => {
    const { job, problems, older } = each;
    return { job, points: assessPoints(each, factsOf(each.logRanges)), problems, older };
  });
}
