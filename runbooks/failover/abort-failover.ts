import type { RunResult } from '../engine/run.ts';
import { type AbortOptions, abortRuns } from './abort-runs.ts';
import type { FailoverContext, FailoverFacts } from './context.ts';
import { failoverStepIds } from './failover-step.ts';
import { failoverSteps } from './steps.ts';

/**
 * Takes back what dead failovers have begun: the mirror goes on, rules that were made are removed. Refused past the
 * point of no return. The primary's jobs that they stopped stay stopped: only a person knows from where to start them.
 */
export async function abortFailover(
  options: AbortOptions<Omit<FailoverContext, 'epoch'>>,
): Promise<RunResult<FailoverFacts>> {
  const { context } = options;
  const steps = failoverStepIds.map((id) => ({ id, title: id, manual: [] }));
  return abortRuns(options, {
    runbook: 'failover',
    steps: failoverSteps({ steps, recoveryPoints: [] }, 0),
    context: (added) => ({ ...context, ...added }),
  });
}
