import type { RunEvent } from '../engine/run.ts';
import { type LocalProcesses, runUnderLease } from '../engine/under-lease.ts';
import type { FailoverContext } from '../failover/context.ts';
import { evidence, type FailoverStep } from '../failover/failover-step.ts';
import { type FailoverReport, failoverReport } from '../failover/report.ts';
import { endTransactions } from '../failover/steps/end-transactions.ts';
import { freezeMirror } from '../failover/steps/freeze-mirror.ts';
import { promote } from '../failover/steps/promote.ts';
import { releaseAcls } from '../failover/steps/release-acls.ts';
import { sealMirror } from '../failover/steps/seal-mirror.ts';

/** As the journal names it; `argus mirror promote` goes on only with runs of its own. */
export const promotionRunbook = 'promote';

/** A promotion of the standby's Kafka alone. What a failover's report says of jobs and names stays empty. */
export interface PromotionReport extends FailoverReport {
  /** The standby had every record of the primary when the mirror stopped. */
  readonly drained: boolean;
  /** Transactions that were to be committed, and stood open nowhere. */
  readonly unmatchedCommits: readonly string[];
}

export interface RunPromotionOptions {
  readonly context: Omit<FailoverContext, 'epoch'>;
  /** The interrupted run that this one goes on with. */
  readonly resumes?: string;
  readonly holder: string;
  readonly processes?: LocalProcesses | undefined;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** The part of a failover that makes the standby's Kafka the primary's, and nothing else. */
function promotionSteps({ standby, roles, drainMs }: Omit<FailoverContext, 'epoch'>): readonly FailoverStep[] {
  const words = (title: string) => ({ title, manual: [] });
  return [
    freezeMirror(words(`Stop the mirror to ${standby.name} and note where its topics end`), drainMs),
    sealMirror(words(`Keep the mirror from writing to ${standby.name}`)),
    releaseAcls(words(`Let write on ${standby.name} who may on the primary`)),
    endTransactions(words(`End the transactions that the mirror left open on ${standby.name}`)),
    promote(words(`Make ${standby.name} the primary (roles epoch ${roles.epoch + 1}); replication is suspended`)),
  ];
}

/**
 * Promotes under the lease, journaled like every run, and reports. A lease that somebody else holds is `LeaseHeld`, exit
 * code 3, before anything is changed; from then on nothing is thrown.
 */
export async function runPromotion(options: RunPromotionOptions): Promise<PromotionReport> {
  const { context, signal, resumes } = options;
  const { state, clock, run, roles, config } = context;
  const startedAtMs = clock.now();
  const outage = { atMs: startedAtMs, source: 'run-start' } as const;
  const view = { from: roles.primary, to: roles.standby, outage, topics: config.topics, jobs: [] };
  const report = (result: Parameters<typeof failoverReport>[0]['result']): PromotionReport => ({
    ...failoverReport({ ...view, sighting: context.sighting, result }),
    drained: result.facts.mirrorDrained === true,
    unmatchedCommits: result.facts.unmatchedCommits ?? [],
  });
  const result = await runUnderLease({
    state,
    clock,
    run,
    holder: options.holder,
    processes: options.processes,
    purpose: 'mirror promote',
    steps: promotionSteps(context),
    context: (epoch) => ({ ...context, epoch, ...(resumes === undefined ? {} : { resumes }) }),
    runbook: promotionRunbook,
    by: context.by,
    details: evidence({
      from: view.from,
      to: view.to,
      rolesEpoch: roles.epoch,
      commit: context.commitTransactions,
      resumes,
    }),
    resumeHint: 'run `argus mirror promote` again: it looks at what is done and goes on from there',
    report: (r) => evidence(report(r)),
    ...(signal === undefined ? {} : { signal }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
  });
  return report(result);
}
