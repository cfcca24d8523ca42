import { estimateLoss, type TopicLoss } from '../../replication/topics/estimate-loss.ts';
import type { Failure, Json } from '../../state/journal.ts';
import type { FailoverContext, FailoverFacts } from './context.ts';

/** How much loss is taken: the age in ms of the oldest lost record, or whatever it may be (`unknown`). */
export type LossBudget = number | 'unknown';

/** How much a failover may lose before it stops. */
export interface LossLimit {
  readonly outageAtMs: number;
  /** What a person took upon himself; absent: no more than the RPO. */
  readonly accepted?: LossBudget;
}

/** Whether an estimated loss is within the budget. */
export type BudgetVerdict =
  | { readonly kind: 'within' }
  | {
      readonly kind: 'exceeded';
      /** What would have to be accepted. */
      readonly needs: LossBudget;
      readonly error: Failure;
    };

/** Judges the loss of each topic; a loss of which nobody knows the size is within no budget of time. Pure. */
export function judgeLoss(
  loss: Readonly<Record<string, TopicLoss>>,
  budget: { readonly rpoMs: number; readonly accepted?: LossBudget | undefined },
): BudgetVerdict {
  const { accepted, rpoMs } = budget;
  if (accepted === 'unknown') return { kind: 'within' };
  const topics = Object.entries(loss).filter(([, l]) => l.proven !== true && l.estimatedRecords !== 0);
  const unknown = topics.filter(([, l]) => l.ms === null || l.estimatedRecords === null);
  if (unknown.length > 0) {
    const named = unknown.map(([topic]) => topic).join(', ');
    return exceeded('unknown', `nobody can tell how much of ${named} would be lost`);
  }
  const worst = topics.toSorted(([, a], [, b]) => (b.ms ?? 0) - (a.ms ?? 0))[0];
  const ms = worst?.[1].ms ?? 0;
  if (worst === undefined || ms <= Math.max(rpoMs, accepted ?? 0)) return { kind: 'within' };
  const limit =
    accepted === undefined || accepted < rpoMs
      ? `the RPO of ${formatBudget(rpoMs)}`
      : `the ${formatBudget(accepted)} that were accepted`;
  return exceeded(
    Math.ceil(ms / 1_000) * 1_000,
    `about ${worst[1].estimatedRecords} records of ${worst[0]}, up to ${formatBudget(ms)} old, would be lost: more than ${limit}`,
  );
}

const exceeded = (needs: LossBudget, message: string): BudgetVerdict => ({
  kind: 'exceeded',
  needs,
  error: {
    code: 'LossAboveBudget',
    message,
    hint: `to take that loss add --accept-data-loss ${formatBudget(needs)}; a primary that can be read again loses less`,
  },
});

/** Why the loss, once it is settled where mirrored data ends, forbids to go on; undefined: it doesn't. Pure. */
export function lossRefusal(
  { config, lossLimit, sighting }: Pick<FailoverContext, 'config' | 'lossLimit' | 'sighting'>,
  facts: Partial<FailoverFacts>,
): Failure | undefined {
  if (lossLimit === undefined) return undefined;
  const { outageAtMs, accepted } = lossLimit;
  const loss = estimateLoss({
    topics: config.topics,
    sighting,
    promotedAt: facts.promotedAt ?? [],
    outageAtMs,
    primaryStopped: facts.primaryStopped === true,
    ...(facts.primaryEnds === undefined ? {} : { primaryEnds: facts.primaryEnds }),
  });
  const verdict = judgeLoss(loss, { rpoMs: config.objectives.rpo, accepted });
  return verdict.kind === 'exceeded' ? verdict.error : undefined;
}

/** `90s`, `unknown`: as `--accept-data-loss` takes it. Pure. */
export const formatBudget = (budget: LossBudget): string =>
  budget === 'unknown' ? budget : `${Math.ceil(budget / 1_000)}s`;

/** What was accepted when a run was started, by its details. Pure. */
export function acceptedLossIn(details: Json): LossBudget | undefined {
  if (details === null || typeof details !== 'object' || Array.isArray(details)) return undefined;
  const { acceptDataLoss } = details;
  return typeof acceptDataLoss === 'number' || acceptDataLoss === 'unknown' ? acceptDataLoss : undefined;
}
