import type { StepWords } from '../failover/failover-step.ts';
import type { FailbackStep } from './context.ts';
import type { FailbackPlan, FailbackStepId } from './plan.ts';
import { beginTopicsAnew } from './steps/begin-anew.ts';
import { fenceOldPrimary } from './steps/fence-old-primary.ts';
import { findDivergence } from './steps/find-divergence.ts';
import { noteRescue, rescueOrphans } from './steps/rescue-orphans.ts';
import { retirePoints } from './steps/retire-points.ts';
import { stopOldJobs } from './steps/stop-old-jobs.ts';
import { turnReplication } from './steps/turn-replication.ts';

const make: Record<FailbackStepId, (words: StepWords) => FailbackStep> = {
  'stop-old-jobs': stopOldJobs,
  'fence-old-primary': fenceOldPrimary,
  'find-divergence': findDivergence,
  'rescue-orphans': rescueOrphans,
  'note-rescue': noteRescue,
  'begin-topics-anew': beginTopicsAnew,
  'retire-points': retirePoints,
  'turn-replication': turnReplication,
};

/** The runbook: the plan's steps with their behaviour. */
export function failbackSteps(plan: Pick<FailbackPlan, 'steps'>): readonly FailbackStep[] {
  return plan.steps.map(({ id, title, manual }) => make[id]({ title, manual }));
}
