import { leaseMark } from '../../state/lease.ts';
import { refuseBlocked } from '../engine/failures.ts';
import type { RunEvent } from '../engine/run.ts';
import { type LocalProcesses, runUnderLease } from '../engine/under-lease.ts';
import { evidence } from '../failover/failover-step.ts';
import { gatherPlanView } from '../failover/gather-plan-view.ts';
import type { Hook } from '../hooks/hook-steps.ts';
import type { Occasion } from '../occasion.ts';
import { readUsualTimes } from '../plan/durations.ts';
import type { SwitchoverContext } from './context.ts';
import { planSwitchover, type SwitchoverPlan } from './plan.ts';
import { gatherReadiness } from './readiness.ts';
import { type SwitchoverReport, switchoverReport } from './report.ts';
import { switchoverSteps } from './steps.ts';
import { startedThere } from './switchover-step.ts';

export interface RunSwitchoverOptions {
  /** Everything but the lease's epoch, which is known once it is taken. */
  readonly context: Omit<SwitchoverContext, 'epoch'>;
  /** As it was shown to, and agreed to by, whoever started this. */
  readonly plan: SwitchoverPlan;
  readonly occasion?: Occasion;
  /** What is called between the steps. */
  readonly hooks?: readonly Hook[];
  /** `user@host`, process id. */
  readonly holder: string;
  readonly processes?: LocalProcesses | undefined;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Called while another's lease is watched for signs of life. */
  readonly onWaiting?: (message: string) => void;
}

/** What a switchover would do now, from fresh observations. Changes nothing, takes no lease. */
export async function prepareSwitchover(
  context: Omit<SwitchoverContext, 'epoch'>,
  options: { readonly resumes?: string; readonly signal?: AbortSignal } = {},
): Promise<SwitchoverPlan> {
  const outer = options.signal ?? new AbortController().signal;
  const signal = AbortSignal.any([outer, AbortSignal.timeout(20_000)]);
  const full = { ...context, epoch: 0 };
  const outage = { atMs: context.clock.now(), source: 'run-start' as const };
  const plannedAt = await leaseMark(context.state, { signal });
  const [failover, readiness, started, usualTimes] = await Promise.all([
    gatherPlanView(full, outage, options),
    gatherReadiness(full, signal),
    startedThere(full, signal).catch(() => 'none' as const),
    // What can't be read is left out: it is for people.
    readUsualTimes(context.state, 'switchover', { signal }).catch(() => new Map()),
  ]);
  outer.throwIfAborted();
  return { ...planSwitchover({ context, readiness, failover, started, usualTimes }), leaseMark: plannedAt };
}

/**
 * Carries a plan out under the lease, and reports. A plan with blockers, and a lease that somebody else holds, are
 * `ArgusError` with exit code 3, before anything is changed; from then on nothing is thrown.
 */
export async function runSwitchover(options: RunSwitchoverOptions): Promise<SwitchoverReport> {
  const { context, plan, signal, occasion } = options;
  const { state, clock, run } = context;
  refuseBlocked(plan);
  const reason = occasion?.reason;
  const view = { from: plan.from, to: plan.to, ...(reason === undefined ? {} : { reason }) };
  const steps = switchoverSteps(plan, { drainMs: context.drainMs, catchUpMs: context.catchUpMs });
  const waitsFor = new Map(steps.map((step) => [step.id, step.waitsFor]));
  const result = await runUnderLease({
    state,
    clock,
    run,
    holder: options.holder,
    processes: options.processes,
    ...(plan.leaseMark === undefined ? {} : { plannedAtLease: plan.leaseMark }),
    steps,
    context: (epoch) => ({ ...context, epoch, ...(plan.resumes === undefined ? {} : { resumes: plan.resumes }) }),
    runbook: 'switchover',
    hooks: { call: options.hooks ?? [], from: plan.from, to: plan.to },
    by: context.by,
    details: evidence({
      from: plan.from,
      to: plan.to,
      rolesEpoch: context.roles.epoch,
      producersStopped: context.producersStopped,
      ...occasion,
      resumes: plan.resumes,
      steps: plan.steps.map(({ id, title }) => ({ id, title, waitsFor: waitsFor.get(id) })),
      warnings: plan.warnings,
    }),
    resumeHint: 'run `argus switchover` again: it looks at what is done and goes on from there',
    report: (r) => evidence(switchoverReport(r, view)),
    ...(signal === undefined ? {} : { signal }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(options.onWaiting === undefined ? {} : { onWaiting: options.onWaiting }),
  });
  return switchoverReport(result, view);
}
