import type { RunResult } from '../engine/run.ts';
import { type AbortOptions, abortRuns } from '../failover/abort-runs.ts';
import type { SwitchoverContext, SwitchoverFacts } from './context.ts';
import { switchoverSteps } from './steps.ts';
import { switchoverStepIds } from './switchover-step.ts';

/**
 * Takes back what dead switchovers have begun: the jobs run on the primary again, from their savepoints, its producers
 * may write, and the mirror goes on. Refused past the point of no return.
 */
export async function abortSwitchover(
  options: AbortOptions<Omit<SwitchoverContext, 'epoch'>>,
): Promise<RunResult<SwitchoverFacts>> {
  const { context } = options;
  const { drainMs, catchUpMs } = context;
  const steps = switchoverStepIds.map((id) => ({ id, title: id, manual: [] }));
  return abortRuns(options, {
    runbook: 'switchover',
    steps: switchoverSteps({ steps }, { drainMs, catchUpMs }),
    context: (added) => ({ ...context, ...added }),
  });
}
