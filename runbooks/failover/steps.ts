import type { FailoverStep, FailoverStepId, StepWords } from './failover-step.ts';
import type { FailoverPlan } from './plan.ts';
import { awaitCheckpoint } from './steps/await-checkpoint.ts';
import { chooseRecoveryPoints } from './steps/choose-recovery-point.ts';
import { confirmJobs } from './steps/confirm-jobs.ts';
import { endDrill } from './steps/end-drill.ts';
import { endTransactions } from './steps/end-transactions.ts';
import { fencePrimary } from './steps/fence-primary.ts';
import { flipNames } from './steps/flip-names.ts';
import { freezeMirror } from './steps/freeze-mirror.ts';
import { prepareRestore } from './steps/prepare-restore.ts';
import { promote } from './steps/promote.ts';
import { releaseAcls } from './steps/release-acls.ts';
import { sealMirror } from './steps/seal-mirror.ts';
import { startJobs } from './steps/start-jobs.ts';
import { stopPrimaryJobs } from './steps/stop-primary-jobs.ts';
import { syncGroups } from './steps/sync-groups.ts';
import { verifyNames } from './steps/verify-names.ts';

/** The runbook: the plan's steps with their behaviour. */
export function failoverSteps(
  plan: {
    readonly steps: readonly (StepWords & { readonly id: FailoverStepId })[];
    readonly recoveryPoints: FailoverPlan['recoveryPoints'];
  },
  drainMs: number,
  guardLeaseMs?: number,
): readonly FailoverStep[] {
  const claimedBytes = plan.recoveryPoints.reduce((sum, point) => sum + (point.claim?.bytes ?? 0), 0);
  const make: Record<FailoverStepId, (words: StepWords) => FailoverStep> = {
    'stop-primary-jobs': stopPrimaryJobs,
    'fence-primary': (words) => fencePrimary(words, guardLeaseMs),
    'freeze-mirror': (words) => freezeMirror(words, drainMs),
    'seal-mirror': sealMirror,
    'sync-groups': syncGroups,
    'choose-recovery-point': chooseRecoveryPoints,
    'prepare-restore': (words) => prepareRestore(words, claimedBytes),
    'release-acls': releaseAcls,
    'end-drill': endDrill,
    'start-jobs': startJobs,
    'end-transactions': endTransactions,
    promote,
    'flip-names': flipNames,
    'await-checkpoint': awaitCheckpoint,
    'verify-names': verifyNames,
    'confirm-jobs': confirmJobs,
  };
  return plan.steps.map(({ id, title, manual }) => make[id]({ title, manual }));
}
