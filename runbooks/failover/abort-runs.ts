import type { Json } from '../../state/journal.ts';
import type { RunEvent, RunResult } from '../engine/run.ts';
import { type TakeBack, takeBackRuns } from '../engine/take-back.ts';
import type { LocalProcesses } from '../engine/under-lease.ts';
import type { FailoverContext } from './context.ts';
import { evidence } from './failover-step.ts';

/** What taking a dead change of roles back needs. */
export interface AbortOptions<C> {
  /** Everything but the lease's epoch; its roles are those that the dead runs were to change. */
  readonly context: C;
  /** The open runs of this change of roles, the oldest first. */
  readonly dead: readonly string[];
  readonly holder: string;
  readonly processes?: LocalProcesses | undefined;
  /** Recorded with `run-started`. */
  readonly occasion: object;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onWaiting?: (message: string) => void;
}

/** What differs from runbook to runbook. */
interface Aborted<C, F> extends Pick<TakeBack<C, F>, 'steps'> {
  readonly runbook: 'failover' | 'switchover' | 'failback';
  readonly context: (added: { readonly epoch: number; readonly resumes?: string }) => C;
}

/** Takes back what dead runs of a change of roles have begun. Refused past the point of no return. */
export async function abortRuns<C, F>(
  options: AbortOptions<Pick<FailoverContext, 'state' | 'clock' | 'run' | 'by' | 'roles'>>,
  { runbook, steps, context: contextOf }: Aborted<C, F>,
): Promise<RunResult<F>> {
  const { context, dead, holder, occasion, ...rest } = options;
  const { state, clock, run, by, roles } = context;
  const details = { from: roles.primary, to: roles.standby, rolesEpoch: roles.epoch, ...occasion };
  return takeBackRuns({
    ...rest,
    state,
    clock,
    run,
    holder,
    by,
    dead,
    purpose: `abort ${runbook}`,
    runbook,
    steps,
    context: (epoch) => contextOf({ epoch, ...(dead[0] === undefined ? {} : { resumes: dead[0] }) }),
    details: evidence(details) as Readonly<Record<string, Json>>,
    resumeHint: `run \`argus runs abort\` again: it takes back what is left; or \`argus ${runbook}\`, to go on instead`,
  });
}
