import type { RunEvent, RunResult } from '../engine/run.ts';
import { takeBackRuns } from '../engine/take-back.ts';
import type { FailoverContext, FailoverFacts } from './context.ts';
import { evidence, failoverStepIds } from './failover-step.ts';
import { failoverSteps } from './steps.ts';

/** What taking a dead failover back needs. */
export interface AbortFailoverOptions {
  /** Everything but the lease's epoch; its roles are those that the dead runs were to change. */
  readonly context: Omit<FailoverContext, 'epoch'>;
  /** The open runs of this change of roles, the oldest first. */
  readonly dead: readonly string[];
  readonly holder: string;
  /** Recorded with `run-started`. */
  readonly occasion: object;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onWaiting?: (message: string) => void;
}

/**
 * Takes back what dead failovers have begun: the mirror goes on, rules that were made are removed. Refused past the
 * point of no return. The primary's jobs that they stopped stay stopped: only a person knows from where to start them.
 */
export async function abortFailover(options: AbortFailoverOptions): Promise<RunResult<FailoverFacts>> {
  const { context, dead, holder, occasion, ...rest } = options;
  const { state, clock, run, by, roles } = context;
  return takeBackRuns({
    ...rest,
    state,
    clock,
    run,
    holder,
    by,
    dead,
    purpose: 'abort failover',
    runbook: 'failover',
    steps: failoverSteps(
      { steps: failoverStepIds.map((id) => ({ id, title: id, manual: [] })), recoveryPoints: [] },
      0,
    ),
    context: (epoch) => ({ ...context, epoch, ...(dead[0] === undefined ? {} : { resumes: dead[0] }) }),
    details: evidence({ from: roles.primary, to: roles.standby, rolesEpoch: roles.epoch, ...occasion }) as Readonly<
      Record<string, ReturnType<typeof evidence>>
    >,
    resumeHint: 'run `argus runs abort` again: it takes back what is left; or `argus failover`, to go on instead',
  });
}
