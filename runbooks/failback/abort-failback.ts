import type { RunResult } from '../engine/run.ts';
import { type AbortOptions, abortRuns } from '../failover/abort-runs.ts';
import type { FailbackContext, FailbackFacts } from './context.ts';
import { failbackStepIds } from './plan.ts';
import { failbackSteps } from './steps.ts';

/**
 * Ends what dead failbacks have begun: nothing of it has to be taken back. What was kept stays kept, and the old primary
 * stays stopped and fenced, as a region without the role has to be. Refused past the point of no return.
 */
export async function abortFailback(
  options: AbortOptions<Omit<FailbackContext, 'epoch'>>,
): Promise<RunResult<FailbackFacts>> {
  const { context } = options;
  const steps = failbackStepIds.map((id) => ({ id, title: id, manual: [] }));
  return abortRuns(options, {
    runbook: 'failback',
    steps: failbackSteps({ steps }),
    context: ({ epoch }) => ({ ...context, epoch }),
  });
}
