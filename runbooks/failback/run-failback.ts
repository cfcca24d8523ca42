import type { PartitionOffsetJson } from '../../domain/offsets.ts';
import type { Divergence } from '../../replication/orphans/divergence.ts';
import type { Failure } from '../../state/journal.ts';
import { leaseMark } from '../../state/lease.ts';
import type { Rescued } from '../../state/rescued.ts';
import { refuseBlocked, toFailure } from '../engine/failures.ts';
import type { RunEvent, RunResult } from '../engine/run.ts';
import { type ReportedStep, reportedSteps } from '../engine/run-result.ts';
import { type LocalProcesses, runUnderLease } from '../engine/under-lease.ts';
import { evidence } from '../failover/failover-step.ts';
import type { Hook } from '../hooks/hook-steps.ts';
import type { Occasion } from '../occasion.ts';
import type { FailbackContext, FailbackFacts } from './context.ts';
import { type FailbackPlan, failbackRefusal, planFailback } from './plan.ts';
import { failbackSteps } from './steps.ts';

/** As the journal names it. */
export const failbackRunbook = 'failback';

/** What of one topic is kept since the promotion. Counts are exact: what was kept was read back and compared. */
export interface FailedBackTopic {
  /** Records that only the old primary had. */
  readonly orphans: number;
  /** Of these, in transactions that were aborted. */
  readonly aborted: number;
  /** Of these, in transactions that nobody ended. */
  readonly open: number;
  /** Records that the active side had deleted. */
  readonly older: number;
  readonly where: string;
  /** Offsets of orphans that the old primary had deleted by itself before they could be kept. */
  readonly gone: readonly { readonly partition: number; readonly from: string; readonly to: string }[];
}

/** What a failback did and found. JSON; later versions only add to it. */
export interface FailbackReport {
  readonly run: string;
  readonly epoch: number;
  readonly outcome: RunResult<FailbackFacts>['outcome'];
  /** The old primary. */
  readonly region: string;
  readonly active: string;
  /** The roles epoch of the promotion that left the orphans behind. */
  readonly promotion: number;
  readonly steps: readonly ReportedStep[];
  /** Partitions by how they stood. */
  readonly divergence: Readonly<Record<string, number>>;
  readonly topics: Readonly<Record<string, FailedBackTopic>>;
  readonly orphans: number;
  readonly begunAnew: readonly string[];
  readonly promotedAt: readonly PartitionOffsetJson[];
  /** True: nobody saw the old primary's jobs stopped, and a person accepted that. */
  readonly unfenced: boolean;
  /** How far it was seen that its Kafka takes no writes; `none`: it has no fence. Null: not looked at. */
  readonly kafkaFenced: FailbackFacts['kafkaFenced'] | null;
  /** The roles under which is mirrored back; null: not reached. */
  readonly rolesEpoch: number | null;
  readonly reason?: string;
  readonly pastReturn: boolean;
  readonly error?: Failure;
}

type Prepared = Omit<FailbackContext, 'epoch'>;

/** What a failback would do now, from fresh observations. Changes nothing, takes no lease. */
export async function prepareFailback(context: Prepared, signal: AbortSignal): Promise<FailbackPlan> {
  const refusal = failbackRefusal(context.roles);
  if (refusal) return planFailback(context, refusal);
  const plannedAt = await leaseMark(context.state, { signal });
  try {
    return { ...planFailback(context, await context.findDivergence(signal)), leaseMark: plannedAt };
  } catch (error) {
    signal.throwIfAborted();
    const failure = toFailure(error);
    const message = `what ${context.standby.name} and ${context.primary.name} hold can't be compared: ${failure.message}`;
    const hint = failure.hint ?? `bring ${context.standby.name}'s Kafka back, cut off from its clients, and try again`;
    return planFailback(context, { code: failure.code, message, hint });
  }
}

export interface RunFailbackOptions {
  /** Everything but the lease's epoch, which is known once it is taken. */
  readonly context: Prepared;
  /** As it was shown to, and agreed to by, whoever started this. */
  readonly plan: FailbackPlan;
  /** `user@host`, process id. */
  readonly holder: string;
  readonly processes?: LocalProcesses | undefined;
  readonly occasion?: Occasion;
  /** What is called between the steps. */
  readonly hooks?: readonly Hook[];
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Called while another's lease is watched for signs of life. */
  readonly onWaiting?: (message: string) => void;
}

/**
 * Carries a plan out under the lease, and reports. A plan with blockers, and a lease that somebody else holds, are
 * `ArgusError` with exit code 3, before anything is changed; from then on nothing is thrown.
 */
export async function runFailback(options: RunFailbackOptions): Promise<FailbackReport> {
  const { context, plan, signal, occasion } = options;
  const { state, clock, run } = context;
  refuseBlocked(plan);
  const report = (result: RunResult<FailbackFacts>) => failbackReport(context, plan, result, occasion?.reason);
  const result = await runUnderLease<FailbackContext, FailbackFacts>({
    ...(plan.leaseMark === undefined ? {} : { plannedAtLease: plan.leaseMark }),
    steps: failbackSteps(plan),
    context: (epoch) => ({ ...context, epoch }),
    runbook: failbackRunbook,
    hooks: { call: options.hooks ?? [], from: plan.active, to: plan.region },
    by: context.by,
    details: evidence({
      from: plan.active,
      to: plan.region,
      rolesEpoch: context.roles.epoch,
      acceptUnfenced: context.acceptUnfenced,
      keepIn: context.keepIn,
      ...occasion,
      steps: plan.steps.map(({ id, title }) => ({ id, title })),
    }),
    state,
    clock,
    run,
    holder: options.holder,
    processes: options.processes,
    resumeHint: 'run `argus failback` again: it looks at what is done and goes on from there',
    report: (r) => evidence(report(r)),
    ...(signal === undefined ? {} : { signal }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(options.onWaiting === undefined ? {} : { onWaiting: options.onWaiting }),
  });
  return report(result);
}

/** The report of a run, whether it ended well or not. Pure. */
function failbackReport(
  context: Prepared,
  plan: FailbackPlan,
  result: RunResult<FailbackFacts>,
  reason: string | undefined,
): FailbackReport {
  const { facts } = result;
  const topics = Object.entries(facts.rescued?.topics ?? {}).map(([name, t]) => [name, topicReport(t)] as const);
  return {
    run: result.run,
    epoch: result.epoch,
    outcome: result.outcome,
    region: plan.region,
    active: plan.active,
    promotion: plan.promotion,
    steps: reportedSteps(result.steps),
    divergence: countKinds(facts.found ?? []),
    topics: Object.fromEntries(topics),
    orphans: topics.reduce((n, [, t]) => n + t.orphans, 0),
    begunAnew: facts.begunAnew ?? [],
    promotedAt: context.roles.promotedAt ?? [],
    unfenced: facts.oldJobsStopped === false,
    kafkaFenced: facts.kafkaFenced ?? null,
    rolesEpoch: facts.rolesEpoch ?? null,
    ...(reason === undefined ? {} : { reason }),
    pastReturn: result.pastReturn,
    ...(result.error === undefined ? {} : { error: result.error }),
  };
}

function countKinds(found: readonly Divergence[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(found, (d) => d.kind)].map(([kind, list]) => [kind, list.length]));
}

function topicReport({ partitions, where }: Rescued['topics'][string]): FailedBackTopic {
  const sum = (pick: (p: (typeof partitions)[number]) => bigint) =>
    Number(partitions.reduce((n, p) => n + pick(p), 0n));
  return {
    orphans: sum((p) => p.orphans),
    aborted: sum((p) => p.aborted),
    open: sum((p) => p.open),
    older: sum((p) => p.older),
    where,
    gone: partitions.flatMap(({ partition, gone }) =>
      gone === undefined ? [] : [{ partition, from: gone.from.toString(), to: gone.to.toString() }],
    ),
  };
}
