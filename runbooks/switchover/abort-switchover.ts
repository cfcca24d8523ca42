import type { Json } from '../../state/journal.ts';
import type { RunEvent, RunResult } from '../engine/run.ts';
import { takeBackRuns } from '../engine/take-back.ts';
import { evidence } from '../failover/failover-step.ts';
import type { SwitchoverContext, SwitchoverFacts } from './context.ts';
import { switchoverSteps } from './steps.ts';
import { switchoverStepIds } from './switchover-step.ts';

/** What taking a dead switchover back needs. */
export interface AbortSwitchoverOptions {
  /** Everything but the lease's epoch; its roles are those that the dead runs were to change. */
  readonly context: Omit<SwitchoverContext, 'epoch'>;
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
 * Takes back what dead switchovers have begun: the jobs run on the primary again, from their savepoints, its producers
 * may write, and the mirror goes on. Refused past the point of no return.
 */
export async function abortSwitchover(options: AbortSwitchoverOptions): Promise<RunResult<SwitchoverFacts>> {
  const { context, dead, holder, occasion, ...rest } = options;
  const { state, clock, run, by, roles, drainMs, catchUpMs } = context;
  const steps = switchoverStepIds.map((id) => ({ id, title: id, manual: [] }));
  const details = { from: roles.primary, to: roles.standby, rolesEpoch: roles.epoch, ...occasion };
  return takeBackRuns({
    ...rest,
    state,
    clock,
    run,
    holder,
    by,
    dead,
    purpose: 'abort switchover',
    runbook: 'switchover',
    steps: switchoverSteps({ steps }, { drainMs, catchUpMs }),
    context: (epoch) => ({ ...context, epoch, ...(dead[0] === undefined ? {} : { resumes: dead[0] }) }),
    details: evidence(details) as Readonly<Record<string, Json>>,
    resumeHint: 'run `argus runs abort` again: it takes back what is left; or `argus switchover`, to go on instead',
  });
}
