import { leaseMark } from '../../state/lease.ts';
import { refuseBlocked } from '../engine/failures.ts';
import type { RunEvent } from '../engine/run.ts';
import { type LocalProcesses, runUnderLease } from '../engine/under-lease.ts';
import type { Hook } from '../hooks/hook-steps.ts';
import type { Occasion } from '../occasion.ts';
import type { FailoverContext } from './context.ts';
import { evidence } from './failover-step.ts';
import { gatherPlanView } from './gather-plan-view.ts';
import type { Outage } from './outage.ts';
import { type FailoverPlan, planFailover } from './plan.ts';
import { type FailoverReport, failoverReport } from './report.ts';
import { failoverSteps } from './steps.ts';

export interface RunFailoverOptions {
  /** Everything but the lease's epoch, which is known once it is taken. */
  readonly context: Omit<FailoverContext, 'epoch'>;
  readonly outage: Outage;
  /** As it was shown to, and agreed to by, whoever started this. */
  readonly plan: FailoverPlan;
  /** `user@host`, process id. */
  readonly holder: string;
  readonly processes?: LocalProcesses | undefined;
  readonly occasion?: Occasion;
  /** What is called between the steps. */
  readonly hooks?: readonly Hook[];
  /** What looking and planning took, without the time in which a person was asked. */
  readonly preparedMs?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Called while another's lease is watched for signs of life. */
  readonly onWaiting?: (message: string) => void;
}

/** What a failover would do now, from fresh observations. Changes nothing, takes no lease. */
export async function prepareFailover(
  context: Omit<FailoverContext, 'epoch'>,
  outage: Outage,
  options: { readonly resumes?: string; readonly signal?: AbortSignal } = {},
): Promise<FailoverPlan> {
  const plannedAt = await leaseMark(context.state, options.signal === undefined ? {} : { signal: options.signal });
  const plan = planFailover(await gatherPlanView({ ...context, epoch: 0 }, outage, options));
  return { ...plan, leaseMark: plannedAt };
}

/**
 * Carries a plan out under the lease, and reports. A plan with blockers, and a lease that somebody else holds, are
 * `ArgusError` with exit code 3, before anything is changed; from then on nothing is thrown.
 */
export async function runFailover(options: RunFailoverOptions): Promise<FailoverReport> {
  const { context, plan, outage, signal } = options;
  const { state, clock, run } = context;
  refuseBlocked(plan);
  const view = {
    from: plan.from,
    to: plan.to,
    outage,
    topics: context.config.topics,
    jobs: context.jobs.map((j) => j.config.name),
    sighting: context.sighting,
    acceptOutputGap: context.acceptOutputGap === true,
    ...(context.lossLimit?.accepted === undefined ? {} : { acceptedLoss: context.lossLimit.accepted }),
    ...(options.preparedMs === undefined ? {} : { preparedMs: options.preparedMs }),
    ...(options.occasion?.reason === undefined ? {} : { reason: options.occasion.reason }),
  };
  const result = await runUnderLease({
    state,
    clock,
    run,
    holder: options.holder,
    processes: options.processes,
    ...(plan.leaseMark === undefined ? {} : { plannedAtLease: plan.leaseMark }),
    steps: failoverSteps(plan, context.drainMs, context.guard?.leaseMs),
    context: (epoch) => ({ ...context, epoch, ...(plan.resumes === undefined ? {} : { resumes: plan.resumes }) }),
    runbook: 'failover',
    hooks: { call: options.hooks ?? [], from: plan.from, to: plan.to },
    by: context.by,
    details: evidence({
      from: plan.from,
      to: plan.to,
      rolesEpoch: context.roles.epoch,
      outageAtMs: outage.atMs,
      outageSource: outage.source,
      outageEarliestAtMs: outage.earliestAtMs,
      acceptUnfenced: context.acceptUnfenced,
      acceptOutputGap: context.acceptOutputGap === true,
      acceptDataLoss: context.lossLimit?.accepted,
      ...options.occasion,
      preparedMs: options.preparedMs,
      resumes: plan.resumes,
      steps: plan.steps.map(({ id, title }) => ({ id, title })),
      warnings: plan.warnings,
    }),
    resumeHint: 'run `argus failover` again: it looks at what is done and goes on from there',
    report: (r) => evidence(failoverReport({ ...view, result: r })),
    ...(signal === undefined ? {} : { signal }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(options.onWaiting === undefined ? {} : { onWaiting: options.onWaiting }),
  });
  return failoverReport({ ...view, result });
}

/** How long a mirror may drain: while the primary is dark there is nothing to wait for. Pure. */
export const drainMsFor = (primaryAnswers: boolean): number => (primaryAnswers ? 10_000 : 0);
